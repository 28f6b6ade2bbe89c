// A control plane that stays, nodes that stay, and runs that come and go.
#include "integration/standing_control.h"

#include <sys/resource.h>

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kSpec[] =
    "name: night\ntopology: flat:2\nlearner: linear\nrounds: 3\nseed: 7\n"
    "limits: {heartbeat_interval_s: 0.2, heartbeat_timeout_s: 5}\n";
// A run that goes on until it is stopped.
constexpr char kLong[] = " --set name=long --rounds 100000";

int CountOf(const std::string& text, const std::string& part) {
  int count = 0;
  for (size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(StandingControlTest, TwoRunsAtOnceMakeTheModelsThatTheyMakeAlone) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartAggregator("root", "127.0.0.1:" + FreePort());  // one port for both
  const std::string first = Submit("spec.yaml --seed 7");
  const std::string second = Submit(
      "spec.yaml --seed 8 --set name=n\xc3\xa4"
      "chte+1");
  StartWorker("w0");
  Await(first, "waiting", "waits for 1 of 3 nodes: w1");
  StartWorker("w1");
  for (const std::string& run : {first, second}) {
    EXPECT_EQ(Skein("watch " + run).code, 0);
    EXPECT_EQ(Await(run, "completed").record.rounds, 3u);
  }
  EXPECT_EQ(Skein("run spec.yaml --seed 7 --quiet --out one").code, 0);
  EXPECT_EQ(Skein("run spec.yaml --seed 8 --quiet --out two").code, 0);
  EXPECT_EQ(FileOf(first, "model.safetensors"), ReadAll(work_ / "one/model.safetensors"));
  EXPECT_EQ(FileOf(second, "model.safetensors"), ReadAll(work_ / "two/model.safetensors"));
  EXPECT_THAT(FileOf(first, "result.json"), HasSubstr("\"completed\""));
  EXPECT_EQ(End(control_, SIGTERM), 0);
}

TEST_F(StandingControlTest, SideBySideIsAtTheSameTime) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartNodes();
  const std::string first = Submit("spec.yaml" + std::string(kLong));
  const std::string second = Submit("spec.yaml" + std::string(kLong));
  Await(first, "running");
  Await(second, "running");
  Await(first, "running");
  EXPECT_EQ(Skein("stop " + first).code, 0);
  Await(first, "stopped", "stopped on request");
  Await(second, "running");
  // "long" is the newest of that name.
  EXPECT_THAT(Skein("stop long").out, HasSubstr(second));
  Await(second, "stopped");
  const Outcome again = Skein("stop long");
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.err, HasSubstr("is over: it has stopped"));
}

TEST_F(StandingControlTest, QuotasMakeRunsWaitOrRefuseThem) {
  Write("spec.yaml", kSpec);
  StartControl({"--max-runs", "1", "--max-nodes", "3"});
  StartNodes();
  const Outcome large = Skein("submit spec.yaml --topology flat:3");
  EXPECT_EQ(large.code, 1);
  EXPECT_THAT(large.err, AllOf(HasSubstr("4 nodes"), HasSubstr("--max-nodes")));
  const std::string first = Submit("spec.yaml" + std::string(kLong));
  Await(first, "running");
  const std::string second = Submit("spec.yaml");
  const std::string third = Submit("spec.yaml");
  Await(second, "waiting", "waits until one of 1 runs has ended");
  EXPECT_EQ(Skein("stop " + third).code, 0);
  Await(third, "stopped", "taken from the queue");
  Skein("stop " + first);
  EXPECT_EQ(Skein("watch " + second).code, 0);
  // And who watches what was never begun is told.
  EXPECT_EQ(Skein("watch " + third).code, 1);
}

TEST_F(StandingControlTest, WhoeverWatchesLateSeesEveryRoundOnce) {
  Write("spec.yaml", kSpec);
  StartControl();
  const std::string run = Submit("spec.yaml");
  const pid_t early = Start("early", {"watch", "night", "--json", "--control", control_at_});
  StartNodes();
  EXPECT_EQ(End(early), 0);
  const std::string events = FileOf(run, "events.jsonl");
  EXPECT_EQ(ReadAll(work_ / "early.out"), events);
  EXPECT_EQ(CountOf(events, "\"round_committed\""), 3);
  EXPECT_EQ(Skein("watch night --json").out, events);
  // Detached after some lines, and attached again.
  const size_t begin = events.find('\n', events.find('\n') + 1) + 1;
  EXPECT_EQ(Skein("watch night --json --from 2").out, events.substr(begin));
  EXPECT_THAT(Skein("watch night --from 2").out,
              AllOf(HasSubstr("round 3/3"), Not(HasSubstr("/0 "))));
  const Outcome shown = Skein("watch night");
  EXPECT_EQ(CountOf(shown.out, "round 2/3"), 1);
  EXPECT_THAT(shown.out, AllOf(HasSubstr(run), HasSubstr("completed")));
  EXPECT_EQ(CountOf(Skein("logs night --event round_committed").out, "\n"), 3);
  EXPECT_THAT(Skein("logs night --node w1").out, Not(HasSubstr("w0")));
}

