#include "app/plot/curves.h"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "support/xml.h"

namespace skein::plot {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

EvaluatedRun Trained(const std::string& name, int points, double best = 0.8) {
  EvaluatedRun run{name, {}};
  for (int i = 1; i <= points; ++i) {
    Evaluation evaluation;
    evaluation.spent = {10.0 * i, static_cast<uint64_t>(i), static_cast<uint64_t>(32 * i), 2e6 * i,
                        5e5 * i};
    evaluation.metrics["accuracy"] = best * i / points;
    run.evaluations.push_back(evaluation);
  }
  return run;
}

// The points of each line with more than one.
std::vector<std::vector<std::pair<double, double>>> Lines(const std::string& svg) {
  std::vector<std::vector<std::pair<double, double>>> lines;
  for (const XmlElement& element : ParseXml(svg)) {
    if (element.name != "polyline") continue;
    std::istringstream stream(element.attributes.at("points"));
    lines.emplace_back();
    char comma;
    for (double x, y; stream >> x >> comma >> y;) lines.back().emplace_back(x, y);
  }
  return lines;
}

TEST(DrawCurves, DrawsALineForEachRunAndNamesIt) {
  const auto svg =
      DrawCurves({Trained("sync", 3), Trained("a<b>", 6, 0.4)}, Over::kTime, "accuracy");
  ASSERT_TRUE(svg.ok()) << svg.status();
  EXPECT_THAT(TextsOf(*svg),
              AllOf(Contains("sync"), Contains("a<b>"), Contains("accuracy"),
                    Contains("time since the first round began, s"), Contains("0.8")));
  const auto lines = Lines(*svg);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), 3u);
  EXPECT_EQ(lines[1].size(), 6u);
  // 30 s of 60: half as far; 0.4 after 60 s is where the first had half of its own.
  const double left = 2 * lines[0][2].first - lines[1][5].first;
  EXPECT_NEAR((lines[1][2].first - left) * 2, lines[1][5].first - left, 0.3);
  EXPECT_LT(lines[0][2].second, lines[1][5].second) << "more is higher up";
}

TEST(DrawCurves, EachMeasureHasItsUnit) {
  const auto texts = [](Over over) {
    return TextsOf(DrawCurves({Trained("r", 5)}, over, "accuracy").value());
  };
  EXPECT_THAT(texts(Over::kBytes), Contains("bytes on all links, both ways, MB"));
  EXPECT_THAT(texts(Over::kBytesAtRoot), Contains(HasSubstr("root and its children")));
  EXPECT_THAT(texts(Over::kUpdates), Contains("updates"));
  EXPECT_THAT(texts(Over::kRounds), Contains(HasSubstr("versions")));
}

TEST(DrawCurves, APointAloneIsSeen) {
  const auto svg = DrawCurves({Trained("r", 1)}, Over::kTime, "accuracy");
  ASSERT_TRUE(svg.ok());
  const auto elements = ParseXml(*svg);
  EXPECT_TRUE(std::any_of(elements.begin(), elements.end(),
                          [](const XmlElement& e) { return e.name == "circle"; }));
}

TEST(DrawCurves, ManyPointsMakeNoLargeFile) {
  const auto svg = DrawCurves({Trained("r", 50'000)}, Over::kRounds, "accuracy");
  ASSERT_TRUE(svg.ok());
  EXPECT_LT(svg->size(), 100'000u);
  const auto line = Lines(*svg).at(0);
  EXPECT_GT(line.size(), 600u);
  EXPECT_TRUE(std::is_sorted(line.begin(), line.end(),
                             [](const auto& a, const auto& b) { return a.first < b.first; }));
}

TEST(DrawCurves, WhatCannotBeDrawnIsRefused) {
  const auto error = [](const std::vector<EvaluatedRun>& runs, const std::string& metric) {
    return Message(DrawCurves(runs, Over::kTime, metric).status());
  };
  EXPECT_THAT(error({Trained("good", 2), Trained("empty", 0)}, "accuracy"),
              HasSubstr("empty: there is no evaluation"));
  EXPECT_THAT(error({Trained("good", 2)}, "f1"), AllOf(HasSubstr("'f1'"), HasSubstr("accuracy")));
  EXPECT_THAT(error(std::vector<EvaluatedRun>(33, Trained("r", 2)), "accuracy"),
              HasSubstr("33 runs"));
  EXPECT_TRUE(
      DrawCurves(std::vector<EvaluatedRun>(32, Trained("r", 2)), Over::kTime, "accuracy").ok());
}

TEST(DrawCurves, AbsurdValuesStayOnTheSheet) {
  EvaluatedRun run = Trained("r", 3);
  run.evaluations[1].metrics["accuracy"] = 1e308;
  run.evaluations[2].metrics["accuracy"] = -1e308;
  const auto svg = DrawCurves({run}, Over::kTime, "accuracy");
  ASSERT_TRUE(svg.ok());
  const auto line = Lines(*svg).at(0);
  for (const auto& [x, y] : line) {
    EXPECT_GE(y, 0);
    EXPECT_LE(y, 1000);
  }
}

}  // namespace
}  // namespace skein::plot
