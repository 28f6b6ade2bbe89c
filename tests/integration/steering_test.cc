// Runs that end early or are steered, from outside.
#include "integration/program.h"

namespace skein {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// The worker's tasks take time, so that time passes in a simulation.
constexpr char kSpec[] =
    "name: ends\n"
    "topology: tree:2x2\n"
    "learner: linear\n"
    "rounds: 100000\n"
    "conditions: {compute: {task_s: 2}}\n";

class SteeringProgramTest : public ProgramTest {
 protected:
  void SetUp() override { Write("spec.yaml", kSpec); }
  std::string File(const std::string& name) { return ReadAll(work_ / name); }
  std::string Sha256(const std::string& name) {
    return Run("/usr/bin/sha256sum", name).out.substr(0, 64);
  }
  // The value of a text field of run `directory`'s result.json.
  std::string ResultField(const std::string& directory, const std::string& field) {
    const std::string text = File(directory + "/result.json");
    const std::string key = "\"" + field + "\":\"";
    const size_t at = text.find(key);
    if (at == text.npos) return "";
    return text.substr(at + key.size(), text.find('"', at + key.size()) - at - key.size());
  }
  void ExpectEnded(const std::string& directory, const std::string& reason) {
    EXPECT_EQ(ResultField(directory, "status"), "completed");
    EXPECT_THAT(ResultField(directory, "reason"), HasSubstr(reason));
    EXPECT_EQ(ResultField(directory, "model_digest"), Sha256(directory + "/model.safetensors"));
    EXPECT_THAT(File(directory + "/result.json"), Not(HasSubstr("\"loss\":null")));
    EXPECT_THAT(File(directory + "/events.jsonl"), HasSubstr(reason));
  }
};

TEST_F(SteeringProgramTest, ATargetEndsRunProcessesAndSimulationAlike) {
  const std::string more =
      " --set conditions.compute.task_s=0 --set 'stop={metric: {name: loss, at_most: 0.5}}'";
  const Outcome outcome = Skein("run spec.yaml --out run" + more);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("completed: stop.metric: loss is "));
  ExpectEnded("run", "stop.metric: loss is ");
  ASSERT_EQ(Skein("run spec.yaml --processes --quiet --out processes" + more).code, 0);
  ExpectEnded("processes", "stop.metric: loss is ");
  ASSERT_EQ(Skein("simulate spec.yaml --quiet --out simulated" + more +
                  " --set conditions.compute.task_s=2")
                .code,
            0);
  ExpectEnded("simulated", "stop.metric: loss is ");
  EXPECT_EQ(File("run/model.safetensors"), File("processes/model.safetensors"));
  EXPECT_EQ(File("run/model.safetensors"), File("simulated/model.safetensors"));
}

TEST_F(SteeringProgramTest, ATimeBudgetEndsRunsOfEitherKind) {
  for (const std::string policy : {"all", "{name: buffered, size: 1}"}) {
    const std::string more = " --quiet --set 'strategy.policy=" + policy +
                             "' --set evaluate.every=1000 --set stop.time_s=";
    const std::string real = more + "1.5 --set conditions.compute.task_s=0.2";
    ASSERT_EQ(Skein("run spec.yaml --out run" + real).code, 0);
    ExpectEnded("run", "stop.time_s: 1.5 s have passed");
    ASSERT_EQ(Skein("run spec.yaml --processes --out processes" + real).code, 0);
    ExpectEnded("processes", "stop.time_s: 1.5 s have passed");
    ASSERT_EQ(Skein("simulate spec.yaml --out simulated" + more + "101").code, 0);
    ExpectEnded("simulated", "stop.time_s: 101 s have passed");
    EXPECT_THAT(File("simulated/result.json"), HasSubstr("\"wall_s\":101"));
    for (const char* directory : {"run", "processes", "simulated"}) {
      std::filesystem::remove_all(work_ / directory);
    }
  }
}

TEST_F(SteeringProgramTest, ASteeredSimulationIsReplayed) {
  const std::string more =
      " --quiet --rounds 30 --set strategy.policy.name=buffered --set strategy.policy.size=2"
      " --set conditions.compute.spread=0.5";
  const std::string steering =
      " --set 'steering={name: reduce_on_plateau, rounds: 2, min_delta: 0.5}'";
  ASSERT_EQ(Skein("simulate spec.yaml --out plain" + more).code, 0);
  ASSERT_EQ(Skein("simulate spec.yaml --out steered" + more + steering).code, 0);
  EXPECT_THAT(File("steered/events.jsonl"), HasSubstr("\"event\":\"steered\""));
  EXPECT_NE(File("steered/model.safetensors"), File("plain/model.safetensors"));
  const Outcome outcome =
      Skein("simulate spec.yaml --out replayed --set steering.replay=steered" + more);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(File("replayed/model.safetensors"), File("steered/model.safetensors"));
  EXPECT_THAT(File("replayed/spec.yaml"), HasSubstr("steering: {name: replay, run: "));
}

TEST_F(SteeringProgramTest, ASteeredRunWithProcessesIsReplayedInOne) {
  const std::string more = " --quiet --rounds 12 --set conditions=null";
  ASSERT_EQ(Skein("run spec.yaml --processes --out steered"
                  " --set 'steering={name: reduce_on_plateau, rounds: 2, min_delta: 0.5}'" +
                  more)
                .code,
            0);
  EXPECT_THAT(File("steered/events.jsonl"), HasSubstr("\"event\":\"steered\""));
  ASSERT_EQ(Skein("run spec.yaml --out replayed --set steering.replay=steered" + more).code, 0);
  EXPECT_EQ(File("replayed/model.safetensors"), File("steered/model.safetensors"));
  EXPECT_THAT(File("replayed/events.jsonl"), HasSubstr("\"event\":\"steered\""));
}

TEST_F(SteeringProgramTest, BadRulesAndHooksAreRefusedInOneLine) {
  const std::pair<const char*, const char*> rows[] = {
      {"--set stop.time_s=-5", "'time_s' is -5"},
      {"--set stop.bytes_mb=-5", "'bytes_mb' is -5"},
      {"--set 'stop.plateau={metric: loss, rounds: 0}'", "'rounds' is 0"},
      {"--set stop.tiem_s=5", "'time_s'"},
      {"--set evaluate=none --set 'stop.metric={name: accuracy, at_least: 0.8}'",
       "stop.metric: 'accuracy' is never evaluated"},
      {"--set steering=nobody", "unknown steering 'nobody'"},
      {"--set steering.replay=nowhere", "nowhere/events.jsonl"},
      {"--set steering=replay", "'run' is required"},
  };
  for (const auto& [arguments, words] : rows) {
    const Outcome outcome = Skein(std::string("run spec.yaml --out run ") + arguments);
    EXPECT_EQ(outcome.code, 2) << arguments;
    EXPECT_THAT(outcome.err, HasSubstr(words));
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_FALSE(std::filesystem::exists(work_ / "run")) << arguments;
  }
}

}  // namespace
}  // namespace skein
