#include "skein/federation/run_spec.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/builtins/codecs.h"
#include "skein/builtins/strategies.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class PatientPolicy : public RoundPolicy {
 public:
  PolicyDecision Decide(const PolicyView&) const override { return {}; }
  bool has_barrier() const override { return true; }
  std::shared_ptr<const RoundPolicy> Relaxed(int) const override { return nullptr; }
};

// The built-in parts, and a policy and a learner whose parameters these tests know.
Registries TestRegistries() {
  Registries registries;
  RegisterBuiltinStrategies(registries.strategies);
  RegisterBuiltinCodecs(registries.strategies.codecs);
  const ParamSchema patience(
      {{.name = "deadline_s", .type = ParamSpec::Type::kReal, .default_value = 30.0, .min = 0},
       {.name = "count", .type = ParamSpec::Type::kInt, .min = 1, .max = 1e6},
       {.name = "mode",
        .type = ParamSpec::Type::kString,
        .default_value = "soft",
        .choices = {"soft", "hard"}}});
  EXPECT_TRUE(registries.strategies.policies
                  .Register({"patient", "waits", "test", patience},
                            [](const Params&) { return std::make_shared<PatientPolicy>(); })
                  .ok());
  LearnerOptions options;
  options.schema = std::make_shared<ParamSchema>(std::vector<ParamSpec>{
      {.name = "lr", .type = ParamSpec::Type::kReal, .default_value = 0.1, .min = 0, .max = 10},
      {.name = "layers", .type = ParamSpec::Type::kInt, .default_value = 2}});
  const LearnerFactory factory = [](const WorkerContext&) {
    return absl::StatusOr<std::unique_ptr<Learner>>(absl::UnimplementedError("never made"));
  };
  RegisterBuiltinSteering(registries.steering);
  EXPECT_TRUE(registries.learners.Register("toy", factory, options).ok());
  EXPECT_TRUE(registries.learners.Register("free", factory).ok());
  options.check_data = [](const Params& data, const DataUse& use) -> absl::Status {
    if (!use.evaluates_at_coordinator || use.num_workers != 6) return absl::OkStatus();
    if (data.StringOr("test", "") != "") return absl::OkStatus();
    return absl::InvalidArgumentError("data: 'test' is missing");
  };
  EXPECT_TRUE(registries.learners.Register("picky", factory, options).ok());
  return registries;
}

class RunSpecTest : public ::testing::Test {
 protected:
  absl::StatusOr<RunSpec> Parse(const std::string& yaml, const SpecOverrides& overrides = {}) {
    return ParseRunSpec(yaml, "dir/demo.yaml", directory_, overrides, registries_);
  }
  // A spec that is good but for `lines`, which begin in line 3.
  absl::StatusOr<RunSpec> With(const std::string& lines, const SpecOverrides& overrides = {}) {
    return Parse("topology: tree:2x3\nlearner: toy\n" + lines, overrides);
  }
  std::string Refusal(const absl::StatusOr<RunSpec>& spec) {
    EXPECT_FALSE(spec.ok());
    const std::string message = Message(spec.status());
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    return message;
  }
  absl::StatusOr<RunSpec> Set(const std::string& lines, const std::string& path,
                              const std::string& value) {
    return With(lines, {.set = {{path, value}}});
  }
  std::string File(const std::string& name, const std::string& content) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path) << content;
    return path;
  }
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/run_spec_" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  Registries registries_ = TestRegistries();
  std::string directory_;
};

constexpr char kFull[] = R"(
name: demo-1
topology: tree:2x3
learner:
  name: toy
  params: {lr: 0.5}
data:
  partition: dirichlet
  alpha: 0.3
  labels: [1, two, 3.0]
strategy:
  fold: mean
  optimizer: {name: sgd}
  selector: all
  policy:
    name: patient
    deadline_s: 20
    count: 2
  tiers:
    - {tier: 1, kappa: 4, policy: all}
rounds: 12
seed: 18446744073709551615
evaluate: {where: both, every: 3}
limits: {heartbeat_interval_s: 0.29, staging_bytes: 1048576, cancel_grace_s: 0}
stop:
  metric: {name: accuracy, at_least: 0.8}
  time_s: 4000000
steering: {name: reduce_on_plateau, rounds: 3}
conditions:
  compute: {task_s: 2.5, stragglers: 0.5}
  links: [{tier: 1, mb_per_s: 10, latency_s: 0.01}]
output: out
)";

