// `skein sweep` from outside: what it runs, what it leaves, and how it goes on.
#include "integration/program.h"

namespace skein {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kSpec[] =
    "name: small\n"
    "topology: flat:2\n"
    "learner: {name: linear}\n"
    "rounds: 2\n";

class SweepTest : public ProgramTest {
 protected:
  // The names in a directory of the working directory.
  std::vector<std::string> Names(const std::string& directory) const {
    std::vector<std::string> names;
    if (!fs::exists(work_ / directory)) return names;
    for (const auto& entry : fs::directory_iterator(work_ / directory)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  // Exit code 2, one line on stderr with these words, nothing on stdout, nothing new on disk.
  void ExpectRefused(const std::string& arguments, const std::vector<std::string>& words) {
    SCOPED_TRACE(arguments);
    const auto before = Names(".");
    const Outcome outcome = Skein("sweep " + arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    EXPECT_EQ(Names("."), before);
  }
  pid_t Start(std::vector<std::string> words) {
    words.insert(words.begin(), {"sweep", work_ / "spec.yaml"});
    return ProgramTest::Start(std::move(words));
  }
  // Waits until a file has `words`, or the process has ended.
  bool WaitForWords(pid_t pid, const std::string& file, const std::string& words) {
    while (ReadAll(work_ / file).find(words) == std::string::npos) {
      siginfo_t info{};
      if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
          info.si_pid != 0) {
        return false;
      }
      std::this_thread::yield();
    }
    return true;
  }
};

TEST_F(SweepTest, RunsEveryPointAsRunWouldWithItsValues) {
  Write("spec.yaml", kSpec);
  const Outcome outcome =
      Skein("sweep spec.yaml --grid learner.params.lr=0.1,0.2 seed=1,2 --out sweep");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_THAT(outcome.out, AllOf(StartsWith("[1/4] lr=0.1,seed=1\n"), HasSubstr("round 2/2 ["),
                                 HasSubstr("\nlr   seed  status     rounds "),
                                 HasSubstr("4 of 4 points completed; sweep/sweep.csv\n")));
  EXPECT_THAT(Names("sweep"), ElementsAre("lr=0.1,seed=1", "lr=0.1,seed=2", "lr=0.2,seed=1",
                                          "lr=0.2,seed=2", "sweep.csv", "sweep.json"));
  ASSERT_EQ(Skein("run spec.yaml --set learner.params.lr=0.2 --set seed=1 --out run --quiet").code,
            0);
  EXPECT_EQ(ReadAll(work_ / "sweep/lr=0.2,seed=1/model.safetensors"),
            ReadAll(work_ / "run/model.safetensors"));
  EXPECT_EQ(ReadAll(work_ / "sweep/lr=0.2,seed=1/spec.yaml"), ReadAll(work_ / "run/spec.yaml"));
  EXPECT_NE(ReadAll(work_ / "sweep/lr=0.1,seed=1/model.safetensors"),
            ReadAll(work_ / "run/model.safetensors"));
}

TEST_F(SweepTest, TheTableHasWhatTheResultsSay) {
  Write("spec.yaml", kSpec);
  const Outcome outcome = Skein(
      "sweep spec.yaml --grid 'strategy.policy=all,{name: quorum, count: 1, deadline_s: 60}' "
      "--rounds 1 --json --out sweep");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 1);
  const std::string result = ReadAll(work_ / "sweep/policy=all/result.json");
  const size_t at = result.find(R"("model_digest":")") + 16;
  const std::string digest = result.substr(at, 64);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("\"digest\":\"" + digest + "\""),
                    HasSubstr(R"("status":"completed")"), HasSubstr(R"("name":"quorum")")));
  EXPECT_THAT(ReadAll(work_ / "sweep/sweep.csv"),
              AllOf(StartsWith("point,strategy.policy,status,rounds,loss,accuracy,wall_s,digest,"),
                    HasSubstr("\npolicy=all,all,completed,1,"), HasSubstr(digest)));
}

TEST_F(SweepTest, TheDefaultDirectoryIsUnderRunsAndResumeFindsIt) {
  Write("spec.yaml", kSpec);
  EXPECT_EQ(Skein("sweep spec.yaml --grid seed=1 --quiet").code, 0);
  ASSERT_EQ(Names("runs").size(), 1u);
  EXPECT_THAT(Names("runs")[0], StartsWith("small-sweep-"));
  const Outcome outcome = Skein("sweep spec.yaml --grid seed=1 --resume");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("1 of 1 points completed"), Not(HasSubstr("round 1/"))));
}

TEST_F(SweepTest, ABadPointIsRefusedBeforeAnythingRuns) {
  Write("spec.yaml", kSpec);
  ExpectRefused("spec.yaml", {"--grid"});
  ExpectRefused("spec.yaml --grid seed", {"path=value"});
  ExpectRefused("spec.yaml --grid rounds=1,2,many", {"rounds=many: ", "'many'"});
  ExpectRefused("spec.yaml --grid learner.params.lrr=1,2", {"lrr"});
  ExpectRefused("spec.yaml --grid init=null,ghost.safetensors", {"ghost.safetensors"});
  ExpectRefused("spec.yaml --grid topology=flat:2,tree:2x2,flat:0", {"flat:0"});
  ExpectRefused("spec.yaml --grid seed=1,2 --seed 3", {"--seed", "--grid"});
  ExpectRefused("ghost.yaml --grid seed=1,2", {"ghost.yaml"});
  ExpectRefused("spec.yaml --grid seed=1 --resume", {"no sweep runs/small-sweep-"});
  ExpectRefused("spec.yaml --grid seed=1 --resume --out sweep", {"sweep has no sweep"});
  fs::create_directory(work_ / "taken");
  ExpectRefused("spec.yaml --grid seed=1 --out taken", {"taken exists already"});
}

