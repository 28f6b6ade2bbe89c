#include "skein/observe/console.h"

#include <algorithm>
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

// ---- without a barrier at the root ----

Event VersionMade(double time_s, uint64_t version, uint64_t base, bool evaluating = false) {
  return {time_s,
          event::kVersionCommitted,
          version,
          "root",
          {{"contributors", 2},
           {"updates", 4},
           {"evaluating", evaluating},
           {"bases", ValueList{ValueMap{{"version", base}, {"updates", 3}},
                               ValueMap{{"version", version - 1}, {"updates", 1}}}},
           {"bytes", Bytes(1'000'000, 1)}}};
}

// A version every `gap_s`, each of four updates.
std::string ShowStream(uint64_t versions, double gap_s, bool redraw = false) {
  std::ostringstream out;
  ConsoleProgress console({.out = &out, .redraw = redraw});
  console.OnEvent({0, event::kRunStarted, 0, "", {{"name", "demo"}, {"rounds", versions}}});
  console.OnEvent({0, event::kNodeStarted, 0, "w0", {{"role", "worker"}}});
  console.OnEvent({10, event::kRoundOpened, 1, "", {{"participants", 2}}});
  double now = 10;
  for (uint64_t version = 1; version <= versions; ++version) {
    now += gap_s;
    console.OnEvent({now,
                     event::kUpdateAccepted,
                     version,
                     "w0",
                     {{"parent", "root"}, {"task_s", 0.75 * gap_s}}});
    console.OnEvent(VersionMade(now, version, version > 3 ? version - 3 : 0));
  }
  console.OnEvent({now,
                   event::kRunEnded,
                   versions,
                   "",
                   {{"status", "completed"}, {"rounds", versions}, {"wall_s", now}}});
  return out.str();
}

TEST(ConsoleProgress, TellsOfVersionsInUpdatesWithPaceAndStaleness) {
  const std::string text = ShowStream(4, 2.0);
  EXPECT_THAT(text, HasSubstr("\nversion 1/4 [##--------] 4 updates, 2/s  staleness 0.0, max 0"
                              "  idle 25.0%  2.0 s  root 1.0 MB up\n"));
  // Three updates made from version 1 went into version 4: two versions late.
  EXPECT_THAT(text, HasSubstr("\nversion 4/4 [##########] 16 updates, 2/s  staleness 1.5, max 2"
                              "  idle 25.0%  2.0 s  root 1.0 MB up\ncompleted\n"));
  EXPECT_THAT(text, HasSubstr("\n  4 versions in 18.0 s\n"
                              "  16 updates, 2/s, staleness 0.9, max 2, workers idle 25.0%\n"));
  EXPECT_THAT(text, Not(HasSubstr("workers  ")));
}

TEST(ConsoleProgress, ALineTellsOfAllVersionsSinceTheOneBefore) {
  const std::string text = ShowStream(10, 0.25);
  EXPECT_THAT(text, HasSubstr("\nversion  4/10 [####------] 16 updates, 16/s  staleness 0.9, max 2"
                              "  idle 25.0%  1.0 s  root 4.0 MB up\nversion  8/10 "));
  EXPECT_THAT(text, HasSubstr("\nversion 10/10 [##########] 40 updates, 16/s  staleness 1.5, max 2"
                              "  idle 25.0%  0.5 s  root 2.0 MB up\ncompleted"));
}

size_t CountOf(char wanted, const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), wanted));
}

TEST(ConsoleProgress, ThousandsOfVersionsMakeFewLines) {
  EXPECT_LE(CountOf('\n', ShowStream(10'000, 0.001)), 20u) << "10 s";
  const size_t lines = CountOf('\n', ShowStream(10'000, 10));
  EXPECT_LE(lines, 500u) << "a day of virtual time";
  EXPECT_GE(lines, 100u);
  EXPECT_LE(CountOf('\r', ShowStream(10'000, 10, /*redraw=*/true)), 6'000u);
}

TEST(ConsoleProgress, AnEvaluationIsToldOfWithTheLineThatCoversIt) {
  std::ostringstream out;
  ConsoleProgress console({.out = &out});
  console.OnEvent({0, event::kRoundOpened, 1, "", {{"participants", 2}}});
  console.OnEvent(VersionMade(0.5, 1, 0, /*evaluating=*/true));
  console.OnEvent(VersionMade(0.6, 2, 0));
  console.OnEvent({0.7, event::kEvaluated, 1, "root", {{"where", "coordinator"}, {"loss", 0.5}}});
  console.OnEvent(VersionMade(2, 3, 1));
  EXPECT_THAT(out.str(), HasSubstr("loss 0.5000  12 updates"));
  console.OnEvent(VersionMade(4, 4, 1));
  EXPECT_THAT(out.str(), HasSubstr("] 16 updates")) << "it is not told of twice";
}

TEST(ConsoleProgress, ThousandsOfLossesMakeFewLines) {
  std::ostringstream err;
  ConsoleProgress console({.err = &err});
  for (int worker = 0; worker < 3000; ++worker) {
    const std::string id = "w" + std::to_string(worker);
    console.OnEvent({1, event::kNodeLost, 1, id, {{"reason", "its connection closed"}}});
  }
  console.OnEvent({9, event::kRunEnded, 2, "", {{"status", "completed"}, {"wall_s", 9.0}}});
  EXPECT_THAT(err.str(), HasSubstr("w0 was lost: its connection closed\n"));
  EXPECT_THAT(err.str(), HasSubstr("3000 times in all a node was lost\n"));
  EXPECT_LE(CountOf('\n', err.str()), 25u);
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