TEST_F(RunSpecTest, ReadsEveryKey) {
  const auto spec = Parse(kFull);
  ASSERT_TRUE(spec.ok()) << spec.status();
  const RunConfig& config = spec->config;
  EXPECT_EQ(config.name, "demo-1");
  EXPECT_EQ(config.run_id, "");
  EXPECT_EQ(config.output_dir, "");
  EXPECT_EQ(spec->topology, *Topology::FromShape("tree:2x3"));
  EXPECT_EQ(spec->topology_text, "tree:2x3");
  EXPECT_EQ(config.learner, (PartSpec{"toy", {{"lr", 0.5}, {"layers", 2}}}));
  EXPECT_EQ(
      config.data,
      (ValueMap{{"partition", "dirichlet"}, {"alpha", 0.3}, {"labels", ValueList{1, "two", 3.0}}}));
  EXPECT_EQ(config.strategy.fold.name, "mean");
  EXPECT_EQ(config.strategy.optimizer.name, "sgd");
  EXPECT_EQ(config.strategy.policy.name, "patient");
  EXPECT_EQ(Params(config.strategy.policy.params).Real("deadline_s"), 20.0);
  EXPECT_EQ(Params(config.strategy.policy.params).String("mode"), "soft");
  ASSERT_EQ(config.strategy.tiers.size(), 1u);
  EXPECT_EQ(config.strategy.tiers[0].tier, 1);
  EXPECT_EQ(config.strategy.tiers[0].kappa, 4);
  EXPECT_EQ(config.strategy.tiers[0].policy->name, "all");
  EXPECT_FALSE(config.strategy.tiers[0].fold);
  EXPECT_EQ(config.rounds, 12u);
  EXPECT_EQ(config.seed, UINT64_MAX);
  EXPECT_EQ(config.evaluate, (EvaluateSpec{true, true, 3}));
  EXPECT_EQ(config.limits.heartbeat_interval, std::chrono::milliseconds(290));
  EXPECT_EQ(config.limits.cancel_grace, Duration(0));
  EXPECT_EQ(config.limits.staging_bytes, 1048576u);
  EXPECT_EQ(config.conditions.compute.task_s, 2.5);
  EXPECT_EQ(config.conditions.compute.straggler_factor, 10);
  EXPECT_EQ(spec->stop.targets, (std::vector<StopTarget>{{"accuracy", true, 0.8, false}}));
  EXPECT_EQ(spec->stop.time_s, 4e6);
  EXPECT_EQ(spec->steering.name, "reduce_on_plateau");
  EXPECT_EQ(Params(spec->steering.params).Int("rounds"), 3);
  EXPECT_EQ(Params(spec->steering.params).Real("factor"), 0.5);
  ASSERT_EQ(config.conditions.links.size(), 1u);
  EXPECT_EQ(config.conditions.links[0].latency_s, 0.01);
  EXPECT_EQ(spec->output, std::filesystem::absolute(directory_ + "/out").lexically_normal());
}

TEST_F(RunSpecTest, FillsInDefaults) {
  const auto spec = With("");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.name, "demo");  // the file's
  EXPECT_EQ(spec->config.rounds, 1u);
  EXPECT_EQ(spec->config.seed, 0u);
  EXPECT_EQ(spec->config.strategy.fold.name, "fedavg");
  EXPECT_EQ(spec->config.strategy.policy.name, "all");
  EXPECT_EQ(spec->config.evaluate, EvaluateSpec());
  EXPECT_EQ(spec->config.limits, RuntimeLimits());
  EXPECT_EQ(spec->config.learner.params, (ValueMap{{"lr", 0.1}, {"layers", 2}}));
  EXPECT_EQ(spec->output, "");
  EXPECT_TRUE(spec->stop.empty());
  EXPECT_EQ(spec->steering, PartSpec());
}

TEST_F(RunSpecTest, AReplayIsNamedAsOtherFilesAre) {
  std::filesystem::create_directories(directory_ + "/old");
  File("old/events.jsonl", "{\"time_s\":0,\"event\":\"run_started\",\"round\":0}\n");
  const std::string run = std::filesystem::absolute(directory_ + "/old").lexically_normal();
  for (const char* text : {"steering: {replay: old}\n", "steering: {name: replay, run: old}\n"}) {
    const auto spec = With(text);
    ASSERT_TRUE(spec.ok()) << spec.status();
    EXPECT_EQ(spec->steering, (PartSpec{"replay", {{"run", run}}}));
    EXPECT_EQ(*ParseRunSpec(ToYaml(*spec), "dir/demo.yaml", "/elsewhere", {}, registries_), *spec);
  }
  EXPECT_THAT(Refusal(With("steering: {replay: none}\n")), HasSubstr("none/events.jsonl"));
}

TEST_F(RunSpecTest, WrittenOutReadsBackEqual) {
  File("init.safetensors", "x");
  for (const std::string& yaml :
       {std::string(kFull), std::string("topology: flat:4\nlearner: {name: free, params: {a: "
                                        "{b: [1, 1.0, '1', null]}, 'odd key': \"x\\ny\"}}\n"
                                        "init: init.safetensors\nevaluate: none\n"
                                        "limits: {start_timeout_s: 1e-3}\n")}) {
    const auto spec = Parse(yaml);
    ASSERT_TRUE(spec.ok()) << spec.status();
    const std::string text = ToYaml(*spec);
    // From anywhere: nothing in it may depend on where it lies.
    const auto again = ParseRunSpec(text, "spec.yaml", "/elsewhere", {}, registries_);
    ASSERT_TRUE(again.ok()) << again.status() << "\n" << text;
    EXPECT_EQ(*again, *spec) << text;
    EXPECT_EQ(ToYaml(*again), text);
  }
}

