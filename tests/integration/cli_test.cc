// The skein program from outside: exit codes, streams, what it leaves behind.
#include "integration/program.h"

namespace skein {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kSpec[] =
    "name: small\n"
    "topology: tree:2x2\n"
    "learner: {name: linear}\n"
    "rounds: 2\n"
    "seed: 3\n";

class CliTest : public ProgramTest {
 protected:
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(work_.path())) {
      names.push_back(fs::relative(entry.path(), work_.path()).string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  // Exit code 2, one line on stderr with these words, nothing on stdout, nothing new on disk.
  void ExpectRefused(const std::string& arguments, const std::vector<std::string>& words) {
    SCOPED_TRACE(arguments);
    const auto before = Files();
    const Outcome outcome = Skein(arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    EXPECT_EQ(Files(), before);
  }
  void ExpectSpecRefused(const std::string& spec, const std::vector<std::string>& words) {
    SCOPED_TRACE(spec);
    Write("bad.yaml", spec);
    ExpectRefused("run bad.yaml --out run", words);
  }
};

// ---- usage ----

TEST_F(CliTest, HelpAndVersionGoToStdout) {
  Outcome outcome = Skein("--help");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("run"), HasSubstr("topology"), HasSubstr("worker")));
  EXPECT_EQ(outcome.err, "");
  outcome = Skein("run --help");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, HasSubstr("--processes"));
  outcome = Skein("--version");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, testing::StartsWith("skein "));
}

TEST_F(CliTest, HelpShowsWhatTheOptionShows) {
  EXPECT_EQ(Skein("help").out, Skein("--help").out);
  EXPECT_EQ(Skein("help run").out, Skein("run --help").out);
  EXPECT_EQ(Skein("help topology make random").out, Skein("topology make random --help").out);
  EXPECT_THAT(Skein("help run --man").out, HasSubstr(".TH \"SKEIN\\-RUN\" 1"));
}

TEST_F(CliTest, WrongUsageIsRefused) {
  Write("spec.yaml", kSpec);
  ExpectRefused("", {"--help"});
  ExpectRefused("fly", {"fly", "known: run"});
  ExpectRefused("simulat spec.yaml", {"'simulat'", "did you mean 'simulate'?"});
  ExpectRefused("topology shwo flat:2", {"'shwo'", "did you mean 'show'?"});
  ExpectRefused("run spec.yaml --round 3", {"'--round'", "did you mean '--rounds'?"});
  ExpectRefused("help simulat", {"did you mean 'simulate'?"});
  ExpectRefused("run", {"spec"});
  ExpectRefused("run spec.yaml --wings 2", {"--wings"});
  ExpectRefused("run spec.yaml --threads 0", {"--threads"});
  ExpectRefused("run spec.yaml --set rounds", {"path=value"});
  ExpectRefused("run spec.yaml --out ''", {"--out", "name a directory"});
  ExpectRefused("watch small --from -1", {"--from", "-1 not in range 0 to"});
  ExpectRefused("--log-level loud topology check flat:2", {"loud"});
  ExpectRefused("worker --id w0", {"--control"});
  ExpectRefused("worker --id w0 --control nonsense", {"'nonsense' is no address", "host:port"});
  ExpectRefused("aggregator --id a0 --control 127.0.0.1:1 --out /dev/null/x",
                {"--out: cannot create /dev/null/x: Not a directory"});
  ExpectRefused("worker --id w0 --id 'w 1' --control 127.0.0.1:1", {"--id: 'w 1' contains"});
  ExpectRefused("aggregator --id a0 --control 127.0.0.1:1 --listen 70000", {"'70000'"});
}

// ---- bad specs ----

TEST_F(CliTest, MissingSpecIsRefused) { ExpectRefused("run ghost.yaml", {"ghost.yaml"}); }

TEST_F(CliTest, MalformedYamlIsRefusedWithLineAndColumn) {
  ExpectSpecRefused("name: x\ntopology: [flat:2\n", {"bad.yaml:3:1"});
}

TEST_F(CliTest, UnknownKeyIsRefusedWithTheNearestKnown) {
  ExpectSpecRefused(std::string(kSpec) + "evalute: {}\n",
                    {"bad.yaml:6:1", "evalute", "'evaluate'"});
}

