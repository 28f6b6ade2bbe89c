#include "app/plot/timeline.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "support/xml.h"
#include "unit/app/plot/events.h"

namespace skein::plot {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

RunActivity Workers(int count) {
  std::vector<Event> events = {Started("root", "coordinator", ""), Opened(1, 1, count)};
  for (int i = 0; i < count; ++i) {
    events.push_back(Started('w' + std::to_string(i), "worker", "root"));
    events.push_back(Report(3, event::kUpdateAccepted, 'w' + std::to_string(i), "root", 2));
  }
  events.push_back(Committed(5, 1));
  events.push_back(Ended(6));
  return ActivityOf(events);
}

TEST(DrawTimeline, HasARowForEachNode) {
  const auto svg = DrawTimeline({{"mine", ActivityOf(TwoRounds())}});
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_THAT(TextsOf(*svg),
              AllOf(Contains("mine"), Contains("root"), Contains("w0"), Contains("w1"),
                    Contains("55.6%"), Contains("11.1%"), Contains("left out"),
                    Contains(HasSubstr("2 versions in 9 s, completed, workers idle 33.3%"))));
  EXPECT_THAT(TextsOf(*svg), Not(Contains("rejected"))) << "signs that do not occur";
}

TEST(DrawTimeline, BarsAreWhereTheTasksWere) {
  const auto svg = DrawTimeline({{"mine", ActivityOf(TwoRounds())}});
  ASSERT_TRUE(svg.ok());
  std::string w0;
  double begin = 0;
  double width = 0;
  bool in_row = false;
  for (const XmlElement& element : ParseXml(*svg)) {
    if (element.name == "title") in_row = element.text.starts_with("w0: 2 contributions");
    if (!in_row) continue;
    if (element.name == "rect" && width == 0) {
      begin = std::stod(element.attributes.at("x"));
      width = std::stod(element.attributes.at("width"));
    }
    if (element.name == "path" && w0.empty()) w0 = element.attributes.at("d");
  }
  // 0-2 s and 5-7 s of 9.
  double bars[4];
  ASSERT_EQ(std::sscanf(w0.c_str(), "M%lf %*fH%lfv%*fH%*fzM%lf %*fH%lf", &bars[0], &bars[1],
                        &bars[2], &bars[3]),
            4)
      << w0;
  const double seconds[4] = {0, 2, 5, 7};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(bars[i], begin + width * seconds[i] / 9, 0.2) << i;
}

TEST(DrawTimeline, SeveralRunsShareTheirTime) {
  const auto svg = DrawTimeline({{"one", ActivityOf(TwoRounds())}, {"two", Workers(3)}});
  ASSERT_TRUE(svg.ok());
  EXPECT_THAT(TextsOf(*svg), AllOf(Contains("one"), Contains("two"), Contains("w2")));
}

TEST(DrawTimeline, LossesAreSeen) {
  std::vector<Event> events = TwoRounds();
  events.insert(events.begin() + 9, {7, event::kNodeLost, 2, "w1", {{"reason", "gone"}}});
  const auto svg = DrawTimeline({{"mine", ActivityOf(events)}});
  ASSERT_TRUE(svg.ok());
  EXPECT_THAT(TextsOf(*svg), Contains("lost"));
  EXPECT_THAT(*svg, HasSubstr("url(#away)"));
}

TEST(DrawTimeline, TooManyNodesAreRefused) {
  EXPECT_TRUE(DrawTimeline({{"mine", Workers(255)}}).ok());
  const auto svg = DrawTimeline({{"mine", Workers(200)}, {"other", Workers(100)}});
  EXPECT_THAT(Message(svg.status()), AllOf(HasSubstr("302 nodes"), HasSubstr("--nodes")));
}

TEST(DrawTimeline, ManyTasksMakeNoLargeFile) {
  std::vector<Event> events = {Started("root", "coordinator", ""), Started("w0", "worker", "root"),
                               Opened(0, 1, 1)};
  for (uint64_t i = 1; i <= 20'000; ++i) {
    const double now = 0.05 * static_cast<double>(i);
    events.push_back(Report(now, event::kUpdateAccepted, "w0", "root", 0.025, {{"staleness", 0}}));
    events.push_back(VersionMade(now, i, 1));
  }
  events.push_back(Ended(1000));
  const auto svg = DrawTimeline({{"mine", ActivityOf(events)}});
  ASSERT_TRUE(svg.ok());
  ParseXml(*svg);
  EXPECT_LT(svg->size(), 200'000u);
}

}  // namespace
}  // namespace skein::plot
