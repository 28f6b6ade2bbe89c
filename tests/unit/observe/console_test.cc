#include "skein/observe/console.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ValueList Bytes(int root, int lowest) {
  return {ValueMap{{"tier", 0}, {"up", root}, {"down", root}},
          ValueMap{{"tier", 1}, {"up", lowest}, {"down", lowest}}};
}

// Two rounds of a small run, the second lacking a worker.
std::vector<Event> Run(const std::string& status) {
  std::vector<Event> events = {{0,
                                event::kRunStarted,
                                0,
                                "",
                                {{"name", "demo"},
                                 {"run", "demo-1"},
                                 {"nodes", 5},
                                 {"workers", 2},
                                 {"rounds", 2},
                                 {"seed", 7}}}};
  for (uint64_t round = 1; round <= 2; ++round) {
    const int contributors = round == 1 ? 2 : 1;
    events.push_back({1.0, event::kRoundOpened, round, "", {{"participants", 2}}});
    events.push_back({1.5, event::kUpdateAccepted, round, "w0", {{"parent", "a0"}}});
    if (round == 2) events.push_back({2, event::kWorkerLeftOut, round, "w1", {{"reason", "late"}}});
    events.push_back({2.0,
                      event::kRoundCommitted,
                      round,
                      "root",
                      {{"contributors", contributors},
                       {"wall_s", 4.12},
                       {"digest", "d16e57"},
                       {"metrics", ValueMap{{"loss", 0.7}}},
                       {"bytes", Bytes(3'700'000, 1)}}});
    events.push_back({2.0,
                      event::kEvaluated,
                      round,
                      "root",
                      {{"where", "coordinator"}, {"loss", 0.4512}, {"accuracy", 0.8421}}});
  }
  events.push_back({9.0,
                    event::kRunEnded,
                    2,
                    "",
                    {{"status", status},
                     {"reason", status == "completed" ? "" : "w1 is gone"},
                     {"rounds", 2},
                     {"wall_s", 9.0},
                     {"bytes", Bytes(1'000'000, 8'000'000)}}});
  return events;
}

std::string Show(const ConsoleOptions& options, std::ostringstream& stream,
                 const std::string& status = "completed") {
  ConsoleProgress console(options);
  for (const Event& event : Run(status)) console.OnEvent(event);
  return stream.str();
}

TEST(ConsoleProgress, PrintsOnePlainLineARound) {
  std::ostringstream out;
  const std::string text = Show({.out = &out}, out);
  EXPECT_THAT(text, HasSubstr("demo: 5 nodes, 2 workers, 2 rounds, seed 7\n"
                              "round 1/2 [#####-----] loss 0.4512  accuracy 0.8421  2/2 workers"
                              "  4.1 s  root 3.7 MB up\n"
                              "round 2/2 [##########] loss 0.4512  accuracy 0.8421  1/2 workers"
                              "  4.1 s  root 3.7 MB up  1 left out\n"
                              "completed\n"));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
}

TEST(ConsoleProgress, RedrawsTheOpenRoundOnATerminal) {
  std::ostringstream out;
  const std::string text = Show({.out = &out, .redraw = true}, out);
  EXPECT_THAT(text, HasSubstr("\rround 1/2 [##--------] 1/2 workers\x1b[K"));
  EXPECT_THAT(text, HasSubstr("4.1 s  root 3.7 MB up\x1b[K\n"));
}

TEST(ConsoleProgress, SummaryComparesTheRootWithTwoTiers) {
  std::ostringstream out;
  const std::string text = Show({.out = &out, .directory = "runs/demo"}, out);
  EXPECT_THAT(text, HasSubstr("2 rounds in 9.0 s, loss 0.4512, accuracy 0.8421"));
  EXPECT_THAT(text, HasSubstr("sha256 d16e57"));
  EXPECT_THAT(text, HasSubstr("runs/demo"));
  EXPECT_THAT(text,
              HasSubstr("a two-tier root would see 8.0 MB up, 8.0 MB down (computed: 2 workers"
                        " x 8.0 MB), 8.0 and 8.0 times as much as this one"));
}

TEST(ConsoleProgress, ScalesWhenSomeWorkersSitHigher) {
  std::ostringstream out;
  const std::string text = Show({.out = &out, .lowest_tier_workers = 1}, out);
  EXPECT_THAT(text, HasSubstr("16.0 MB up"));
}

TEST(ConsoleProgress, QuietSaysNothingOfSuccess) {
  std::ostringstream err;
  EXPECT_EQ(Show({.err = &err}, err), "");
}

TEST(ConsoleProgress, QuietStillTellsOfFailure) {
  std::ostringstream err;
  EXPECT_EQ(Show({.err = &err}, err, "failed"), "run failed: w1 is gone\n");
}

TEST(ConsoleProgress, ShowsTrainingLossWithoutEvaluation) {
  RoundSummary round;
  round.round = round.contributors = round.participants = 1;
  round.committed = true;
  round.training["loss"] = 0.25;
  EXPECT_THAT(ProgressLine(round, 1), HasSubstr("train loss 0.2500"));
}

TEST(FormatBytes, PicksTheUnit) {
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1'000), "1.0 kB");
  EXPECT_EQ(FormatBytes(999'960), "1.0 MB");
  EXPECT_EQ(FormatBytes(3'700'000), "3.7 MB");
  EXPECT_EQ(FormatBytes(12e9), "12.0 GB");
}

}  // namespace
}  // namespace skein