TEST_F(CliTest, WrongTypesAreRefused) {
  ExpectSpecRefused("topology: flat:2\nlearner: linear\nrounds: many\n", {"bad.yaml:3", "rounds"});
  ExpectSpecRefused("topology: flat:2\nlearner: [linear]\n", {"bad.yaml:2", "learner"});
}

TEST_F(CliTest, NegativeAndAbsurdCountsAreRefused) {
  Write("spec.yaml", kSpec);
  ExpectRefused("run spec.yaml --rounds -1", {"rounds"});
  ExpectRefused("run spec.yaml --rounds 0", {"rounds"});
  ExpectRefused("run spec.yaml --rounds 99999999999999999999", {"rounds"});
  ExpectRefused("run spec.yaml --topology flat:0", {"flat:0"});
  ExpectRefused("run spec.yaml --topology flat:-3", {"flat:-3"});
  ExpectRefused("run spec.yaml --topology tree:99999x99999x99999", {"tree:99999x99999x99999"});
}

TEST_F(CliTest, UnknownStrategyOrLearnerIsRefused) {
  ExpectSpecRefused("topology: flat:2\nlearner: linaer\n", {"linaer", "'linear'"});
  ExpectSpecRefused("topology: flat:2\nlearner: linear\nstrategy: {fold: fedavgg}\n",
                    {"fedavgg", "'fedavg'"});
}

TEST_F(CliTest, PartsThatNeedMoreThanTheTreeHasAreRefused) {
  ExpectSpecRefused(
      "topology: flat:2\nlearner: linear\nstrategy: {selector: {name: count, count: 3}}\n",
      {"bad.yaml:3", "selector 'count'", "the tree has 2"});
  ExpectSpecRefused(
      "topology: tree:2x4\nlearner: linear\nstrategy: {policy: {name: quorum, count: 3}}\n",
      {"bad.yaml:3", "tier 0", "'root' has 2", "'tiers'"});
}

// Each at the tier's entry, at the part that a tier inherits, or at the override.
TEST_F(CliTest, WhatDoesNotFitTheTreeIsSaidAtItsPlace) {
  const std::string head = "topology: tree:5x2\nlearner: linear\nstrategy:\n";
  ExpectSpecRefused(head +
                        "  tiers:\n"
                        "    - {tier: 1, fold: fedavg}\n"
                        "    - {tier: 0, fold: {name: trimmed-mean, trim: 3}}\n",
                    {"bad.yaml:6:", "tier 0: fold 'trimmed-mean'"});
  ExpectSpecRefused(head +
                        "  tiers:\n"
                        "    - {tier: 1, fold: fedavg}\n"
                        "  selector: {name: count, count: 3}\n"
                        "  fold: {name: krum, f: 1}\n",
                    {"bad.yaml:7:", "tier 0: fold 'krum' needs 5"});
  ExpectSpecRefused(head +
                        "  policy: every_update\n"
                        "  mixing: models\n"
                        "  fold: signsgd\n",
                    {"bad.yaml:6:", "tier 0: fold 'signsgd'"});
  Write("where.yaml", head + "  selector: {name: where, expression: id == 'w1'}\n");
  ExpectRefused("run where.yaml --set \"strategy.selector.expression=id == 'w99'\"",
                {"--set strategy.selector.expression", "selector 'where'"});
}

TEST_F(CliTest, StrategiesCanBeAskedForByName) {
  const Outcome one = Skein("strategies fedadam");
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.out, AllOf(HasSubstr("optimizer fedadam: "), HasSubstr("(real, 0.1, 1e-09 to "),
                             HasSubstr("(string, \"none\", none|kingma_ba|flower): "),
                             Not(HasSubstr("fedyogi"))));
  EXPECT_THAT(Skein("strategies selector").out,
              AllOf(HasSubstr("selector oort: "), Not(HasSubstr("fold "))));
  ExpectRefused("strategies fedadm", {"'fedadm'", "did you mean 'fedadam'?"});
}