TEST_F(StandingControlTest, AWatcherComesBackToAControlPlaneThatWasAway) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartNodes();
  const std::string run = Submit("spec.yaml" + std::string(kLong));
  Await(run, "running");
  const pid_t watcher = Start("watcher", {"watch", run, "--json", "--control", control_at_});
  while (ReadAll(work_ / "watcher.out").find("round_committed") == std::string::npos) {
    std::this_thread::yield();
  }
  const pid_t leaver = Start("leaver", {"watch", run, "--json", "--control", control_at_});
  while (ReadAll(work_ / "leaver.out").empty()) std::this_thread::yield();
  EXPECT_EQ(End(leaver, SIGINT), 130);
  End(control_, SIGKILL);
  StartControl();
  EXPECT_EQ(End(watcher), 1);
  EXPECT_THAT(ReadAll(work_ / "watcher.err"), HasSubstr("the control plane ended while"));
  const std::string seen = ReadAll(work_ / "watcher.out");
  EXPECT_EQ(seen, FileOf(run, "events.jsonl").substr(0, seen.size()));
  // What was committed until then stands in its result, and in the list.
  EXPECT_THAT(FileOf(run, "result.json"),
              AllOf(HasSubstr(R"("status":"failed")"), HasSubstr("the control plane ended while"),
                    Not(HasSubstr(R"("rounds":0)"))));
  EXPECT_THAT(Skein("ls --json").out, Not(HasSubstr(R"("rounds":0)")));
}

TEST_F(StandingControlTest, WhatWaitsSurvivesItsControlPlane) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartNodes();
  const std::string running = Submit("spec.yaml" + std::string(kLong));
  Await(running, "running");
  const std::string waiting = Submit("spec.yaml --topology flat:3");
  End(control_, SIGKILL);
  StartControl();
  Await(running, "failed", "the control plane ended while");
  Await(waiting, "waiting",
        "waits for 1 of 4 nodes: w2");  // the nodes have come back by themselves
  StartWorker("w2");
  EXPECT_EQ(Skein("watch " + waiting).code, 0);
}

// It may die when a run has ended and its list does not say so yet.
TEST_F(StandingControlTest, ARunThatHadEndedIsWhatItsResultSays) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartNodes();
  const std::string run = Submit("spec.yaml");
  const RunInfo before = Await(run, "completed");
  EXPECT_EQ(End(control_, SIGTERM), 0);
  {
    const auto store = OpenSqliteStore(work_ / "ctl/control.db").value();
    SubmissionRecord record = store->Submissions().value().at(0);
    record.status = "running";
    record.rounds = 0;
    record.model_digest = record.ended = "";
    ASSERT_TRUE(store->PutSubmission(record).ok());
  }
  StartControl();
  const RunInfo after = Await(run, "completed");
  EXPECT_EQ(after.record.rounds, 3u);
  EXPECT_EQ(after.record.model_digest, before.record.model_digest);
}

TEST_F(StandingControlTest, StoppedItEndsItsRunsAndKeepsItsQueue) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartNodes();
  const std::string running = Submit("spec.yaml" + std::string(kLong));
  Await(running, "running");
  const std::string waiting = Submit("spec.yaml --topology flat:3");
  EXPECT_EQ(End(control_, SIGTERM), 0);
  EXPECT_THAT(FileOf(running, "result.json"), HasSubstr("\"stopped\""));
  StartControl();
  Await(running, "stopped");
  Await(waiting, "waiting");
}

TEST_F(StandingControlTest, ANodeThatComesBackJoinsItsRunAgain) {
  Write("spec.yaml",
        std::string(kSpec) + "strategy: {policy: {name: quorum, count: 1, deadline_s: 0.5}}\n");
  StartControl();
  StartAggregator("root");
  StartWorker("w0");
  const pid_t worker = StartWorker("w1");
  const std::string run = Submit("spec.yaml" + std::string(kLong));
  Await(run, "running");
  End(worker, SIGKILL);
  const auto told = [&](const std::string& event) {
    int count = 0;
    std::istringstream lines(FileOf(run, "events.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      count += CountOf(line, "\"node\":\"w1\"") > 0 && CountOf(line, event) > 0;
    }
    return count;
  };
  while (told("node_lost") < 1) std::this_thread::yield();
  StartWorker("w1");
  while (told("node_started") < 2) std::this_thread::yield();
  Skein("stop " + run);
  Await(run, "stopped");
}