TEST_F(SweepTest, APointThatFailsDoesNotStopTheOthers) {
  Write("spec.yaml",
        "topology: flat:2\nrounds: 1\nlearner: {name: echo, params: {fail_leaf: -1}}\n");
  const std::string command =
      "sweep spec.yaml --grid learner.params.fail_leaf=-1,1,5 --out sweep --log-level off";
  Outcome outcome = Skein(command + " --quiet");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("fail_leaf=1: run failed: "), HasSubstr("w1"),
                                 HasSubstr("--resume --out sweep")));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 2) << outcome.err;
  EXPECT_THAT(outcome.out, AllOf(HasSubstr("\n1          failed"), HasSubstr("\n5          compl"),
                                 HasSubstr("2 of 3 points completed")));
  // Again: the one that failed, in a fresh directory; the old one is kept.
  const auto written = fs::last_write_time(work_ / "sweep/fail_leaf=5/result.json");
  ExpectRefused("spec.yaml --grid learner.params.fail_leaf=-1,1,5 --out sweep", {"--resume"});
  outcome = Skein(command + " --resume");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, AllOf(StartsWith("[2/3] fail_leaf=1\n"), Not(HasSubstr("[1/3]")),
                                 Not(HasSubstr("[3/3]")), HasSubstr("2 of 3 points completed")));
  EXPECT_THAT(ReadAll(work_ / "sweep/.earlier/fail_leaf=1~1/result.json"), HasSubstr("failed"));
  EXPECT_THAT(ReadAll(work_ / "sweep/fail_leaf=1/result.json"), HasSubstr("failed"));
  EXPECT_EQ(fs::last_write_time(work_ / "sweep/fail_leaf=5/result.json"), written);
  // A pattern for all points has each of them once.
  std::vector<std::string> listed = Names("sweep");
  std::erase_if(listed, [](const std::string& name) { return name[0] == '.'; });
  EXPECT_THAT(listed,
              ElementsAre("fail_leaf=-1", "fail_leaf=1", "fail_leaf=5", "sweep.csv", "sweep.json"));
}

TEST_F(SweepTest, ResumeRefusesAnotherSweep) {
  Write("spec.yaml", kSpec);
  ASSERT_EQ(Skein("sweep spec.yaml --grid seed=1,2 --out sweep --quiet").code, 0);
  ExpectRefused("spec.yaml --grid seed=1,2,3 --out sweep --resume", {"another grid"});
  ExpectRefused("spec.yaml --grid seed=1,2 --rounds 9 --out sweep --resume",
                {"another spec", "'seed=1'"});
  Write("spec.yaml", std::string(kSpec) + "evaluate: {every: 2}\n");
  ExpectRefused("spec.yaml --grid seed=1,2 --out sweep --resume", {"another spec", "'seed=1'"});
}

TEST_F(SweepTest, ASignalStopsItRecordedAndResumeGoesOn) {
  Write("spec.yaml",
        "topology: flat:2\nrounds: 3\nlearner: {name: echo, params: {delay_s: 0.001}}\n");
  // The second point would take hours.
  const std::vector<std::string> words = {"--grid", "rounds=2,1000000", "--grid", "seed=1,2",
                                          "--out",  work_ / "sweep",    "--quiet"};
  const pid_t pid = Start(words);
  ASSERT_TRUE(WaitForWords(pid, "sweep/rounds=1000000,seed=1/events.jsonl", "round_committed"));
  kill(pid, SIGINT);
  EXPECT_EQ(WaitForEnd(pid), 1);
  EXPECT_THAT(ReadAll(work_ / "sweep/rounds=1000000,seed=1/result.json"),
              HasSubstr(R"("status":"stopped")"));
  EXPECT_THAT(ReadAll(work_ / "sweep/sweep.csv"),
              AllOf(HasSubstr("seed=2\",2,2,completed"), HasSubstr("seed=1\",1000000,1,stopped"),
                    HasSubstr("seed=2\",1000000,2,pending")));
  EXPECT_FALSE(fs::exists(work_ / "sweep/rounds=1000000,seed=2"));
}

TEST_F(SweepTest, APointThatWasCutRunsAgain) {
  Write("spec.yaml",
        "topology: flat:2\nrounds: 3\nlearner: {name: echo, params: {delay_s: 0.001}}\n");
  const std::vector<std::string> words = {"--grid", "rounds=2,300", "--out", work_ / "sweep",
                                          "--quiet"};
  const pid_t pid = Start(words);
  ASSERT_TRUE(WaitForWords(pid, "sweep/rounds=300/events.jsonl", "round_committed"));
  kill(pid, SIGKILL);
  EXPECT_EQ(WaitForEnd(pid), -1);
  const Outcome outcome =
      Skein("sweep spec.yaml --grid rounds=2,300 --out '" + (work_ / "sweep") + "' --resume");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out,
              AllOf(StartsWith("[2/2] rounds=300\n"), HasSubstr("2 of 2 points completed")));
  EXPECT_TRUE(fs::exists(work_ / "sweep/.earlier/rounds=300~1/events.jsonl"));
}

}  // namespace
}  // namespace skein
