// What must hold whatever happens: random events, random failures of the store, restarts.

#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "skein/base/random.h"
#include "skein/builtins/strategies.h"
#include "unit/control/scheduler_driver.h"

namespace skein {
namespace {

using scheduler::State;
using SeenTransitions = std::set<std::tuple<State, std::string, State>>;

// Decides anything, possible or not.
class RandomSteering : public Steering {
 public:
  explicit RandomSteering(Rng* rng) : rng_(rng) {}
  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord&) override {
    SteeringDecision decision;
    switch (rng_->Below(12)) {
      case 0:
        decision.stop = "enough";
        break;
      case 1:
        decision.optimizer = PartSpec{"", {{"lr", rng_->Below(2) == 0 ? 0.5 : -1.0}}};
        break;
      case 2:
        decision.policies[static_cast<int>(rng_->Below(3))] =
            PartSpec{"quorum", {{"count", static_cast<int64_t>(1 + rng_->Below(3))}}};
        break;
      case 3:
        decision.selector = PartSpec{"count", {{"count", static_cast<int64_t>(rng_->Below(6))}}};
        break;
      case 4:
        throw std::runtime_error("no idea");
      case 5:
        return absl::UnavailableError("no idea");
      default:
        break;
    }
    return decision;
  }

 private:
  Rng* const rng_;
};

const StrategyRegistries& Parts() {
  static const StrategyRegistries parts = [] {
    StrategyRegistries registries;
    RegisterBuiltinStrategies(registries);
    return registries;
  }();
  return parts;
}

// Executes actions as the shell would, with a store in memory that may fail, and checks each.
class CheckedRun {
 public:
  CheckedRun(SchedulerHistory history, uint64_t seed, SeenTransitions* seen)
      : history_(std::move(history)), rng_(seed), seen_(seen) {
    for (const auto& record : history_.attachments) {
      last_epoch_[record.child] = std::max(last_epoch_[record.child], record.epoch);
    }
    for (const auto& record : history_.rounds) {
      last_seq_ = std::max(last_seq_, record.seq_first + record.seq_count - 1);
    }
    RunConfig config = SchedulerDriver::DefaultConfig();
    config.evaluate = {rng_.Below(2) == 0, rng_.Below(2) == 0, 1 + rng_.Below(2)};
    config.rounds = 1 + rng_.Below(4);
    barriers_ = rng_.Below(3) != 0;
    const auto select = [this](const SelectionInput& input) {
      if (rng_.Below(12) == 0) {
        return absl::StatusOr<Roster>(absl::FailedPreconditionError("too few"));
      }
      return absl::StatusOr<Roster>(*input.available);
    };
    StopRules stop;
    if (rng_.Below(3) == 0) stop.time_s = 1.0 + static_cast<double>(rng_.Below(20));
    if (rng_.Below(3) == 0) stop.bytes_mb = 3;
    for (const bool training : {false, true}) {
      if (rng_.Below(3) != 0) continue;
      stop.targets.push_back({.metric = "m", .value = 8, .training = training});
      stop.plateaus.push_back({.metric = "m", .rounds = 2, .training = training});
    }
    if (!barriers_) config.strategy.policy = {"every_update", {}};
    std::shared_ptr<Steering> steering;
    if (rng_.Below(2) == 0) steering = std::make_shared<RandomSteering>(&rng_);
    auto helm =
        std::make_shared<Helm>(std::move(steering), config.strategy, Shape("tree:2x2"), &Parts());
    driver_ = std::make_unique<SchedulerDriver>("tree:2x2", config, history_, select, barriers_,
                                                std::move(stop), std::move(helm));
  }