TEST_F(CliTest, BadTreesInASpecAreRefused) {
  const std::string head = "learner: linear\ntopology:\n  nodes:\n";
  const std::string root = "    - {id: r, role: coordinator}\n";
  ExpectSpecRefused(head + root +
                        "    - {id: a, role: aggregator, parent: b}\n"
                        "    - {id: b, role: aggregator, parent: a}\n"
                        "    - {id: w, role: worker, parent: r}\n",
                    {"cycle"});
  ExpectSpecRefused(head + root +
                        "    - {id: w, role: worker, parent: r}\n"
                        "    - {id: v, role: worker, parent: w}\n",
                    {"'w'"});
  ExpectSpecRefused(head + root +
                        "    - {id: w, role: worker, parent: r}\n"
                        "    - {id: w, role: worker, parent: r}\n",
                    {"'w'"});
}

// ---- bad files ----

TEST_F(CliTest, HostileSafetensorsAreRefused) {
  Write("spec.yaml", kSpec);
  const std::string two_to_60("\0\0\0\0\0\0\0\x10", 8);
  Write("huge.safetensors", two_to_60 + "{}");
  ExpectRefused("run spec.yaml --set init=huge.safetensors", {"huge.safetensors"});
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})";
  Write("overlap.safetensors", std::string(1, static_cast<char>(header.size())) +
                                   std::string(7, '\0') + header + std::string(12, '\0'));
  ExpectRefused("run spec.yaml --set init=overlap.safetensors", {"overlap.safetensors"});
  ExpectRefused("run spec.yaml --set init=ghost.safetensors", {"ghost.safetensors"});
}

TEST_F(CliTest, ADirectoryToSpillToThatIsMissingIsRefused) {
  ExpectSpecRefused(
      "topology: flat:2\nlearner: linear\nstrategy: {fold: {name: median, spill_dir: /no/such}}\n",
      {"/no/such", "strategy.fold.spill_dir"});
}

TEST_F(CliTest, ExistingOutputDirectoryIsRefused) {
  Write("spec.yaml", kSpec);
  fs::create_directory(work_ / "run");
  ExpectRefused("run spec.yaml --out run", {"run exists already", "--out"});
  ExpectRefused("run spec.yaml --out run --processes", {"run exists already"});
  ExpectRefused("control --spec spec.yaml --out run", {"run exists already"});
}

// ---- reading commands ----

TEST_F(CliTest, TopologyCheckCountsOrRefuses) {
  Outcome outcome = Skein("topology check tree:2x3");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "tree:2x3: valid, 9 nodes, 6 workers, 3 tiers\n");
  outcome = Skein("topology check tree:2x3 --json");
  EXPECT_EQ(outcome.out, R"({"nodes":9,"tiers":3,"valid":true,"workers":6})"
                         "\n");
  Write("tree.yaml", "nodes:\n  - {id: r, role: coordinator}\n");
  ExpectRefused("topology check tree.yaml", {"'r'"});
  ExpectRefused("topology check ghost.yaml", {"ghost.yaml"});
  outcome = Skein("topology check tree.yaml --json");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.out, testing::StartsWith(R"({"error":)"));
}

TEST_F(CliTest, TopologyShowDrawsAndListsTheTree) {
  Outcome outcome = Skein("topology show tree:2x2 --ascii");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("root"), HasSubstr("a1"), HasSubstr("w3")));
  outcome = Skein("topology show flat:1 --json");
  EXPECT_THAT(outcome.out, HasSubstr(R"("id":"w0")"));
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
}

TEST_F(CliTest, TopologyStatsCountsTheBytesOfARound) {
  Outcome outcome = Skein("topology stats tree:16x16 --params 1000000");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("into the root 128.00 MB, flat 1024.00 MB (-87.5%)"));
  EXPECT_THAT(outcome.out, HasSubstr("(-45.3%)"));
  outcome = Skein("topology stats flat:2 --params 10 --json");
  EXPECT_THAT(outcome.out, HasSubstr(R"("root_bytes_in":80)"));
  ExpectRefused("topology stats flat:2 --params 0", {"--params"});
}

