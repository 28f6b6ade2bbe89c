// A worker that fails, hangs, lies or dies: under `quorum` the round goes on without it, under
// `all` the run ends in bounded time; either way the record names it and says why. The built-in
// learner `echo` misbehaves on request.
#include "integration/program.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class BadWorkersTest : public ProgramTest {
 protected:
  void WriteSpec(const std::string& policy, const std::string& fault, uint64_t rounds = 2) {
    Write("spec.yaml", "topology: tree:2x2\nrounds: " + std::to_string(rounds) +
                           "\nlearner: {name: echo, params: {" + fault +
                           "}}\nstrategy:\n  policy: " + policy +
                           "\n  tiers: [{tier: 0, policy: all}]\n"
                           "limits: {cancel_grace_s: 0.2, heartbeat_interval_s: 0.2}\n");
  }
  // Runs to the end without w3, and says why.
  void ExpectLeftOut(const std::string& policy, const std::string& fault, const std::string& event,
                     const std::string& why) {
    SCOPED_TRACE(fault);
    std::filesystem::remove_all(work_ / "run");
    WriteSpec(policy, fault);
    const Outcome outcome = Skein("run spec.yaml --out run --quiet --log-level off");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_THAT(Result(), HasSubstr(R"("status":"completed")"));
    EXPECT_THAT(Result(), HasSubstr(R"("contributions":6)"));
    EXPECT_THAT(Events(),
                Contains(AllOf(HasSubstr('"' + event + '"'), HasSubstr("\"w3\""), HasSubstr(why))));
  }
  // Ends with exit code 1 and one line that names w3.
  void ExpectFailed(const std::string& policy, const std::string& fault, const std::string& why) {
    SCOPED_TRACE(fault);
    std::filesystem::remove_all(work_ / "run");
    WriteSpec(policy, fault);
    const Outcome outcome = Skein("run spec.yaml --out run --quiet --log-level off");
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("'w3'"), HasSubstr(why)));
    EXPECT_THAT(Result(), AllOf(HasSubstr(R"("status":"failed")"), HasSubstr("'w3'")));
    EXPECT_THAT(Events(), Contains(AllOf(HasSubstr("run_ended"), HasSubstr("'w3'"))));
  }
  // The process of a node of a run in the background.
  pid_t PidOf(pid_t run, const std::string& node) {
    const std::string started =
        WaitForEvent(run, {"\"node_started\"", "\"node\":\"" + node + "\"", "\"pid\":"});
    const size_t at = started.find("\"pid\":");
    return at == std::string::npos ? -1 : std::stoi(started.substr(at + 6));
  }
};

constexpr char kQuorum[] = "{name: quorum, count: 1, deadline_s: 30}";
constexpr char kImpatient[] = "{name: quorum, count: 1, deadline_s: 0.3}";

TEST_F(BadWorkersTest, AQuorumGoesOnWithoutThem) {
  ExpectLeftOut(kQuorum, "fail_leaf: 3", "worker_left_out", "failed as fail_leaf asks");
  ExpectLeftOut(kQuorum, "throw_leaf: 3", "worker_left_out", "threw as throw_leaf asks");
  ExpectLeftOut(kQuorum, "nan_leaf: 3", "update_rejected", "NaN");
  ExpectLeftOut(kQuorum, "wrong_shape_leaf: 3", "update_rejected", "expected F32[1000]");
  EXPECT_THAT(Result(), HasSubstr(R"("rejected":2)"));
}

TEST_F(BadWorkersTest, AQuorumLeavesThemBehindAtItsDeadline) {
  ExpectLeftOut(kImpatient, "stall_leaf: 3", "worker_left_out", "deadline");
  ExpectLeftOut(kImpatient, "hang_leaf: 3", "worker_left_out", "deadline");
  ExpectLeftOut(kImpatient, "hang_leaf: 3", "worker_left_out", "did not return");
}

TEST_F(BadWorkersTest, AllEndsTheRunAndNamesThem) {
  ExpectFailed("all", "fail_leaf: 3", "failed as fail_leaf asks");
  ExpectFailed("all", "throw_leaf: 3", "threw as throw_leaf asks");
  ExpectFailed("all", "nan_leaf: 3", "NaN");
  ExpectFailed("{name: all, timeout_s: 0.5}", "stall_leaf: 3", "has not answered");
  ExpectFailed("{name: all, timeout_s: 0.5}", "hang_leaf: 3", "has not answered");
}

TEST_F(BadWorkersTest, AQuorumGoesOnWithoutAKilledProcess) {
  WriteSpec("{name: quorum, count: 1}", "delay_s: 0.2", 12);
  const pid_t run = StartRun({"--processes", "--log-level", "off"});
  const pid_t worker = PidOf(run, "w3");
  ASSERT_GT(worker, 0);
  ASSERT_NE(WaitForEvent(run, {"round_committed"}), "");
  kill(worker, SIGKILL);
  EXPECT_EQ(WaitForEnd(run), 0);
  EXPECT_THAT(Result(), AllOf(HasSubstr(R"("status":"completed")"), HasSubstr(R"("rounds":12)")));
  EXPECT_THAT(Events(), Contains(AllOf(HasSubstr("\"node_lost\""), HasSubstr("\"w3\""))));
}

TEST_F(BadWorkersTest, AllEndsTheRunAfterAKill) {
  WriteSpec("all", "delay_s: 0.2", 1000);
  const pid_t run = StartRun({"--processes", "--log-level", "off"});
  const pid_t worker = PidOf(run, "w3");
  ASSERT_GT(worker, 0);
  ASSERT_NE(WaitForEvent(run, {"round_committed"}), "");
  kill(worker, SIGKILL);
  EXPECT_EQ(WaitForEnd(run), 1);
  EXPECT_THAT(Result(), AllOf(HasSubstr(R"("status":"failed")"), HasSubstr("'w3'")));
}

TEST_F(BadWorkersTest, AKilledAggregatorTakesItsSubtreeOutOfTheRound) {
  Write("spec.yaml",
        "topology: tree:2x2\nrounds: 12\nlearner: {name: echo, params: {delay_s: 0.2}}\n"
        "strategy: {policy: {name: quorum, count: 1}}\n");
  const pid_t run = StartRun({"--processes", "--log-level", "off"});
  const pid_t aggregator = PidOf(run, "a1");
  ASSERT_GT(aggregator, 0);
  ASSERT_NE(WaitForEvent(run, {"round_committed"}), "");
  kill(aggregator, SIGKILL);
  EXPECT_EQ(WaitForEnd(run), 0);
  EXPECT_THAT(Result(), HasSubstr(R"("status":"completed")"));
  EXPECT_THAT(Events(), Contains(AllOf(HasSubstr("\"node_lost\""), HasSubstr("\"a1\""))));
  EXPECT_THAT(Events().back(), Not(HasSubstr("failed")));
}

}  // namespace
}  // namespace skein
