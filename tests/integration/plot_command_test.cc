// `skein plot`, from outside: what runs leave behind can be drawn, and what cannot is refused.
#include "integration/program.h"
#include "support/xml.h"

namespace skein {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kSpec[] =
    "name: drawn\n"
    "topology: tree:2x2\n"
    "learner: linear\n"
    "rounds: 6\n"
    "conditions:\n"
    "  compute: {task_s: 10, stragglers: 0.25, straggler_factor: 10}\n";
constexpr char kStream[] =
    " --rounds 20 --set strategy.policy.name=every_update"
    " --set strategy.mixing.name=models";

class PlotTest : public ProgramTest {
 protected:
  void SetUp() override { Write("spec.yaml", kSpec); }
  void Make(const std::string& arguments) {
    const Outcome outcome = Skein(arguments + " --quiet");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  std::string File(const std::string& name) { return ReadAll(work_ / name); }
  // Nothing but one line on stderr with these words, and no file made.
  void ExpectRefused(const std::string& arguments, const std::vector<std::string>& words) {
    SCOPED_TRACE(arguments);
    const auto before = CountFiles();
    const Outcome outcome = Skein("plot " + arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    EXPECT_EQ(CountFiles(), before);
  }
  long CountFiles() const {
    const fs::recursive_directory_iterator all(work_.path());
    return std::distance(begin(all), end(all));
  }
  // The idle share of all workers, in percent, from the table's last line.
  double IdleOf(const std::string& run) {
    const Outcome outcome = Skein("plot --idle " + run);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const size_t all = outcome.out.rfind("\nall ");
    const size_t last = outcome.out.find_last_of(' ');
    if (all == std::string::npos || last < all) return -1;
    return std::atof(outcome.out.c_str() + last);
  }
};

TEST_F(PlotTest, RunsWithAndWithoutABarrierAreDrawnTogether) {
  Make("simulate spec.yaml --out sync");
  Make("simulate spec.yaml --out stream" + std::string(kStream));
  Outcome outcome = Skein("plot sync stream --y loss");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "sync/plot.svg\n");
  EXPECT_THAT(TextsOf(File("sync/plot.svg")),
              AllOf(Contains("sync"), Contains("stream"), Contains("loss"),
                    Contains("time since the first round began, s")));
  for (const char* x : {"root-bytes", "updates"}) {
    outcome = Skein(std::string("plot sync/ ./stream --y loss -o - --x ") + x);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(TextsOf(outcome.out), AllOf(Contains("sync"), Contains("stream"))) << x;
  }

  outcome = Skein("plot --timeline sync stream -o both.svg");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(TextsOf(File("both.svg")),
              AllOf(Contains("root"), Contains("a1"), Contains("w3"), Contains("contribution"),
                    Contains("not over at the end")));
  ASSERT_EQ(Skein("plot --timeline sync --nodes 'root,w?'").code, 0);
  EXPECT_THAT(TextsOf(File("sync/timeline.svg")), AllOf(Contains("w0"), Not(Contains("a0"))));

  // Three of four workers wait for the one that takes ten times as long.
  EXPECT_NEAR(IdleOf("sync"), 100 * 0.75 * 0.9, 1);
  EXPECT_LT(IdleOf("stream"), 0.01);
  outcome = Skein("plot --idle --json sync stream");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("{\"runs\":[{\"idle\":0.67"));
}

TEST_F(PlotTest, RunsOfOneProcessAndOfManyCanBeDrawn) {
  const std::string more =
      " --rounds 2 --set conditions.compute.task_s=0.2 --set conditions.compute.straggler_factor=3"
      " --topology flat:2";
  Make("run spec.yaml --out one" + more);
  Make("run spec.yaml --processes --out many" + more);
  ASSERT_EQ(Skein("plot one many --y loss -o curves.svg").code, 0);
  ASSERT_EQ(Skein("plot one many --timeline -o timeline.svg").code, 0);
  for (const char* file : {"curves.svg", "timeline.svg"}) {
    EXPECT_THAT(TextsOf(File(file)), AllOf(Contains("one"), Contains("many"))) << file;
  }
}

TEST_F(PlotTest, AbsencesAreDrawn) {
  Make(
      "simulate spec.yaml --out sync --topology flat:8 --rounds 10"
      " --set strategy.policy.name=quorum --set strategy.policy.count=2"
      " --set conditions.availability.up_s=100 --set conditions.availability.down_s=30");
  ASSERT_THAT(File("sync/events.jsonl"), HasSubstr("node_lost"));
  ASSERT_EQ(Skein("plot --timeline sync").code, 0);
  EXPECT_THAT(TextsOf(File("sync/timeline.svg")), AllOf(Contains("lost"), Contains("left out")));
}

TEST_F(PlotTest, OfSeveralRunsThoseWithoutAnEvaluationAreLeftOut) {
  Make("simulate spec.yaml --out sync");
  Make("simulate spec.yaml --out blind --set evaluate=none");
  const Outcome outcome = Skein("plot blind sync --y loss -o both.svg");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("blind: there is no evaluation in its events; left out"));
  EXPECT_THAT(File("both.svg"), HasSubstr("<svg"));
}

TEST_F(PlotTest, BadInputIsRefusedAndNothingIsMade) {
  Make("simulate spec.yaml --out sync");
  Make("simulate spec.yaml --out blind --set evaluate=none");
  ExpectRefused("", {"runs is required"});
  ExpectRefused("ghost", {"ghost: no such run directory"});
  ExpectRefused("sync --x fortune", {"--x", "fortune"});
  ExpectRefused("sync --y beauty", {"'beauty'", "loss"});
  ExpectRefused("blind --y loss", {"blind: there is no evaluation"});
  ExpectRefused("sync --timeline --y loss", {"--timeline", "--y"});
  ExpectRefused("sync --nodes w0", {"--nodes", "--timeline"});
  ExpectRefused("sync --timeline --nodes ghost", {"--nodes matches none"});
  ExpectRefused("sync --y loss -o ghost/plot.svg", {"ghost/plot.svg"});
  ExpectRefused("sync --y loss -o plot.png", {"plot.png", "SVG", "rsvg-convert"});

  const std::string events = File("sync/events.jsonl");
  Write("sync/events.jsonl", events.substr(0, events.size() / 2));
  ExpectRefused("sync --y loss", {"sync/events.jsonl:", "not JSON, at column"});
  Write("sync/events.jsonl", "");
  ExpectRefused("sync --timeline", {"no round has begun"});

  Make("simulate spec.yaml --out crowd --topology flat:300 --rounds 1");
  ExpectRefused("crowd --timeline", {"301 nodes", "--nodes"});
}

}  // namespace
}  // namespace skein