TEST_F(StandingControlTest, TellsWhatIsWrong) {
  Write("spec.yaml", kSpec);
  const Outcome nobody = Skein("ls --control 127.0.0.1:1");
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("127.0.0.1:1 cannot be reached"));
  EXPECT_EQ(Skein("ls --control nowhere").code, 2);
  EXPECT_EQ(Skein("control --rounds 3").code, 2);
  EXPECT_THAT(Skein("control --rounds 3").err, HasSubstr("name it with --spec"));
  EXPECT_THAT(Skein("control --listen 0.0.0.0:0").err, HasSubstr("--insecure"));
  StartControl();
  EXPECT_THAT(Skein("control --dir ctl --listen 127.0.0.1:0").err,
              HasSubstr("another control plane works in"));
  EXPECT_THAT(Skein("watch nothing").err, HasSubstr("there is no run 'nothing'; see skein ls"));
  EXPECT_EQ(Skein("submit spec.yaml --rounds 0").code, 2);
  StartWorker("w0");
  Await(Submit("spec.yaml"), "waiting", "waits for 2 of 3 nodes: root, w1");
  const Outcome second = Skein("worker --id w0 --control " + control_at_);
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("'w0' is here already"));
  EXPECT_THAT(Skein("ls --json").out,
              AllOf(HasSubstr("\"status\":\"waiting\""), HasSubstr("\"nodes\":3")));
}

TEST_F(StandingControlTest, ANodeThatIsHereInAnotherRoleIsTold) {
  Write("spec.yaml", kSpec);
  StartControl();
  StartWorker("root");
  StartWorker("w0");
  const std::string run = Submit("spec.yaml");
  Await(run, "waiting", "root (is here as worker; start it with skein aggregator)");
  while (ReadAll(work_ / "root.err").find("start it with") == std::string::npos) {
    std::this_thread::yield();
  }
  EXPECT_THAT(ReadAll(work_ / "root.err"),
              HasSubstr("run " + run + " has node root as coordinator, and it is here as worker: " +
                        "start it with skein aggregator"));
  EXPECT_THAT(ReadAll(work_ / "w0.err"), Not(HasSubstr("start it with")));
}

// gRPC by itself would take no connection any more, for good.
TEST_F(StandingControlTest, WhenThereAreDescriptorsAgainItTakesConnectionsAgain) {
  StartControl();
  const rlimit few = {60, 60};
  ASSERT_EQ(prlimit(control_, RLIMIT_NOFILE, &few, nullptr), 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port =
      htons(static_cast<uint16_t>(std::stoi(control_at_.substr(control_at_.find(':') + 1))));
  std::vector<int> sockets;
  for (int i = 0; i < 80; ++i) {
    sockets.push_back(socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(connect(sockets.back(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  while (ReadAll(work_ / "control.err").find("the limit is 60 open files") == std::string::npos) {
    std::this_thread::yield();
  }
  for (const int fd : sockets) close(fd);
  Outcome outcome;
  do {
    outcome = Skein("ls");
  } while (outcome.code != 0 && outcome.err.find("cannot be reached") != std::string::npos);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST_F(StandingControlTest, AControlPlaneOfOneRunSaysSo) {
  Write("spec.yaml", kSpec);
  control_ = Start("control", {"control", "--spec", work_ / "spec.yaml", "--out", work_ / "run",
                               "--address-file", work_ / "address"});
  const Outcome outcome = Skein("ls --control " + AwaitAddress());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("has one run only"));
}

// Nobody but the nodes knows the learner of a program of one's own.
TEST_F(StandingControlTest, TheControlPlaneNeedsNoLearner) {
  Write("spec.yaml", "name: own\ntopology: flat:1\nlearner: dropout\nrounds: 1\n");
  StartControl();
  EXPECT_EQ(Skein("submit spec.yaml").code, 2);  // which this program does not know
  const Outcome outcome = Run(DROPOUT_PROGRAM, "submit spec.yaml");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  Await(outcome.out.substr(0, outcome.out.find('\n')), "waiting", "waits for 2 of 2 nodes");
}

}  // namespace
}  // namespace skein