TEST_F(RunSpecTest, ReadsTopologyFilesBesideTheSpec) {
  File("sites.yaml",
       "hq: {kind: leader, children: [b, a]}\na: {kind: worker, gpu: 1}\n"
       "b: {kind: worker}\n");
  const auto spec = Parse("topology: sites.yaml\nlearner: toy\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->topology.worker(0).id, "b");
  EXPECT_THAT(spec->topology_text, StartsWith("nodes:\n"));
  const auto again = ParseRunSpec(ToYaml(*spec), "spec.yaml", "/elsewhere", {}, registries_);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *spec);
}

TEST_F(RunSpecTest, ReadsFoldsOfTiersAndWhatCollects) {
  const auto spec = Parse(
      "topology: tree:2x2x2\nlearner: toy\nstrategy:\n  fold: {name: krum, f: 0}\n  tiers:\n"
      "    - {tier: 1, collect: true}\n    - {tier: 2, fold: mean, collect: false}\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const std::vector<TierSpec>& tiers = spec->config.strategy.tiers;
  ASSERT_EQ(tiers.size(), 2u);
  EXPECT_TRUE(tiers[0].collect);
  EXPECT_FALSE(tiers[1].collect);
  EXPECT_EQ(tiers[1].fold->name, "mean");
  EXPECT_EQ(*ParseRunSpec(ToYaml(*spec), "spec.yaml", "/elsewhere", {}, registries_), *spec);
}

TEST_F(RunSpecTest, ReadsPasses) {
  const auto spec = Parse(
      "topology: tree:2x2x2\nlearner: toy\nstrategy:\n  fold: median\n  tiers:\n"
      "    - {tier: 1, passes: true}\n    - {tier: 2, passes: true, collect: false}\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_TRUE(spec->config.strategy.tiers.at(0).passes);
  EXPECT_TRUE(spec->config.strategy.tiers.at(1).passes);
  EXPECT_EQ(*ParseRunSpec(ToYaml(*spec), "spec.yaml", "/elsewhere", {}, registries_), *spec);
}

TEST_F(RunSpecTest, ReadsCodecsOfLinks) {
  const auto spec = Parse(
      "topology: tree:2x2x2\nlearner: toy\nstrategy:\n"
      "  links: {updates: [{name: topk, ratio: 0.1}, zstd], models: [delta, int8]}\n"
      "  tiers:\n    - {tier: 0, link: {partials: [zstd], models: []}}\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  const StrategySpec& strategy = spec->config.strategy;
  ASSERT_TRUE(strategy.links.updates.has_value());
  EXPECT_EQ(strategy.links.updates->at(0).name, "topk");
  EXPECT_EQ(*strategy.links.updates->at(0).params.at("ratio").AsDouble(), 0.1);
  EXPECT_EQ(*strategy.links.updates->at(0).params.at("error_feedback").AsBool(), true)
      << "its default is filled in";
  EXPECT_FALSE(strategy.links.partials.has_value());
  EXPECT_EQ(strategy.tiers.at(0).link.partials->at(0).name, "zstd");
  EXPECT_EQ(LinksOf(strategy, 0).models->size(), 0u);
  EXPECT_EQ(LinksOf(strategy, 1).models->size(), 2u);
  EXPECT_EQ(*ParseRunSpec(ToYaml(*spec), "spec.yaml", "/elsewhere", {}, registries_), *spec);
}

TEST_F(RunSpecTest, ReadsInlineTopologies) {
  const auto spec = Parse(R"(
learner: toy
topology:
  nodes:
    - {id: r, role: coordinator}
    - {id: w, role: worker, parent: r}
)");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->topology.num_workers(), 1u);
  EXPECT_EQ(*ParseRunSpec(ToYaml(*spec), "dir/demo.yaml", directory_, {}, registries_), *spec);
}

TEST_F(RunSpecTest, RefusesBadTopologies) {
  EXPECT_THAT(Refusal(Parse("learner: toy\n")), HasSubstr("the key 'topology' is missing"));
  EXPECT_THAT(Refusal(Parse("learner: toy\ntopology: flat:0\n")),
              StartsWith("dir/demo.yaml:2:11: topology shape 'flat:0': "));
  const auto missing = Parse("learner: toy\ntopology: none.yaml\n");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Refusal(missing), AllOf(StartsWith("dir/demo.yaml:2:11: topology: "),
                                      HasSubstr("none.yaml: no such file"), HasSubstr("flat:32")));
  File("bad.yaml",
       "nodes:\n  - {id: r, role: coordinator}\n  - {id: w, role: worker, parent: q}\n");
  EXPECT_THAT(Refusal(Parse("learner: toy\ntopology: bad.yaml\n")),
              AllOf(StartsWith("dir/demo.yaml:2:11: "), HasSubstr("bad.yaml:3:5: worker 'w'")));
  EXPECT_THAT(Refusal(Parse("learner: toy\ntopology:\n  nodes:\n    - {id: r, rol: x}\n")),
              StartsWith("dir/demo.yaml:4:15: node: unknown key 'rol'"));
  EXPECT_THAT(Refusal(Parse("learner: toy\ntopology: [a]\n")), HasSubstr("expected a topology"));
}

TEST_F(RunSpecTest, NamesUnknownKeysWithTheNearest) {
  EXPECT_EQ(Refusal(With("round: 3\n")),
            "dir/demo.yaml:3:1: unknown key 'round'; did you mean 'rounds'?");
  EXPECT_EQ(Refusal(With("strategy:\n  polcy: all\n")),
            "dir/demo.yaml:4:3: strategy: unknown key 'polcy'; did you mean 'policy'?");
  EXPECT_EQ(Refusal(With("strategy: {tiers: [{teir: 1}]}\n")),
            "dir/demo.yaml:3:21: strategy.tiers.0: unknown key 'teir'; did you mean 'tier'?");
  EXPECT_EQ(Refusal(With("limits: {heartbeat_timeot_s: 3}\n")),
            "dir/demo.yaml:3:10: limits: unknown key 'heartbeat_timeot_s'; did you mean "
            "'heartbeat_timeout_s'?");
  EXPECT_EQ(Refusal(With("evaluate: {whre: both}\n")),
            "dir/demo.yaml:3:12: evaluate: unknown key 'whre'; did you mean 'where'?");
  EXPECT_THAT(Refusal(Parse("topology: flat:2\nlearner: {name: toy, lr: 1}\n")),
              HasSubstr("2:22: learner: unknown key 'lr'; known: name, params"));
  EXPECT_THAT(Refusal(With("strategy: {link: []}\n")),
              HasSubstr("unknown key 'link'; did you mean 'links'?"));
}

TEST_F(RunSpecTest, RefusesMalformedYamlWithPosition) {
  EXPECT_THAT(Refusal(With("rounds: [1\n")), StartsWith("dir/demo.yaml:"));
  EXPECT_THAT(Refusal(Parse("")), HasSubstr("expected a map with keys like 'name', got nothing"));
  EXPECT_THAT(Refusal(Parse("- a\n")), StartsWith("dir/demo.yaml:1:1: expected a map"));
}

struct BadLine {
  const char* line;
  const char* message;
};
class BadLines : public RunSpecTest, public ::testing::WithParamInterface<BadLine> {};

TEST_P(BadLines, AreRefusedWithPositionAndRange) {
  EXPECT_THAT(Refusal(With(std::string(GetParam().line) + "\n")),
              AllOf(StartsWith("dir/demo.yaml:3:"), HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    RunSpec, BadLines,
    ::testing::Values(
        BadLine{"rounds: 0", "rounds: expected an integer from 1 to 1000000000, got '0'"},
        BadLine{"rounds: -5", "rounds: expected an integer"},
        BadLine{"rounds: 1000000001", "rounds: expected an integer"},
        BadLine{"rounds: many", "rounds: expected an integer"},
        BadLine{"rounds: 2.5", "rounds: expected an integer"},
        BadLine{"rounds: '3'", "rounds: expected an integer"},
        BadLine{"rounds: 99999999999999999999", "does not fit"},
        BadLine{"seed: -1", "seed: expected an integer from 0"},
        BadLine{"seed: 18446744073709551616", "seed: expected an integer from 0"},
        BadLine{"name: a/b", "name: 'a/b' contains '/'"},
        BadLine{"name: [a]", "name: expected a word, got a list"},
        BadLine{"data: iid", "data: expected a map, got 'iid'"},
        BadLine{"data: {partition: [iid]}", "data.partition: expected a word"},
        BadLine{"strategy: fedavg", "strategy: expected a map"},
        BadLine{"strategy: {fold: [fedavg]}", "strategy.fold: expected a name or {name: ..."},
        BadLine{"strategy: {filters: max-norm}", "strategy.filters: expected a list"},
        BadLine{"strategy: {filters: [{}]}", "strategy.filters.0: the key 'name' is missing"},
        BadLine{"strategy: {tiers: {tier: 1}}", "strategy.tiers: expected a list"},
        BadLine{"strategy: {links: [int8]}", "strategy.links: expected a map"},
        BadLine{"strategy: {links: {up: [int8]}}", "strategy.links: unknown key 'up'"},
        BadLine{"strategy: {links: {updates: int8}}", "strategy.links.updates: expected a list"},
        BadLine{"strategy: {links: {updates: [int9]}}", "unknown codec 'int9'"},
        BadLine{"strategy: {links: {models: [delta, {name: topk, ratio: 2}]}}", "'ratio' is 2"},
        BadLine{"strategy: {links: {updates: [delta]}}", "'delta' is for models"},
        BadLine{"strategy: {tiers: [{tier: 0, link: {models: [zstd, int8]}}]}",
                "strategy, tier 0: link.models: 'int8(512)' cannot follow 'zstd'"},
        BadLine{"strategy: {tiers: [{kappa: 2}]}", "the key 'tier' is missing"},
        BadLine{"strategy: {tiers: [{tier: -1}]}", "strategy.tiers.0.tier: expected an integer"},
        BadLine{"strategy: {tiers: [{tier: 1, kappa: 0}]}", "strategy.tiers.0.kappa: expected"},
        BadLine{"strategy: {tiers: [{tier: 7}]}", "tier"},
        BadLine{"strategy: {fold: median, tiers: [{tier: 1, collect: 1}]}",
                "strategy.tiers.0.collect: expected true or false, got '1'"},
        BadLine{"strategy: {fold: median, tiers: [{tier: 1, passes: yes please}]}",
                "strategy.tiers.0.passes: expected true or false, got 'yes please'"},
        BadLine{"strategy: {tiers: [{tier: 0, kappa: 2}]}", "kappa"},
        BadLine{"strategy: {tiers: [{tier: 1, policy: {count: 2}}]}", "'name' is missing"},
        BadLine{"evaluate: worker", "unknown place 'worker'; did you mean 'workers'?"},
        BadLine{"evaluate: {every: 0}", "evaluate.every: expected an integer from 1"},
        BadLine{"conditions: {compute: {task_s: -1}}", "conditions.compute"},
        BadLine{"conditions: {links: [{tier: 2}]}", "conditions.links: tier 2 has no children"},
        BadLine{"conditions: {compute: {trace: no.csv}}", "cannot read the trace"},
        BadLine{"conditions: {speed: 3}", "conditions: unknown key 'speed'"},
        BadLine{"stop: soon", "stop: must be a map of rules"},
        BadLine{"stop: {time_s: -1}", "'time_s' is -1"},
        BadLine{"stop: {plateau: {metric: loss, rounds: 0}}", "'rounds' is 0"},
        BadLine{"stop: {metrics: {}}", "stop: unknown key 'metrics'; did you mean 'metric'?"},
        BadLine{"stop: {metric: {name: m, at_least: 1}}\nevaluate: none", "never evaluated"},
        BadLine{"steering: nobody", "unknown steering 'nobody'"},
        BadLine{"steering: {rounds: 3}", "steering: the key 'name' is missing"},
        BadLine{"steering: {name: reduce_on_plateau, factor: 2}", "'factor' is 2"},
        BadLine{"limits: {heartbeat_interval_s: 0}", "limits.heartbeat_interval_s: expected"},
        BadLine{"limits: {start_timeout_s: 1e7}", "limits.start_timeout_s: expected a number"},
        BadLine{"limits: {cancel_grace_s: -1}", "limits.cancel_grace_s: expected a number"},
        BadLine{"limits: {heartbeat_timeout_s: 2}", "not longer than heartbeat_interval_s"},
        BadLine{"limits: {staging_bytes: -1}", "limits.staging_bytes: expected an integer"},
        BadLine{"limits: 5", "limits: expected a map"},
        BadLine{"init: [a]", "init: expected a word"}));

TEST_F(RunSpecTest, RefusesUnknownPartsAndLearners) {
  EXPECT_THAT(Refusal(With("strategy: {fold: fedavgg}\n")),
              AllOf(StartsWith("dir/demo.yaml:3:18: "), HasSubstr("fedavg")));
  EXPECT_THAT(Refusal(With("strategy:\n  policy:\n    count: 1\n    name: pateint\n")),
              AllOf(StartsWith("dir/demo.yaml:6:11: "), HasSubstr("patient")));
  EXPECT_THAT(Refusal(Parse("topology: flat:2\nlearner: tyo\n")),
              AllOf(StartsWith("dir/demo.yaml:2:10: "), HasSubstr("toy")));
  EXPECT_THAT(Refusal(Parse("topology: flat:2\nlearner: {params: {}}\n")),
              HasSubstr("learner: the key 'name' is missing"));
  EXPECT_THAT(Refusal(Parse("topology: flat:2\n")), HasSubstr("the key 'learner' is missing"));
}

TEST_F(RunSpecTest, RefusesPoliciesThatCannotWork) {
  EXPECT_THAT(Refusal(With("strategy: {policy: {name: quorum, count: 1, deadline_s: 1}}\n")),
              AllOf(StartsWith("dir/demo.yaml:3:11: strategy, tier 1: policy 'quorum' waits for 1"),
                    HasSubstr("limits.heartbeat_interval_s")));
  EXPECT_TRUE(With("limits: {heartbeat_interval_s: 0.5}\n"
                   "strategy: {policy: {name: quorum, count: 1, deadline_s: 1}}\n")
                  .ok());
  EXPECT_THAT(Refusal(With("strategy: {policy: fedcompass}\n")),
              AllOf(StartsWith("dir/demo.yaml:3:20: strategy, tier 1: policy 'fedcompass'"),
                    HasSubstr("at the root")));
  EXPECT_THAT(Refusal(With("strategy:\n  tiers: [{tier: 0, policy: {name: tiered, groups: 3}}]\n")),
              HasSubstr("strategy, tier 0: policy 'tiered' needs 3 children and 'root' has 2"));
  EXPECT_THAT(Refusal(With("strategy: {policy: {name: buffered, size: 2, max_wait_s: -1}}\n")),
              HasSubstr("'max_wait_s'"));
}

TEST_F(RunSpecTest, TimesOfTasksMustDependOnTheirStepsWhereTheseDiffer) {
  const std::string compass =
      "strategy: {policy: all, tiers: [{tier: 0, policy: fedcompass}]}\n"
      "conditions: {compute: {task_s: 2";
  EXPECT_THAT(Refusal(With(compass + "}}\n")),
              AllOf(StartsWith("dir/demo.yaml:4:14: conditions.compute.steps: "),
                    HasSubstr("the policy of tier 0")));
  EXPECT_TRUE(With(compass + ", steps: 100}}\n").ok());
  EXPECT_TRUE(With("conditions: {compute: {task_s: 2}}\n").ok());
}

TEST_F(RunSpecTest, ATraceOfAvailabilityFitsTheTree) {
  const std::string all = "worker,from_s,to_s\nw0,0,9\nw1,0,9\nw2,0,9\nw3,0,9\nw4,0,9\nw5,0,9\n";
  const std::string path = File("there.csv", all);
  const auto spec = With("conditions: {availability: {trace: there.csv}}\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.conditions.availability.trace,
            std::filesystem::path(path).lexically_normal())
      << "it is made absolute";
  File("there.csv", all + "w6,0,9\n");
  EXPECT_THAT(Refusal(With("conditions: {availability: {trace: there.csv}}\n")),
              AllOf(StartsWith("dir/demo.yaml:3:29: "), HasSubstr("there.csv:8: the tree has no")));
  File("there.csv", all + "w0,5,19\n");
  EXPECT_THAT(Refusal(With("conditions: {availability: {trace: there.csv}}\n")),
              HasSubstr("there.csv:8: worker 'w0' is there from 5 s"));
  File("there.csv", "worker,from_s,to_s\nw0,0,9\n");
  EXPECT_THAT(Refusal(With("conditions: {availability: {trace: there.csv}}\n")),
              HasSubstr("no line of worker 'w1'"));
}

TEST_F(RunSpecTest, PutsErrorsOfParametersAtTheParameter) {
  EXPECT_THAT(
      Refusal(With("strategy:\n  policy:\n    name: patient\n    count: 3\n    deadlin_s: 3\n")),
      AllOf(StartsWith("dir/demo.yaml:7:5: "), HasSubstr("'deadline_s'")));
  EXPECT_THAT(Refusal(With("strategy:\n  policy:\n    name: patient\n    deadline_s: -3\n")),
              StartsWith("dir/demo.yaml:6:5: "));
  EXPECT_THAT(Refusal(With("strategy:\n  policy: {name: patient, count: soon}\n")),
              StartsWith("dir/demo.yaml:4:27: "));
  EXPECT_THAT(Refusal(With("strategy:\n  policy: {name: patient, mode: softt}\n")),
              StartsWith("dir/demo.yaml:4:27: "));
  EXPECT_THAT(Refusal(Parse("topology: flat:2\nlearner: {name: toy, params: {lr: 99}}\n")),
              StartsWith("dir/demo.yaml:2:31: "));
  EXPECT_THAT(Refusal(Parse("topology: flat:2\nlearner: {name: toy, params: {layrs: 1}}\n")),
              AllOf(StartsWith("dir/demo.yaml:2:31: "), HasSubstr("'layers'")));
}

TEST_F(RunSpecTest, OfASpecThatIsHandedInNoTopologyIsRead) {
  const std::string file = File("tree.yaml", "secret words\n");
  const std::string refusal =
      Refusal(Parse("topology: " + file + "\nlearner: far\n", {.learner_elsewhere = true}));
  EXPECT_THAT(refusal, AllOf(StartsWith("dir/demo.yaml:1:"), HasSubstr("has its nodes in it")));
  EXPECT_THAT(refusal, testing::Not(HasSubstr("secret")));
  EXPECT_TRUE(Parse("topology: flat:2\nlearner: far\n", {.learner_elsewhere = true}).ok());
}

TEST_F(RunSpecTest, LearnersSayWhatTheirSchemaCannotKnow) {
  const std::string picky = "topology: tree:2x3\nlearner: picky\n";
  EXPECT_THAT(Refusal(Parse(picky + "data: {train: a}\n")),
              AllOf(StartsWith("dir/demo.yaml:3:"), HasSubstr("data: 'test' is missing")));
  EXPECT_TRUE(Parse(picky + "data: {test: a}\n").ok());
  EXPECT_TRUE(Parse(picky + "evaluate: workers\n").ok());
  RunSpec spec = *With("");
  spec.config.learner.name = "picky";
  EXPECT_THAT(Message(ValidateRunSpec(spec, registries_)), HasSubstr("'test' is missing"));
}

TEST_F(RunSpecTest, NullLeavesTheDefault) {
  const auto spec = With(
      "rounds: ~\nstrategy: {fold: ~, policy: {name: patient, deadline_s: ~}}\n"
      "evaluate: ~\nlimits: ~\ninit: ~\noutput: ''\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.rounds, 1u);
  EXPECT_EQ(spec->config.strategy.fold.name, "fedavg");
  EXPECT_EQ(Params(spec->config.strategy.policy.params).Real("deadline_s"), 30.0);
}

TEST_F(RunSpecTest, OverridesApplyInOrderBeforeChecks) {
  const auto spec = With("rounds: bad\nstrategy: {policy: patient}\n",
                         {.set = {{"rounds", "3"},
                                  {"rounds", "4"},
                                  {"strategy.policy.deadline_s", "3"},
                                  {"strategy.tiers.0.tier", "1"},
                                  {"strategy.tiers.0.kappa", "2"},
                                  {"learner.params.lr", "2.5"},
                                  {"evaluate.every", "5"},
                                  {"data", "{partition: iid}"}}});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.rounds, 4u);
  EXPECT_EQ(spec->config.strategy.policy.name, "patient");
  EXPECT_EQ(Params(spec->config.strategy.policy.params).Real("deadline_s"), 3.0);
  EXPECT_EQ(spec->config.strategy.tiers.at(0).kappa, 2);
  EXPECT_EQ(Params(spec->config.learner.params).Real("lr"), 2.5);
  EXPECT_EQ(spec->config.evaluate.every, 5u);
  EXPECT_EQ(spec->config.data, (ValueMap{{"partition", "iid"}}));
}

TEST_F(RunSpecTest, OverridesKeepTheirWordOfEvaluate) {
  const auto spec = Set("evaluate: both\n", "evaluate.every", "5");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.evaluate, (EvaluateSpec{true, true, 5}));
}

TEST_F(RunSpecTest, ErrorsOfOverridesNameTheOverride) {
  EXPECT_EQ(Refusal(Set("", "rounds", "0")),
            "--set rounds=0: rounds: expected an integer from 1 to 1000000000, got '0'");
  EXPECT_EQ(Refusal(Set("", "strateggy.fold", "mean")),
            "--set strateggy.fold=mean: unknown key 'strateggy'; did you mean 'strategy'?");
  EXPECT_THAT(Refusal(Set("", "strategy.policy", "patiemt")),
              StartsWith("--set strategy.policy=patiemt: "));
  EXPECT_THAT(Refusal(Set("", "rounds.x", "1")),
              AllOf(StartsWith("--set rounds.x=1: "), HasSubstr("rounds")));
  EXPECT_THAT(Refusal(Set("", "topology", "flat:0")), StartsWith("--set topology=flat:0: "));
}

// Whether the spec has the key or not.
TEST_F(RunSpecTest, ErrorsOfOverriddenParametersNameTheOverride) {
  for (const char* spec : {"conditions: {compute: {task_s: 1}, links: [{tier: 0}]}\n", ""}) {
    SCOPED_TRACE(spec);
    EXPECT_THAT(Refusal(Set(spec, "conditions.compute.task_s", "slow")),
                StartsWith("--set conditions.compute.task_s=slow: conditions.compute"));
    EXPECT_THAT(Refusal(Set(spec, "conditions.compute.taks_s", "1")),
                StartsWith("--set conditions.compute.taks_s=1: "));
    EXPECT_THAT(Refusal(Set(spec, "conditions.links", "5")),
                StartsWith("--set conditions.links=5"));
    EXPECT_THAT(Refusal(Set(spec, "conditions", "{speed: 1}")),
                StartsWith("--set conditions={speed: 1}: "));
    EXPECT_THAT(Refusal(Set(spec, "conditions.availability.trace", "ghost.csv")),
                AllOf(StartsWith("--set conditions.availability.trace=ghost.csv: "),
                      HasSubstr("no such file")));
    EXPECT_THAT(Refusal(Set(spec, "stop.time_s", "soon")), StartsWith("--set stop.time_s=soon: "));
  }
  EXPECT_THAT(Refusal(Set("conditions: {links: [{tier: 0}, {tier: 1, loss: 0.1}]}\n",
                          "conditions.links.1.loss", "2")),
              StartsWith("--set conditions.links.1.loss=2: conditions.links[1]"));
  // What is wrong in the file itself is told at its place, whatever else is set.
  EXPECT_THAT(Refusal(Set("conditions:\n  compute:\n    task_s: slow\n", "rounds", "2")),
              StartsWith("dir/demo.yaml:5:5: conditions.compute"));
  for (const char* params : {"{lr: 1}", "{}"}) {
    const std::string spec =
        "topology: flat:2\nlearner: {name: toy, params: " + std::string(params) + "}\n";
    EXPECT_THAT(Refusal(Parse(spec, {.set = {{"learner.params.lr", "99"}}})),
                StartsWith("--set learner.params.lr=99: "));
  }
}

TEST_F(RunSpecTest, SteeringThatCouldNeverActIsRefused) {
  EXPECT_THAT(Refusal(With("evaluate: none\nsteering: reduce_on_plateau\n")),
              AllOf(StartsWith("dir/demo.yaml:4:"), HasSubstr("nothing is evaluated"),
                    HasSubstr("from: training")));
  EXPECT_TRUE(With("evaluate: none\nsteering: {name: reduce_on_plateau, from: training}\n").ok());
  EXPECT_THAT(Refusal(With("steering: {name: reduce_on_plateau, min_lr: 1}\n")),
              AllOf(StartsWith("dir/demo.yaml:3:"), HasSubstr("'min_lr'")));
  EXPECT_TRUE(With("steering: {name: reduce_on_plateau, min_lr: 1}\n"
                   "strategy: {optimizer: {name: sgd, lr: 2}}\n")
                  .ok());
}

TEST_F(RunSpecTest, TopologyOptionReplacesTheSpecs) {
  const auto spec = With("", {.topology = "flat:5"});
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->topology.num_workers(), 5u);
  EXPECT_EQ(spec->topology_text, "flat:5");
  const std::string file = File("t.yaml",
                                "nodes:\n  - {id: r, role: coordinator}\n"
                                "  - {id: w, role: worker, parent: r}\n");
  EXPECT_EQ(With("", {.topology = file})->topology.num_workers(), 1u);
  EXPECT_THAT(Refusal(With("", {.topology = "flat:x"})),
              StartsWith("--topology: topology shape 'flat:x': "));
  EXPECT_TRUE(Parse("learner: toy\n", {.topology = "flat:5"}).ok());
}

TEST_F(RunSpecTest, ChecksTheStrategyAgainstTheTreeThatIsUsed) {
  const std::string tiers = "strategy: {tiers: [{tier: 1, kappa: 2}]}\n";
  EXPECT_TRUE(With(tiers).ok());
  EXPECT_THAT(
      Refusal(With(tiers, {.topology = "flat:5"})),
      AllOf(StartsWith("dir/demo.yaml:3:20: strategy, tier 1: "), HasSubstr("aggregating tiers")));
}

TEST_F(RunSpecTest, InitMustExist) {
  const auto missing = With("init: start.safetensors\n");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Refusal(missing), StartsWith("dir/demo.yaml:3:7: init: no file "));
  const std::string path = File("start.safetensors", "x");
  const auto spec = With("init: start.safetensors\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.init, std::filesystem::absolute(path).lexically_normal());
}

TEST_F(RunSpecTest, ReadsFiles) {
  const std::string path = File("my-run.yaml", "topology: flat:2\nlearner: toy\n");
  const auto spec = ReadRunSpec(path, {}, registries_);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.name, "my-run");
  const auto missing = ReadRunSpec(directory_ + "/none.yaml", {}, registries_);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Refusal(missing), directory_ + "/none.yaml: no such file");
}

