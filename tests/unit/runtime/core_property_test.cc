// What must hold in the cores whatever happens: random events, checked as a shell would meet them.
// The same runs must reach every step that the tables of the cores declare.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <tuple>

#include "runtime/transitions.h"
#include "runtime/worker_core.h"
#include "skein/base/random.h"
#include "support/iterations.h"
#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

// ---- aggregator ----

using AggregatorStep = std::pair<BarrierCore::Phase, BarrierCore::Phase>;

// Feeds random events to a core and does what it asks for as a shell with bad luck.
class RandomAggregator {
 public:
  RandomAggregator(uint64_t seed, std::set<AggregatorStep>* seen)
      : rng_(seed), seen_(seen), driver_(Config()) {}

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      Pass(std::chrono::seconds(rng_.Below(3)));
      Tell(RandomEvent());
      ExpectWakeUps();
    }
    Tell(agg_event::Cancelled{round_, "the end"});
    EXPECT_TRUE(offered_.empty()) << "an upload was never answered";
    EXPECT_EQ(driver_.core.staged_bytes(), 0u);
  }

 private:
  AggregatorCoreConfig Config() {
    AggregatorCoreConfig config =
        ConfigOf(rng_.Below(2) == 0 ? PolicyOf("all", {{"timeout_s", 60.0}})
                                    : PolicyOf("quorum", {{"count", 2}, {"deadline_s", 20.0}}),
                 rng_.Below(2) == 0 ? NodeRole::kWorker : NodeRole::kAggregator);
    config.kappa = 1 + static_cast<int>(rng_.Below(2));
    return config;
  }

  Epoch EpochOf(const NodeId& child) const {
    const auto it = linked_.find(child);
    return it == linked_.end() ? 0 : it->second;
  }
  NodeId AnyChild() { return "c" + std::to_string(rng_.Below(3)); }

  AggregatorEvent RandomEvent() {
    const NodeId child = AnyChild();
    // Contributions come often and disturbances seldom, or nothing would ever close.
    if (!linked_.contains(child) && rng_.Below(2) == 0) {
      if (rng_.Below(3) == 0) return agg_event::ChildExpected{child, ++epochs_[child]};
      return agg_event::ChildUp{child, epochs_[child]};
    }
    if (rng_.Below(2) == 0) return RandomUploadEvent(child);
    const bool idle = driver_.core.phase() == BarrierCore::Phase::kIdle;
    if (!idle && rng_.Below(3) != 0) return agg_event::Tick{};
    switch (rng_.Below(15)) {
      case 0:
        return agg_event::ChildExpected{child, epochs_[child] + rng_.Below(2)};
      case 1:
      case 2:
        return agg_event::ChildUp{child, epochs_[child] + rng_.Below(3)};
      case 3:
        return agg_event::ChildDown{child, EpochOf(child)};
      case 4:
        return agg_event::ChildLost{child, epochs_[child], "lost"};
      case 5: {
        task_ = rng_.Below(4) == 0 ? EvaluateTask(++round_) : TrainTask(++round_);
        task_.seq_count = 2;
        return agg_event::TaskArrived{task_};
      }
      case 6:
        return agg_event::TaskArrived{task_};
      case 7:
        return agg_event::ModelArrived{task_.base};
      case 8:
        return agg_event::Cancelled{round_, "cancelled"};
      case 9:
        return rng_.Below(3) == 0
                   ? AggregatorEvent(agg_event::ChildFailed{
                         child, {task_.kind, round_, asked_[child].local_round, "failed", false}})
                   : AggregatorEvent(agg_event::Tick{});
      case 10:
        return agg_event::ChildEvaluated{child, round_, task_.base, asked_[child].participants};
      case 11:
        return agg_event::Committed{round_, task_.base};
      case 12:
        return agg_event::ModelLost{task_.base};
      default:
        return agg_event::Delivered{};
    }
  }

  AggregatorEvent RandomUploadEvent(const NodeId& child) {
    const auto granted = granted_.find(child);
    if (granted != granted_.end() && rng_.Below(3) != 0) {
      const UploadId id = granted->second;
      if (rng_.Below(8) == 0) return agg_event::UploadBroken{id, "broken"};
      if (rng_.Below(3) == 0) return agg_event::UploadProgressed{id};
      return agg_event::UploadStaged{id};
    }
    Task task = asked_[child];
    if (rng_.Below(6) == 0) task.round += rng_.Below(2);
    UploadInfo info = driver_.UploadOf(child, task, ++transfer_, EpochOf(child));
    info.roster = rng_.Below(8) == 0 ? Roster::Range(0, 9) : task.participants;
    info.bytes = 10 + rng_.Below(120);
    offered_[info.id] = info.bytes;
    return agg_event::UploadOffered{info};
  }

  void Tell(const AggregatorEvent& event) {
    if (const auto* down = std::get_if<agg_event::ChildDown>(&event)) linked_.erase(down->child);
    const auto before = driver_.core.phase();
    const auto actions = driver_.Tell(event);
    if (driver_.core.phase() != before) seen_->insert({before, driver_.core.phase()});
    for (const AggregatorAction& action : actions) {
      std::visit([this](const auto& a) { Check(a); }, action);
    }
    ExpectBudgetKept();
  }

  // Time goes by; wake-ups come when they are due.
  void Pass(Duration duration) {
    const Time to = driver_.now + duration;
    while (!driver_.timers.empty() && *driver_.timers.begin() <= to) {
      driver_.now = std::max(driver_.now, *driver_.timers.begin());
      driver_.timers.erase(driver_.timers.begin());
      Tell(agg_event::Tick{});
    }
    driver_.now = to;
  }

  void ExpectWakeUps() {
    EXPECT_LE(driver_.timers.size(), 4u) << "wake-ups multiply";
    if (driver_.core.phase() != BarrierCore::Phase::kCollecting) return;
    EXPECT_FALSE(driver_.timers.empty()) << "nothing would end it if all fell silent";
  }

  void ExpectBudgetKept() {
    uint64_t staged = 0;
    for (const auto& [child, id] : granted_) staged += offered_.at(id);
    EXPECT_EQ(driver_.core.staged_bytes(), staged);
    EXPECT_TRUE(staged <= 100 || granted_.size() == 1) << staged;
  }

  void Check(const agg_action::Welcome& a) {
    EXPECT_GE(a.epoch, welcomed_[a.child]) << "an older attachment than before";
    welcomed_[a.child] = linked_[a.child] = a.epoch;
  }
  void Check(const agg_action::Refuse& a) {
    if (EpochOf(a.child) == a.epoch) linked_.erase(a.child);
  }
  void Check(const agg_action::SendTask& a) {
    EXPECT_TRUE(linked_.contains(a.child));
    EXPECT_FALSE(a.task.participants.empty());
    asked_[a.child] = a.task;
  }
  void Check(const agg_action::OfferModel& a) {
    EXPECT_TRUE(linked_.contains(a.child));
    EXPECT_THAT(driver_.core.models(), ::testing::Contains(a.version)) << "it is not here";
  }
  void Check(const agg_action::SendCancel& a) { EXPECT_TRUE(linked_.contains(a.child)); }
  void Check(const agg_action::SendCommitted& a) { EXPECT_TRUE(linked_.contains(a.child)); }
  void Check(const agg_action::BeginTask&) { folded_ = {}; }
  void Check(const agg_action::OpenBucket&) {}
  void Check(const agg_action::DropBucket&) {}
  void Check(const agg_action::Grant& a) {
    EXPECT_TRUE(granted_.emplace(a.id.child, a.id).second) << "two uploads of one child";
  }
  void Check(const agg_action::Fold& a) {
    EXPECT_TRUE(granted_.contains(a.info.id.child));
    const bool ok = rng_.Below(6) != 0;
    if (ok) {
      EXPECT_FALSE(folded_.Intersects(a.info.roster)) << "counted twice";
      folded_.Merge(a.info.roster);
    }
    Tell(agg_event::UploadFolded{a.info.id,
                                 ok ? absl::OkStatus() : absl::InvalidArgumentError("NaN")});
  }
  void Check(const agg_action::Acknowledge& a) {
    EXPECT_EQ(offered_.erase(a.id), 1u) << "answered twice";
    const auto granted = granted_.find(a.id.child);
    if (granted != granted_.end() && granted->second == a.id) granted_.erase(granted);
  }
  void Check(const agg_action::CloseFold& a) {
    EXPECT_EQ(a.roster, folded_);
    EXPECT_FALSE(a.roster.empty());
    EXPECT_TRUE(a.roster.IsSubsetOf(a.task.participants));
    if (a.into == agg_action::CloseFold::Into::kLocalModel && rng_.Below(4) != 0) {
      Tell(agg_event::LocalModelMade{a.made});
    }
  }
  void Check(const agg_action::DeliverEvaluation&) {}
  void Check(const agg_action::Abandon&) {}
  void Check(const agg_action::Report& a) { EXPECT_EQ(a.event.fields.count("parent"), 1u); }
  void Check(const agg_action::WakeAt&) {}

  Rng rng_;
  std::set<AggregatorStep>* const seen_;
  AggregatorDriver driver_;
  Task task_ = TrainTask(1);
  uint64_t round_ = 1;
  uint64_t transfer_ = 0;
  std::map<NodeId, Epoch> epochs_, linked_, welcomed_;
  std::map<NodeId, Task> asked_;
  std::map<UploadId, uint64_t> offered_;
  std::map<NodeId, UploadId> granted_;
  Roster folded_;
};

