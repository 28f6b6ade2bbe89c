// `skein simulate` and the emulation in `skein run`, from outside.
#include "integration/program.h"

namespace skein {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSpec[] =
    "name: slow\n"
    "topology: tree:2x4\n"
    "learner: linear\n"
    "rounds: 10\n"
    "conditions:\n"
    "  compute: {task_s: 40, stragglers: 0.125, straggler_factor: 10}\n";

class SimulateTest : public ProgramTest {
 protected:
  void SetUp() override { Write("spec.yaml", kSpec); }
  std::string File(const std::string& name) { return ReadAll(work_ / name); }
  double ResultOf(const std::string& directory, const std::string& key) {
    const std::string text = File(directory + "/result.json");
    const size_t at = text.find("\"" + key + "\":");
    return at == text.npos ? -1 : std::atof(text.c_str() + at + key.size() + 3);
  }
  double WallOf(const std::string& directory) { return ResultOf(directory, "wall_s"); }
};

TEST_F(SimulateTest, HoursPassInSecondsAndTheRunDirectoryIsThatOfARun) {
  const Outcome outcome = Skein("simulate spec.yaml --out sim --quiet");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NEAR(WallOf("sim"), 4000, 40) << "ten rounds of the straggler";
  EXPECT_THAT(File("sim/result.json"), HasSubstr("\"status\":\"completed\""));
  EXPECT_THAT(File("sim/result.json"), Not(HasSubstr("\"peak_rss_mib\":0,"))) << "the simulator's";
  EXPECT_THAT(File("sim/events.jsonl"), HasSubstr("\"peak_rss_mib\":0,")) << "nodes have none";
  for (const char* file : {"spec.yaml", "events.jsonl", "rounds.csv", "model.safetensors"}) {
    EXPECT_NE(File(std::string("sim/") + file), "") << file;
  }
}

TEST_F(SimulateTest, TheModelIsTheRunsOwn) {
  ASSERT_EQ(Skein("simulate spec.yaml --out sim --quiet").code, 0);
  ASSERT_EQ(Skein("run spec.yaml --set conditions=null --out run --quiet").code, 0);
  EXPECT_EQ(File("sim/model.safetensors"), File("run/model.safetensors"));
}

TEST_F(SimulateTest, RepeatsToTheLastByte) {
  const std::string more =
      " --quiet --set strategy.policy.name=buffered --set strategy.policy.size=2"
      " --set conditions.compute.spread=0.8 --set conditions.availability.up_s=900"
      " --set conditions.availability.down_s=60 --rounds 40";
  ASSERT_EQ(Skein("simulate spec.yaml --out one" + more).code, 0);
  ASSERT_EQ(Skein("simulate spec.yaml --out two" + more).code, 0);
  EXPECT_EQ(File("one/events.jsonl"), File("two/events.jsonl"));
  EXPECT_EQ(File("one/model.safetensors"), File("two/model.safetensors"));
  EXPECT_THAT(File("one/events.jsonl"), HasSubstr("node_lost"));
  ASSERT_EQ(Skein("simulate spec.yaml --out three --seed 5" + more).code, 0);
  EXPECT_NE(File("one/events.jsonl"), File("three/events.jsonl"));
}

// A site with a slow worker holds up a root that waits for it, and no other.
TEST_F(SimulateTest, SynchronousSitesUnderABufferedRootComeAsFarInLessTime) {
  std::string paces = "worker,task,seconds\n";
  for (int worker = 0; worker < 8; ++worker) {
    paces += "w" + std::to_string(worker) + (worker == 0 ? ",0,10\n" : ",0,1\n");
  }
  Write("paces.csv", paces);
  const std::string more = " --quiet --set 'conditions={compute: {trace: paces.csv}}'";
  ASSERT_EQ(Skein("simulate spec.yaml --out all" + more).code, 0);
  ASSERT_EQ(Skein("simulate spec.yaml --out sites --rounds 20 --set "
                  "'strategy.tiers=[{tier: 0, policy: {name: buffered, size: 1}}]'" +
                  more)
                .code,
            0);
  EXPECT_NEAR(WallOf("all"), 100, 1);
  EXPECT_LE(WallOf("sites"), 25);
  EXPECT_GT(ResultOf("all", "loss"), 0);
  EXPECT_LE(ResultOf("sites", "loss"), 1.05 * ResultOf("all", "loss"));
  EXPECT_THAT(File("sites/events.jsonl"), HasSubstr("\"staleness\":9")) << "of the slow site";
}

// The same cores behind light shells come to the same rounds, but for the order of chunks.
TEST_F(SimulateTest, WithoutTrainingRoundsTakeAsLong) {
  const std::string more =
      " --quiet --topology tree:3x4 --set evaluate=none --set conditions.model_mb=2"
      " --set conditions.compute.spread=0.4 --set conditions.compute.jitter=0.1"
      " --set 'conditions.links=[{tier: 0, node_mb_per_s: 4, latency_s: 0.1},"
      " {tier: 1, mb_per_s: 1, latency_s: 0.05}]'";
  for (const std::string policy :
       {" --set 'strategy.policy={name: all, timeout_s: 9000}' --rounds 6",
        " --set 'strategy.policy={name: quorum, count: 3, deadline_s: 9000}' --rounds 6",
        " --set 'strategy.policy={name: buffered, size: 2}' --rounds 40"}) {
    SCOPED_TRACE(policy);
    const std::string number = std::to_string(policy.size());
    ASSERT_EQ(Skein("simulate spec.yaml --out nodes" + number + more + policy).code, 0);
    const Outcome cores =
        Skein("simulate spec.yaml --no-training --out cores" + number + more + policy);
    ASSERT_EQ(cores.code, 0) << cores.err;
    const double wall = WallOf("nodes" + number);
    EXPECT_NEAR(WallOf("cores" + number), wall, 0.02 * wall);
  }
}

TEST_F(SimulateTest, WithoutTrainingAModelMustHaveASize) {
  const Outcome outcome = Skein("simulate spec.yaml --no-training --out sim");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("conditions.model_mb"));
  EXPECT_FALSE(std::filesystem::exists(work_ / "sim"));
}