  void Live() {
    Tell(scheduler::RunStarted{});
    const bool hasty = rng_.Below(3) == 0;  // a run that is left to chance from the start
    if (!hasty) {
      for (const auto& node : driver_->topology->nodes()) Register(node.id);
      const uint64_t when_ready = rng_.Below(4);
      if (when_ready == 0) Tell(scheduler::ModelReady{"root", {VersionRef{}, "d"}});
      for (const auto& node : driver_->topology->nodes()) Tell(Attached(node.id));
      if (when_ready > 1) Tell(scheduler::ModelReady{"root", {VersionRef{}, "d"}});
    }
    for (int step = 0; step < 60; ++step) {
      driver_->now += std::chrono::milliseconds(rng_.Below(rng_.Below(10) == 0 ? 20000 : 500));
      Tell(AnyEvent());
    }
    if (rng_.Below(2) == 0) return;  // the control plane dies here
    Tell(scheduler::StopRequested{"end of test"});
    driver_->now += std::chrono::hours(1);
    Tell(scheduler::Tick{});
    EXPECT_EQ(driver_->core.state(), State::kEnded);
    EXPECT_EQ(finished_, 1);
  }

  SchedulerHistory history() const { return history_; }

 private:
  NodeId AnyNode() {
    static constexpr const char* kIds[] = {"root", "a0", "a1", "w0", "w1", "w2", "w3", "nobody"};
    return kIds[rng_.Below(8)];
  }
  NodeId RarelyTheRoot() {
    const NodeId node = AnyNode();
    return node == "root" && rng_.Below(4) != 0 ? "w0" : node;
  }
  void Register(const NodeId& node) {
    Tell(scheduler::NodeRegistered{++session_, {node, ++incarnation_, "at-" + node}});
  }
  scheduler::Event Attached(const NodeId& node) {
    return scheduler::NodeAttached{node, driver_->epochs[node]};
  }

  scheduler::Event AnyEvent() {
    switch (rng_.Below(18)) {
      case 0:
        return scheduler::NodeRegistered{++session_, {AnyNode(), ++incarnation_, "x"}};
      case 1:
      case 2:
        return Attached(AnyNode());
      case 3:
        return scheduler::NodeLost{RarelyTheRoot(), "cut"};
      case 4:
        return scheduler::NodeGoodbye{RarelyTheRoot(), {static_cast<int>(rng_.Below(2)), "bye"}};
      case 5:
        return scheduler::ModelReady{"root", {{rng_.Below(5) == 0 ? 9u : 0u, 0, 0}, "d"}};
      case 6:
      case 7:
      case 8: {
        RoundResultMsg result = driver_->Result();
        if (!barriers_) {
          result.round += driver_->core.rounds_committed();
          result.version.version = result.round;
          result.evaluating = rng_.Below(2) == 0;
        }
        if (rng_.Below(10) == 0) result.code = 10;
        result.metrics = AnyMetrics();
        return scheduler::RoundResult{"root", result, {{rng_.Below(4) * 1000000, 0}}};
      }
      case 9:
      case 10:
      case 11: {
        const PlanMsg& plan = driver_->plan;
        const uint64_t round =
            plan.round + (barriers_ ? 0 : rng_.Below(1 + driver_->core.rounds_committed()));
        EvaluatedMsg result{
            round, {round, plan.attempt, 0}, rng_.Below(2) == 0 ? "coordinator" : "workers"};
        if (rng_.Below(10) == 0) result.code = 13;
        result.metrics = AnyMetrics();
        if (driver_->core.state() == State::kFinishing && barriers_ && rng_.Below(2) == 0) {
          result.round = committed_.version;
          result.version = committed_;
        }
        return scheduler::Evaluated{"root", result};
      }
      case 16: {
        FinishedMsg result{.version = committed_, .digest = "d", .evaluating = rng_.Below(2) == 0};
        if (rng_.Below(10) == 0) result.code = 13;
        return scheduler::Finished{"root", result};
      }
      case 12:
        return scheduler::Tick{};
      case 13:
        if (rng_.Below(10) == 0) return scheduler::StopRequested{"enough"};
        return scheduler::Tick{};
      default:
        return scheduler::NodeHeard{AnyNode()};
    }
  }