TEST_F(RunSpecTest, TermsHaveTheirDefaultsAndStayWhenWritten) {
  const auto spec = With(
      "strategy: {terms: [fedprox, {name: ditto, lambda: 2}]}\n"
      "worker_state: kept\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->config.strategy.terms,
            (std::vector<PartSpec>{{"fedprox", {{"mu", 0.01}}}, {"ditto", {{"lambda", 2.0}}}}));
  EXPECT_EQ(spec->config.worker_state,
            std::filesystem::path(directory_ + "/kept").lexically_normal());
  const auto again = Parse(ToYaml(*spec));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *spec);
  const auto set = Set("strategy: {terms: [fedprox]}", "strategy.terms.0.mu", "0.5");
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->config.strategy.terms[0].params, (ValueMap{{"mu", 0.5}}));
}

TEST_F(RunSpecTest, WhatIsWrongWithATermStandsThere) {
  EXPECT_THAT(Refusal(With("strategy: {terms: fedprox}")),
              HasSubstr("strategy.terms: expected a list"));
  EXPECT_THAT(
      Refusal(With("strategy:\n  terms:\n  - {name: fedprox,\n     mew: 1}\n")),
      AllOf(StartsWith("dir/demo.yaml:6:6"), HasSubstr("unknown parameter 'mew', it takes mu")));
  EXPECT_THAT(Refusal(With("strategy:\n  tiers: [{tier: 1, kappa: 2}]\n  terms: [scaffold]\n")),
              AllOf(StartsWith("dir/demo.yaml:5:"),
                    HasSubstr("strategy, term 'scaffold': tier 1 has kappa 2")));
}

TEST_F(RunSpecTest, ValidatesSpecsBuiltInCode) {
  RunSpec spec = *With("");
  EXPECT_TRUE(ValidateRunSpec(spec, registries_).ok());
  const auto refusal = [&](auto change) {
    RunSpec bad = spec;
    change(bad);
    return Message(ValidateRunSpec(bad, registries_));
  };
  EXPECT_THAT(refusal([](RunSpec& s) { s.config.name = "a b"; }), HasSubstr("name: 'a b'"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.config.rounds = 0; }), HasSubstr("rounds"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.config.evaluate.every = 0; }),
              HasSubstr("evaluate.every"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.config.limits.start_timeout = Duration(-1); }),
              HasSubstr("limits.start_timeout_s"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.topology = Topology(); }), HasSubstr("topology"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.config.learner.name = "nobody"; }), HasSubstr("nobody"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.config.strategy.policy.name = "nothing"; }),
              HasSubstr("nothing"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.stop.time_s = -1; }), HasSubstr("stop.time_s"));
  EXPECT_THAT(refusal([](RunSpec& s) { s.steering.name = "nobody"; }), HasSubstr("nobody"));
}

}  // namespace
}  // namespace skein