TEST_F(SimulateTest, ItsSpecCanBeRunAgain) {
  const std::string quorum =
      " --rounds 3 --set 'strategy.policy={name: quorum, count: 2, deadline_s: 50}' --quiet";
  ASSERT_EQ(Skein("simulate spec.yaml --out one" + quorum).code, 0);
  EXPECT_THAT(File("one/spec.yaml"), Not(HasSubstr("3600"))) << "limits of virtual time";
  const Outcome again = Skein("simulate one/spec.yaml --out two --quiet");
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(File("one/events.jsonl"), File("two/events.jsonl"));
}

TEST_F(SimulateTest, AReaderThatGoesAwayDoesNotEndTheRun) {
  const std::string command = "cd '" + work_.path() + "' && '" + SKEIN_PROGRAM +
                              "' simulate spec.yaml --out sim 2>/dev/null | true";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_THAT(File("sim/result.json"), HasSubstr("\"status\":\"completed\""));
}

TEST_F(SimulateTest, WithoutTrainingThereAreNoMetricsToStopAt) {
  const Outcome outcome = Skein(
      "simulate spec.yaml --no-training --out sim --set conditions.model_mb=1"
      " --set 'stop={metric: {name: loss, at_most: 1}}'");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("there are no metrics"));
}

TEST_F(SimulateTest, WithoutTrainingNobodyCanBeAskedInPasses) {
  const std::string passes =
      " --set strategy.fold=median --set 'strategy.tiers=[{tier: 1, passes: true}]'";
  const Outcome outcome =
      Skein("simulate spec.yaml --no-training --out sim --set conditions.model_mb=1" + passes);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no contributions that tier 1 could be asked about"));
  EXPECT_FALSE(std::filesystem::exists(work_ / "sim"));
  EXPECT_EQ(Skein("simulate spec.yaml --out sim" + passes).code, 0) << "with training";
}