  std::map<std::string, double> AnyMetrics() {
    if (rng_.Below(5) == 0) return {};
    return {{"m", static_cast<double>(rng_.Below(10))}};
  }

  void Tell(const scheduler::Event& event) {
    const State before = driver_->core.state();
    const scheduler::Actions actions = driver_->Tell(event);
    Note(before, scheduler::NameOf(event));
    for (const auto& action : actions) {
      const absl::Status status = std::visit([this](const auto& a) { return Check(a); }, action);
      if (status.ok()) continue;
      const auto* round = std::get_if<scheduler::PersistRound>(&action);
      store_failed_ = true;
      return Tell(scheduler::StoreFailed{status, round && round->record.state == "committed"});
    }
  }

  // One event may pass through kStopping on its way to the end.
  void Note(State before, const std::string& event) {
    State after = driver_->core.state();
    if (after == State::kEnded && before < State::kStopping) {
      seen_->insert({before, event, State::kStopping});
      before = State::kStopping;
    }
    seen_->insert({before, event, after});
  }

  absl::Status StoreStatus() {
    return rng_.Below(150) == 0 ? absl::UnavailableError("io") : absl::OkStatus();
  }

  absl::Status Check(const scheduler::Admit& a) {
    EXPECT_TRUE(admitted_.insert(a.node).second);
    return absl::OkStatus();
  }
  absl::Status Check(const scheduler::Refuse&) { return absl::OkStatus(); }
  absl::Status Check(const scheduler::Disconnect& a) {
    EXPECT_EQ(admitted_.erase(a.node), 1u) << a.node;
    return absl::OkStatus();
  }
  absl::Status Check(const scheduler::PersistRun& a) {
    const absl::Status status = StoreStatus();
    if (status.ok()) run_status_ = a.record.status;
    return status;
  }
  absl::Status Check(const scheduler::PersistAttachment& a) {
    EXPECT_GT(a.record.epoch, last_epoch_[a.record.child]);
    const absl::Status status = StoreStatus();
    last_epoch_[a.record.child] = a.record.epoch;
    if (status.ok()) history_.attachments.push_back(a.record);
    return status;
  }
  absl::Status Check(const scheduler::PersistRound& a) {
    const RoundRecord& r = a.record;
    if (r.state == "open") {
      EXPECT_GT(r.seq_first, last_seq_);
      last_seq_ = r.seq_first + r.seq_count - 1;
    }
    const absl::Status status = StoreStatus();
    if (!status.ok()) return status;
    std::erase_if(history_.rounds, [&](const RoundRecord& old) {
      if (old.round != r.round || old.attempt != r.attempt) return false;
      EXPECT_NE(r.state, "open") << "an attempt was used twice";
      if (old.state == "committed" && r.state == "committed" && old.digest.empty()) {
        EXPECT_EQ(std::tie(old.version, old.contributors), std::tie(r.version, r.contributors));
      } else {
        EXPECT_EQ(old.state, "open") << "a settled round was changed";
      }
      return true;
    });
    history_.rounds.push_back(r);
    if (r.state == "committed") committed_ = r.version;
    return status;
  }
  absl::Status Check(const scheduler::SendTo& a) {
    EXPECT_TRUE(admitted_.count(a.node)) << "a message to " << a.node << ", who is not there";
    std::visit([this, &a](const auto& m) { CheckSend(a.node, m); }, a.message);
    return absl::OkStatus();
  }
  absl::Status Check(const scheduler::EmitEvent&) { return absl::OkStatus(); }
  absl::Status Check(const scheduler::WakeAt& a) {
    EXPECT_GT(a.when, driver_->now);
    return absl::OkStatus();
  }
  absl::Status Check(const scheduler::Finish&) {
    ++finished_;
    return absl::OkStatus();
  }