TEST_F(CliTest, TopologyStatsReadAttributesAndSayWhichIsNone) {
  const std::string tree = R"({"nodes":[{"id":"hq","role":"coordinator"},)"
                           R"({"id":"w","role":"worker","parent":"hq","attributes":)";
  Write("tree.json", tree + R"({"region":"eu","bandwidth_mbit":8,"latency_ms":100}}]})");
  Outcome outcome = Skein("topology stats tree.json --params 1000000");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("between regions 8.00 MB, flat 8.00 MB"),
                                 HasSubstr("take 8.600 s by the links' attributes: 4.300 down")));
  EXPECT_THAT(
      Skein("topology stats tree.json --json").out,
      AllOf(HasSubstr("\"transfers_down_s\":4.3,"), HasSubstr("\"between_regions_bytes\":")));
  EXPECT_THAT(Skein("topology stats flat:2").out, Not(HasSubstr("between regions")));
  Write("tree.json", tree + R"({"bandwidth_mbit":"fast"}}]})");
  EXPECT_EQ(Skein("topology check tree.json").code, 0) << "nobody reads it here";
  ExpectRefused("topology stats tree.json",
                {"tree.json: node 'w': attribute 'bandwidth_mbit'", "got \"fast\""});
}

TEST_F(CliTest, TopologyDrawWritesSvgAndDot) {
  Write("tree.yaml",
        "nodes:\n  - {id: r<1, role: coordinator}\n"
        "  - {id: w, role: worker, parent: r<1, attributes: {region: eu}}\n");
  Outcome outcome = Skein("topology draw tree.yaml");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("<svg "));
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("r&lt;1, coordinator"), HasSubstr("region: &quot;eu")));
  EXPECT_EQ(Skein("topology draw tree.yaml -o tree.svg").out, "");
  EXPECT_EQ(ReadAll(work_ / "tree.svg"), outcome.out);
  outcome = Skein("topology draw tree.yaml --format dot");
  EXPECT_THAT(outcome.out, HasSubstr("\"r<1\" -> \"w\";"));
  ExpectRefused("topology draw tree.yaml -o no/such/tree.svg", {"no/such/tree.svg"});
}

TEST_F(CliTest, TopologyMakeWritesFilesThatAreReadAgain) {
  EXPECT_EQ(Skein("topology make balanced --workers 100 --max-children 8 -o tree.yaml").code, 0);
  EXPECT_EQ(Skein("topology check tree.yaml").out,
            "tree.yaml: valid, 116 nodes, 100 workers, 4 tiers\n");
  const Outcome random = Skein("topology make random --workers 30 --seed 5");
  EXPECT_EQ(random.code, 0) << random.err;
  EXPECT_EQ(random.out, Skein("topology make random --workers 30 --seed 5").out);
  Write("edges.csv", "parent,child\nhq,berlin\nberlin,lab-1\nberlin,lab-2\n");
  const Outcome edges = Skein("topology make edges edges.csv");
  Write("made.yaml", edges.out);
  EXPECT_EQ(Skein("topology check made.yaml").out,
            "made.yaml: valid, 4 nodes, 2 workers, 3 tiers\n");
  Write("bad.csv", "parent,child\na,b\nc\n");
  ExpectRefused("topology make edges bad.csv", {"bad.csv:3", "parent,child"});
  ExpectRefused("topology make edges ghost.csv", {"ghost.csv"});
  ExpectRefused("topology make random --workers 100 --max-tiers 2", {"do not fit"});
}

TEST_F(CliTest, ATreeIsSuggestedForRegions) {
  const std::string header =
      "region,workers,uplink_mbit,uplink_latency_ms,local_mbit,local_latency_ms\n";
  Write("regions.csv", header + "eu,40,100,20,1000,1\nus,24,100,80,1000,1\n");
  const Outcome outcome =
      Skein("topology make suggested regions.csv --params 12500000 -o tree.yaml");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("no aggregators"), HasSubstr(" s  <-")));
  EXPECT_THAT(Skein("topology show tree.yaml").out,
              AllOf(HasSubstr("eu.a0  aggregator"), HasSubstr("us.w23"), HasSubstr("region=us")));
  Write("bad.csv", header + "eu,40,fast,20,1000,1\n");
  ExpectRefused("topology make suggested bad.csv", {"bad.csv:2", "'fast'"});
  Write("none.csv", header + "eu,0,1,20,1000,1\n");
  ExpectRefused("topology make suggested none.csv", {"'eu'", "no workers"});
}