TEST_F(SimulateTest, SummariesOfWorkersOnDemand) {
  ASSERT_EQ(Skein("simulate spec.yaml --rounds 2 --events summary --out sim --quiet").code, 0);
  const std::string events = File("sim/events.jsonl");
  EXPECT_THAT(events, HasSubstr("\"event\":\"workers_summarized\""));
  EXPECT_THAT(events, Not(HasSubstr("update_accepted")));
  EXPECT_THAT(File("sim/result.json"), HasSubstr("\"contributions\":16"));
  const Outcome idle = Skein("plot --idle sim");
  EXPECT_EQ(idle.code, 2);
  EXPECT_THAT(idle.err, HasSubstr("--events all"));
}

TEST_F(SimulateTest, ATaskMustTakeTime) {
  const Outcome outcome = Skein("simulate spec.yaml --out sim --set conditions=null");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("conditions.compute.task_s"));
  EXPECT_FALSE(std::filesystem::exists(work_ / "sim"));
}

TEST_F(SimulateTest, ConditionsPrintsThePacesThatASimulationDraws) {
  const std::string more =
      " --set conditions.compute.task_s=20 --set conditions.compute.spread=0.5";
  Outcome outcome = Skein("conditions spec.yaml" + more);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("worker,task,seconds\nw0,0,"));
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 9) << "eight workers";
  const auto as_trace = Skein("conditions spec.yaml" + more + " --tasks 2");
  Write("trace.csv", as_trace.out);
  ASSERT_EQ(Skein("simulate spec.yaml --quiet --out drawn" + more).code, 0);
  ASSERT_EQ(Skein("simulate spec.yaml --quiet --out traced --set "
                  "'conditions.compute={trace: trace.csv}'")
                .code,
            0);
  EXPECT_EQ(File("drawn/events.jsonl"), File("traced/events.jsonl")) << as_trace.out;
}

TEST_F(SimulateTest, ConditionsKnowsTheTasksOfAWorkerApartAndWhoIsSlow) {
  const std::string jitter = " --set conditions.compute.jitter=0.5 --tasks 3";
  EXPECT_THAT(Skein("conditions spec.yaml" + jitter).out, HasSubstr("\nw7,2,"));
  EXPECT_NE(Skein("conditions spec.yaml" + jitter).out,
            Skein("conditions spec.yaml --seed 2" + jitter).out);
  const Outcome outcome = Skein("conditions spec.yaml --json --tasks 2");
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
  EXPECT_THAT(outcome.out, HasSubstr(R"({"seconds":[400,400],"straggler":true,"worker":"w)"));
}

TEST_F(SimulateTest, ConditionsMustSayHowLongATaskTakes) {
  const Outcome outcome = Skein("conditions spec.yaml --set conditions=null");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("conditions.compute.task_s"));
}

TEST_F(SimulateTest, AbsencesOfARunWithProcessesAreRefused) {
  const Outcome outcome =
      Skein("run spec.yaml --processes --out run --set conditions.availability.up_s=10");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("conditions.availability"));
}

TEST_F(SimulateTest, ARunIsAsSlowAsItsConditions) {
  const std::string more =
      " --quiet --rounds 3 --set conditions.compute.task_s=0.1 "
      "--set conditions.compute.straggler_factor=5";
  Outcome outcome = Skein("run spec.yaml --out run" + more);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_GE(WallOf("run"), 1.5) << "three rounds of a straggler of 0.5 s";
  outcome = Skein("run spec.yaml --processes --out processes" + more);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_GE(WallOf("processes"), 1.5);
  EXPECT_EQ(File("run/model.safetensors"), File("processes/model.safetensors"));
}

TEST_F(SimulateTest, LinksOfARunAreShapedInProcessAndOverGrpc) {
  const std::string more =
      " --quiet --rounds 2 --set conditions.compute.task_s=0 --set conditions.compute.stragglers=0"
      " --set conditions.model_mb=1 --set 'conditions.links=[{tier: 1, mb_per_s: 4}]'";
  for (const char* how : {"run", "run --processes"}) {
    const Outcome outcome = Skein(std::string(how) + " spec.yaml --out made" + more);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_GE(WallOf("made"), 1.0) << how << ": two rounds of 1 MB down and 1 MB up at 4 MB/s";
    std::filesystem::remove_all(work_ / "made");
  }
}

}  // namespace
}  // namespace skein