  void CheckSend(const NodeId&, const AssignMsg&) { EXPECT_NE(run_status_, ""); }
  void CheckSend(const NodeId&, const ChildLostMsg&) {}
  void CheckSend(const NodeId& node, const EnlistedMsg&) { ADD_FAILURE() << node; }
  void CheckSend(const NodeId& node, const StartNodesMsg&) { ADD_FAILURE() << node; }
  void CheckSend(const NodeId& node, const NoticeMsg&) { ADD_FAILURE() << node; }
  void CheckSend(const NodeId& node, const AttachMsg& m) {
    EXPECT_TRUE(HasAttachment(node, m.parent, m.epoch));
  }
  void CheckSend(const NodeId& node, const ExpectChildMsg& m) {
    EXPECT_TRUE(HasAttachment(m.child, node, m.epoch));
  }
  void CheckSend(const NodeId&, const SteerMsg& m) {
    EXPECT_FALSE(barriers_);
    EXPECT_GT(m.from_version, committed_.version);
    EXPECT_GT(m.change.number, changes_);
    changes_ = m.change.number;
  }
  void CheckSend(const NodeId& node, const FinishMsg&) {
    EXPECT_EQ(node, "root");
    EXPECT_FALSE(finishing_) << "told twice";
    finishing_ = true;
  }
  void CheckSend(const NodeId&, const PlanMsg& m) {
    EXPECT_FALSE(finishing_) << "no round follows the last one";
    EXPECT_GE(m.change.number, changes_);
    changes_ = m.change.number;
    ASSERT_FALSE(history_.rounds.empty());
    const RoundRecord& r = history_.rounds.back();
    EXPECT_EQ(
        std::tuple(r.round, r.attempt, r.state, r.base, r.participants, r.seq_first),
        std::tuple(m.round, m.attempt, std::string("open"), m.base, m.participants, m.seq_first));
    EXPECT_FALSE(store_failed_);
  }
  void CheckSend(const NodeId&, const CommitMsg& m) {
    ASSERT_FALSE(history_.rounds.empty());
    const RoundRecord& r = history_.rounds.back();
    EXPECT_EQ(std::tuple(r.round, r.state, r.version),
              std::tuple(m.round, std::string("committed"), m.version));
  }
  void CheckSend(const NodeId&, const StopMsg&) {
    EXPECT_TRUE(store_failed_ || run_status_ != "running");
  }
  bool HasAttachment(const NodeId& child, const NodeId& parent, Epoch epoch) const {
    for (const auto& record : history_.attachments) {
      if (record.child == child && record.parent == parent && record.epoch == epoch) return true;
    }
    return false;
  }

  SchedulerHistory history_;  // as the store has it
  Rng rng_;
  SeenTransitions* seen_;
  bool barriers_ = true;
  std::unique_ptr<SchedulerDriver> driver_;
  std::map<NodeId, Epoch> last_epoch_;
  Seq last_seq_ = 0;
  std::set<NodeId> admitted_;
  std::string run_status_;
  bool store_failed_ = false;
  bool finishing_ = false;
  uint64_t changes_ = 0;
  VersionRef committed_;  // the last one
  int finished_ = 0;
  uint64_t session_ = 0;
  Incarnation incarnation_ = 1000;
};

TEST(SchedulerPropertyTest, PersistsBeforeItSendsAndReusesNothing) {
  SeenTransitions seen;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SchedulerHistory history;
    for (uint64_t life = 0; life < 3; ++life) {
      CheckedRun run(history, DeriveSeed(seed, {life}), &seen);
      run.Live();
      history = run.history();
      if (HasFailure()) return;
    }
  }
  for (const SchedulerTransition& row : SchedulerTransitions()) {
    EXPECT_TRUE(seen.count({row.from, row.event, row.to}))
        << "never seen: " << NameOf(row.from) << " -- " << row.event << " -> " << NameOf(row.to);
  }
}

}  // namespace
}  // namespace skein