TEST(AggregatorCoreProperty, RandomEventsKeepTheRules) {
  std::set<AggregatorStep> seen;
  const int seeds = SimSeeds(300);
  for (int seed = 0; seed < seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomAggregator(DeriveSeed(21, {static_cast<uint64_t>(seed)}), &seen).Run(300);
  }
  for (const auto& step : BarrierCore::Transitions()) {
    EXPECT_TRUE(seen.contains({step.from, step.to})) << "never reached: " << step.why;
  }
}

TEST(TransitionsDeathTest, AStepThatNoTableDeclaresAborts) {
  using Aggregator = BarrierCore::Phase;
  using Worker = WorkerCore::Phase;
  EXPECT_EQ(Declared(BarrierCore::Transitions(), Aggregator::kIdle, Aggregator::kCollecting),
            Aggregator::kCollecting);
  EXPECT_DEATH(Declared(BarrierCore::Transitions(), Aggregator::kIdle, Aggregator::kDelivering),
               "");
  EXPECT_DEATH(Declared(WorkerCore::Transitions(), Worker::kStuck, Worker::kIdle), "");
}

// ---- worker ----

using WorkerStep = std::pair<WorkerCore::Phase, WorkerCore::Phase>;

class RandomWorker {
 public:
  RandomWorker(uint64_t seed, std::set<WorkerStep>* seen) : rng_(seed), seen_(seen) {}

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) {
      now_ += std::chrono::seconds(rng_.Below(2));
      const auto before = core_.phase();
      const WorkerEvent event = RandomEvent();
      const bool newer = std::holds_alternative<worker_event::TaskArrived>(event);
      const auto actions = core_.Handle(event, now_);
      if (core_.phase() != before || newer) seen_->insert({before, core_.phase()});
      for (const WorkerAction& action : actions) {
        std::visit([this](const auto& a) { Check(a); }, action);
      }
      EXPECT_LE(core_.kept(), 2u);
      EXPECT_LE(kept_.size(), 3u) << "the shell holds more than is kept and what is being made";
    }
  }

 private:
  WorkerEvent RandomEvent() {
    switch (rng_.Below(10)) {
      case 0:
        return worker_event::LinkUp{};
      case 1:
      case 2: {
        if (rng_.Below(3) != 0) ++round_;
        task_ = {};
        task_.kind = rng_.Below(4) == 0 ? TaskKind::kEvaluate : TaskKind::kTrain;
        task_.round = round_;
        task_.base = {round_ / 2, 0, 0};
        task_.seq_first = task_.kind == TaskKind::kTrain ? round_ : 0;
        return worker_event::TaskArrived{task_};
      }
      case 3:
      case 4:
        return worker_event::ModelArrived{task_.base};
      case 5:
      case 6:
        if (running_ == 0) {
          return rng_.Below(2) == 0 ? WorkerEvent(worker_event::ModelGone{})
                                    : WorkerEvent(worker_event::Tick{});
        }
        if (trains_) kept_.insert(running_task_.seq_first);
        return worker_event::WorkEnded{
            std::exchange(running_, 0),
            rng_.Below(3) == 0 ? absl::InternalError("failed") : absl::OkStatus()};
      case 7:
        return worker_event::UpdateAnswered{
            1 + rng_.Below(round_ + 1),
            rng_.Below(2) == 0 ? absl::OkStatus() : absl::AbortedError("no")};
      case 8:
        return rng_.Below(3) == 0 ? WorkerEvent(worker_event::Cancelled{round_, 0})
                                  : WorkerEvent(worker_event::Tick{});
      default:
        return worker_event::Committed{round_ - rng_.Below(2)};
    }
  }

  void Check(const worker_action::StartWork& a) {
    EXPECT_EQ(running_, 0u) << "two works at once";
    EXPECT_GT(a.start, last_start_);
    running_ = last_start_ = a.start;
    running_task_ = a.task;
    trains_ = a.task.kind == TaskKind::kTrain;
    if (trains_) {
      EXPECT_TRUE(trained_.insert(a.task.seq_first).second || !offered_.contains(a.task.seq_first))
          << "trained again what was offered";
    }
  }
  void Check(const worker_action::CancelWork&) { EXPECT_NE(running_, 0u); }
  void Check(const worker_action::AbandonWork&) { running_ = 0; }
  void Check(const worker_action::OfferUpdate& a) {
    EXPECT_TRUE(kept_.contains(a.seq)) << "offers what it does not have";
    offered_.insert(a.seq);
  }
  void Check(const worker_action::DropUpdate& a) {
    kept_.erase(a.seq);
    offered_.erase(a.seq);
  }
  void Check(const worker_action::SendEvaluation& a) {
    EXPECT_EQ(a.task.kind, TaskKind::kEvaluate);
  }
  void Check(const worker_action::SendFailed& a) {
    if (running_task_.seq_first != 0) kept_.erase(running_task_.seq_first);
    EXPECT_FALSE(a.what.reason.empty());
  }
  void Check(const worker_action::WakeAt& a) { EXPECT_GT(a.when, now_); }

  Rng rng_;
  std::set<WorkerStep>* const seen_;
  WorkerCore core_{std::chrono::seconds(5)};
  Time now_{0};
  Task task_;
  uint64_t round_ = 1;
  uint64_t running_ = 0;
  uint64_t last_start_ = 0;
  Task running_task_;
  bool trains_ = false;
  std::set<Seq> kept_, offered_, trained_;
};

TEST(WorkerCoreProperty, RandomEventsKeepTheRules) {
  std::set<WorkerStep> seen;
  const int seeds = SimSeeds(300);
  for (int seed = 0; seed < seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomWorker(DeriveSeed(22, {static_cast<uint64_t>(seed)}), &seen).Run(200);
  }
  for (const auto& step : WorkerCore::Transitions()) {
    EXPECT_TRUE(seen.contains({step.from, step.to})) << "never reached: " << step.why;
  }
}

}  // namespace
}  // namespace skein