TEST_F(CliTest, DoctorLooksAtTheMachine) {
  Outcome outcome = Skein("doctor");
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("libtorch"), HasSubstr("BLAS"), HasSubstr("ports")));
  outcome = Skein("doctor --json");
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
  EXPECT_THAT(outcome.out, HasSubstr(R"("verdict":"ok")"));
}

TEST_F(CliTest, StrategiesListsPartsWithParameters) {
  const Outcome outcome = Skein("strategies");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("fold fedavg"), HasSubstr("policy quorum")));
  EXPECT_THAT(Skein("strategies --json").out, HasSubstr(R"("name":"fedavg")"));
}

// ---- runs ----

TEST_F(CliTest, ARunWritesItsDirectoryAndShowsItsRounds) {
  Write("spec.yaml", kSpec);
  const Outcome outcome = Skein("run spec.yaml --out run");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("round 1/2 ["), HasSubstr("round 2/2 ["),
                                 HasSubstr("4/4 workers"), HasSubstr("completed"),
                                 HasSubstr("a two-tier root would see"), Not(HasSubstr("\r"))));
  for (const char* file :
       {"spec.yaml", "events.jsonl", "rounds.csv", "model.safetensors", "result.json"}) {
    EXPECT_TRUE(fs::exists(work_ / (std::string("run/") + file))) << file;
  }
}

TEST_F(CliTest, JsonIsOneDocumentEqualToTheResult) {
  Write("spec.yaml", kSpec);
  const Outcome outcome = Skein("run spec.yaml --out run --json --threads 1");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, ReadAll(work_ / "run/result.json"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("status":"completed")"));
}

TEST_F(CliTest, OutputThatIsLostIsAFailure) {
  const Outcome outcome = Skein("strategies --json >/dev/full");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("stdout"));
}

TEST_F(CliTest, TheLargestSeedIsShownAsItIs) {
  Write("spec.yaml", kSpec);
  const Outcome outcome = Skein("run spec.yaml --out run --seed 18446744073709551615");
  EXPECT_THAT(outcome.out, HasSubstr("seed 18446744073709551615\n"));
  EXPECT_THAT(ReadAll(work_ / "run/events.jsonl"), HasSubstr("18446744073709551615"));
}

TEST_F(CliTest, QuietSaysNothing) {
  Write("spec.yaml", kSpec);
  const Outcome outcome = Skein("run spec.yaml --out run --quiet");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(CliTest, TheDefaultDirectoryIsUnderRuns) {
  Write("spec.yaml", kSpec);
  EXPECT_EQ(Skein("run spec.yaml --quiet").code, 0);
  EXPECT_THAT(Files(), testing::Contains(testing::StartsWith("runs/small-")));
}

TEST_F(CliTest, TheResolvedSpecRunsAgainToTheSameModel) {
  Write("spec.yaml", kSpec);
  ASSERT_EQ(Skein("run spec.yaml --out one --quiet").code, 0);
  ASSERT_EQ(Skein("run one/spec.yaml --out two --quiet").code, 0);
  EXPECT_EQ(ReadAll(work_ / "one/model.safetensors"), ReadAll(work_ / "two/model.safetensors"));
  EXPECT_EQ(ReadAll(work_ / "one/spec.yaml"), ReadAll(work_ / "two/spec.yaml"));
}

TEST_F(CliTest, AFailedRunExitsWithOneAndKeepsItsDirectory) {
  Write("spec.yaml",
        "topology: flat:2\nrounds: 2\nlearner: {name: echo, params: {fail_leaf: 1}}\n");
  const Outcome outcome = Skein("run spec.yaml --out run --quiet --log-level off");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("w1"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(ReadAll(work_ / "run/result.json"), HasSubstr(R"("status":"failed")"));
}

TEST_F(CliTest, ASignalStopsARunThatIsRecorded) {
  Write("spec.yaml",
        "topology: flat:2\nrounds: 100000\nlearner: {name: echo, params: {delay_s: 0.05}}\n");
  for (const int signal : {SIGINT, SIGHUP}) {
    fs::remove_all(work_ / "run");
    const pid_t run = StartRun();
    ASSERT_NE(WaitForEvent(run, {"round_committed"}), "");
    kill(run, signal);
    EXPECT_EQ(WaitForEnd(run), 1);
    EXPECT_THAT(ReadAll(work_ / "run/result.json"), HasSubstr(R"("status":"stopped")"));
  }
}

TEST_F(CliTest, ProcessesMakeTheSameModelAsOneProcess) {
  Write("spec.yaml", kSpec);
  ASSERT_EQ(Skein("run spec.yaml --out one --quiet").code, 0);
  const Outcome outcome = Skein("run spec.yaml --out many --processes");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("round 2/2 ["), HasSubstr("completed")));
  EXPECT_EQ(ReadAll(work_ / "one/model.safetensors"), ReadAll(work_ / "many/model.safetensors"));
  EXPECT_THAT(ReadAll(work_ / "many/events.jsonl"), HasSubstr("\"pid\":"));
  for (const char* node : {"root", "a0", "a1", "w0", "w1", "w2", "w3"}) {
    EXPECT_TRUE(fs::exists(work_ / (std::string("many/logs/") + node + ".log"))) << node;
  }
}

TEST_F(CliTest, WorkersThatShareAProcessMakeTheSameModel) {
  Write("spec.yaml", kSpec);
  ASSERT_EQ(Skein("run spec.yaml --out one --quiet").code, 0);
  const Outcome outcome =
      Skein("run spec.yaml --out many --quiet --processes --workers-per-process 3");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(ReadAll(work_ / "one/model.safetensors"), ReadAll(work_ / "many/model.safetensors"));
  EXPECT_TRUE(fs::exists(work_ / "many/logs/w0.log"));
  EXPECT_FALSE(fs::exists(work_ / "many/logs/w1.log"));
  EXPECT_TRUE(fs::exists(work_ / "many/logs/w3.log"));
}

// The process of `skein control` that the launcher has started; 0 if there is none.
pid_t ControlOf(pid_t launcher) {
  const std::string directory = "/proc/" + std::to_string(launcher) + "/task/";
  std::istringstream children(ReadAll(directory + std::to_string(launcher) + "/children"));
  for (pid_t child = 0; children >> child;) {
    const std::string command = ReadAll("/proc/" + std::to_string(child) + "/cmdline");
    if (command.find(std::string("\0control\0", 9)) != std::string::npos) return child;
  }
  return 0;
}

TEST_F(CliTest, AControlPlaneThatIsFrozenDoesNotHoldUpAStop) {
  Write("spec.yaml",
        "topology: flat:2\nrounds: 100000\nlimits: {cancel_grace_s: 0.1}\n"
        "learner: {name: echo, params: {delay_s: 0.05}}\n");
  const pid_t run = StartRun({"--processes", "--log-level", "off"});
  ASSERT_NE(WaitForEvent(run, {"round_committed"}), "");
  const pid_t control = ControlOf(run);
  ASSERT_NE(control, 0);
  kill(control, SIGSTOP);
  kill(run, SIGTERM);
  EXPECT_EQ(WaitForEnd(run), 1);
  EXPECT_NE(kill(control, 0), 0);
}

TEST_F(CliTest, ALimitOnOpenFilesThatIsTooLowIsRefused) {
  Write("spec.yaml", "topology: flat:50\nlearner: echo\nrounds: 1\n");
  const std::string program = " '" SKEIN_PROGRAM "' ";
  const Outcome run =
      Run("/usr/bin/prlimit", "--nofile=100" + program + "run spec.yaml --processes --out run");
  EXPECT_EQ(run.code, 2);
  EXPECT_EQ(run.err,
            "skein: the control plane needs 115 open files, the limit is 100; raise it (ulimit "
            "-n, or LimitNOFILE of the service)\n");
  EXPECT_FALSE(fs::exists(work_ / "run"));
  const Outcome worker =
      Run("/usr/bin/prlimit", "--nofile=20" + program + "worker --control=127.0.0.1:1 --id=w0");
  EXPECT_EQ(worker.code, 2);
  EXPECT_THAT(worker.err, HasSubstr("a node needs 65 open files, the limit is 20"));
  const Outcome few = Run("/usr/bin/prlimit", "--nofile=8" + program + "ls --control 127.0.0.1:1");
  EXPECT_EQ(few.code, 2);
  EXPECT_THAT(few.err, HasSubstr("skein needs 16 open files, the limit is 8; raise it"));
  const Outcome bench = Run(
      "/usr/bin/prlimit", "--nofile=100" + program + "bench round --topology flat:50 --params 10");
  EXPECT_EQ(bench.code, 2);
  EXPECT_EQ(bench.out, "");
}

TEST_F(CliTest, TheLimitOnOpenFilesIsRaisedAsFarAsItMayBe) {
  Write("spec.yaml", kSpec);
  const Outcome outcome = Run("/usr/bin/prlimit", "--nofile=20:4096 '" SKEIN_PROGRAM
                                                  "' run spec.yaml --processes --quiet --out run");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

// ---- bench ----

TEST_F(CliTest, BenchRoundMeasuresARealFederation) {
  const Outcome outcome = Skein(
      "bench round --topology tree:2x2 --params 1000 --rounds 2 --workers-per-process 2 --json");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  for (const char* part :
       {"\"ok\":true", "\"workers_connected\":4", "\"rounds\":2", "\"median_round_s\":",
        "\"startup_s\":", "\"goodput_gb_per_s\":", "\"raw_tcp_gb_per_s\":", "\"memcpy_gb_per_s\":",
        "\"coordinator_peak_rss_mib\":", "\"coordinator_idle_rss_mib\":", "\"root_bytes_in\":",
        "\"total_bytes\":", "\"bytes\":[{\"down\":", "\"total_peak_rss_mib\":", "\"control\":{"}) {
    EXPECT_THAT(outcome.out, HasSubstr(part));
  }
  EXPECT_THAT(outcome.out, HasSubstr("\"tier\":1,"));
  // Nothing that has to be measured is zero.
  EXPECT_THAT(outcome.out, Not(HasSubstr("_s\":0,")));
  EXPECT_THAT(outcome.out, Not(HasSubstr("mib\":0,")));
}

// The number behind "key": in a JSON document.
double NumberIn(const std::string& json, const std::string& key) {
  const size_t at = json.find("\"" + key + "\":");
  return at == std::string::npos ? -1 : std::stod(json.substr(at + key.size() + 3));
}

TEST_F(CliTest, ACoordinatorHoldsFiveModelsAtMostHoweverManyItsChildrenAre) {
  constexpr double kModelMib = 20e6 * sizeof(float) / (1 << 20);
  for (const char* children : {"2", "12"}) {
    const Outcome outcome = Skein("bench round --topology flat:" + std::string(children) +
                                  " --params 20000000 --rounds 2 --json");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const double above_idle = NumberIn(outcome.out, "coordinator_peak_rss_mib") -
                              NumberIn(outcome.out, "coordinator_idle_rss_mib");
    if (kMeasuresMemory) {
      EXPECT_LE(above_idle, 5 * kModelMib) << children << " children";
    }
    EXPECT_GE(above_idle, 2 * kModelMib) << "the sums alone are as large";
  }
}

TEST_F(CliTest, BenchRoundSpeaksToPeopleAndRefusesNonsense) {
  Write("two.yaml",
        "nodes:\n"
        "  - {id: hq, role: coordinator}\n"
        "  - {id: left, role: worker, parent: hq}\n"
        "  - {id: right, role: worker, parent: hq}\n");
  const Outcome outcome =
      Skein("bench round --topology two.yaml --params 10 --rounds 1 --out kept");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("2 workers"), HasSubstr("plain TCP socket")));
  EXPECT_TRUE(fs::exists(work_ / "kept/result.json"));
  ExpectRefused("bench round --topology tree:0x2", {"tree:0x2"});
  ExpectRefused("bench round --params 0", {"--params"});
  ExpectRefused("bench round --params 10000000001", {"--params", "10000000000"});
  ExpectRefused("bench round --topology flat:2 --out kept", {"exists"});
  const Outcome nowhere = Run("/usr/bin/env", "TMPDIR=/nowhere '" SKEIN_PROGRAM "' bench round");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_THAT(nowhere.err, HasSubstr("TMPDIR=/nowhere: "));
  EXPECT_THAT(nowhere.err, HasSubstr("; set TMPDIR to a directory for temporary files\n"));
}

}  // namespace
}  // namespace skein
