// What must hold in StreamCore whatever happens: random events, checked as a shell would meet them.
// The same runs must reach every step that its table declares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "runtime/stream_core.h"
#include "skein/base/random.h"
#include "support/iterations.h"
#include "unit/runtime/aggregator_driver.h"

namespace skein {
namespace {

using std::chrono::seconds;
using Phase = StreamCore::Phase;
using Step = std::pair<Phase, Phase>;
using Into = agg_action::CloseFold::Into;

class LimitedStaleness : public Staleness {
 public:
  explicit LimitedStaleness(uint64_t max) : max_(max) {}
  double Weight(uint64_t staleness) const override {
    return 1 / (1 + static_cast<double>(staleness));
  }
  uint64_t Max() const override { return max_; }

 private:
  const uint64_t max_;
};

// Feeds random events to a core and does what it asks for as a shell with bad luck, until all turns
// out well at the end: then it must go on, or have ended.
class RandomStream {
 public:
  RandomStream(uint64_t seed, std::set<Step>* seen)
      : rng_(seed), seen_(seen), driver_(RandomConfig()) {}

  void Run(int steps) {
    for (int i = 0; i < steps && Sound(); ++i) {
      Pass(seconds(rng_.Below(3)));
      Tell(RandomEvent());
    }
    ExpectToGoOn();
    for (const char* child : {"c0", "c1", "c2"}) Tell(agg_event::ChildDown{child, Link(child)});
    EXPECT_TRUE(offered_.empty()) << "an upload was never answered";
    EXPECT_EQ(driver_.core.staged_bytes(), 0u);
  }
  uint64_t steps_made() const { return made_; }

 private:
  // What tells one contribution from another: the child, the task's number, the part.
  using Identity = std::tuple<NodeId, Seq, uint32_t>;
  struct Asked {
    Task task;
    uint32_t parts = 1;        // of the answer
    uint32_t parts_taken = 0;  // by the core, as the child has heard
    bool over = false;         // answered or failed
  };

  static bool Sound() { return !::testing::Test::HasFailure(); }
  bool Over() const { return given_up_ && root_; }

  AggregatorCoreConfig RandomConfig() {
    const NodeRole role = rng_.Below(2) == 0 ? NodeRole::kWorker : NodeRole::kAggregator;
    AggregatorCoreConfig config = ConfigOf(RandomPolicy(), role);
    root_ = rng_.Below(2) == 0;
    workers_ = role == NodeRole::kWorker;
    config.view.tier = root_ ? 0 : 1;
    config.bases_kept = root_ && rng_.Below(3) == 0 ? 8 : 0;
    max_staleness_ = rng_.Below(3) == 0 ? 20 : 1 + rng_.Below(3);
    config.staleness = std::make_shared<LimitedStaleness>(max_staleness_);
    last_version_ = root_ ? 3 + rng_.Below(30) : 0;
    return config;
  }
  std::shared_ptr<const RoundPolicy> RandomPolicy() {
    switch (rng_.Below(4)) {
      case 0:
        return PolicyOf("every_update");
      case 1:
        return PolicyOf("interval", {{"period_s", 5.0}});
      case 2:
        return PolicyOf("buffered", {{"size", static_cast<int64_t>(1 + rng_.Below(3))}});
      default:
        return PolicyOf("buffered", {{"size", 3}, {"max_wait_s", 20.0}});
    }
  }

  Epoch Link(const NodeId& child) const {
    const auto it = linked_.find(child);
    return it == linked_.end() ? 0 : it->second;
  }

  // ---- what happens ----

  AggregatorEvent RandomEvent() {
    const NodeId child = "c" + std::to_string(rng_.Below(3));
    if (!linked_.contains(child) && rng_.Below(2) == 0) {
      if (rng_.Below(3) == 0) return agg_event::ChildExpected{child, ++epochs_[child]};
      return agg_event::ChildUp{child, epochs_[child]};
    }
    if (rng_.Below(3) != 0) return RandomUploadEvent(child);
    switch (rng_.Below(14)) {
      case 0:
        return agg_event::ChildExpected{child, epochs_[child] + rng_.Below(2)};
      case 1:
        return agg_event::ChildUp{child, epochs_[child] + rng_.Below(3)};
      case 2:
      case 3:
        return agg_event::ChildDown{child, Link(child)};
      case 4:
        if (rng_.Below(2) == 0) return agg_event::ChildLost{child, epochs_[child], "lost"};
        return agg_event::Tick{};
      case 5:
      case 6:
        return NextTask();
      case 7:
        if (task_.seq_first == 0 || (root_ && driver_.core.phase() == Phase::kIdle)) {
          return agg_event::Tick{};
        }
        return agg_event::TaskArrived{task_, last_version_};  // heard again
      case 8:
        // At the root a model comes with the step that makes it, later also after its loss.
        return agg_event::ModelArrived{newest_};
      case 9:
        if (root_) return agg_event::Tick{};
        return agg_event::ModelLost{newest_};
      case 10:
        if (root_ && driver_.core.phase() != Phase::kHolding && rng_.Below(20) != 0) {
          return agg_event::Tick{};
        }
        return agg_event::Cancelled{task_.round, "cancelled"};
      case 11: {
        Asked& asked = asked_[child];
        if (asked.over) return agg_event::Tick{};
        return agg_event::ChildFailed{child,
                                      {TaskKind::kTrain, asked.task.round, 0, "failed", false}};
      }
      default:
        if (root_ || driver_.core.phase() != Phase::kDelivering) return agg_event::Tick{};
        return agg_event::Delivered{};
    }
  }

  // The root's plan comes once, a gateway's tasks one after another.
  bool Begun() const { return root_ && task_.seq_first != 0; }
  AggregatorEvent NextTask() {
    if (Begun() && driver_.core.phase() == Phase::kIdle) return agg_event::Tick{};
    if (root_) {
      if (task_.seq_first == 0) NewTask(1);
    } else if (driver_.core.phase() != Phase::kCollecting || rng_.Below(4) == 0) {
      if (rng_.Below(3) != 0) ++newest_.version;  // the model comes before, after or never
      NewTask(newest_.version + 1);
    }
    return agg_event::TaskArrived{task_, last_version_};
  }
  void NewTask(uint64_t round) {
    const Seq seq = task_.seq_first + 1;
    task_ = TrainTask(round);
    task_.base = newest_;
    task_.seq_first = seq;
    task_.seq_count = 1;
  }

  AggregatorEvent RandomUploadEvent(const NodeId& child) {
    const auto granted = granted_.find(child);
    if (granted != granted_.end() && rng_.Below(3) != 0) {
      const UploadId id = granted->second;
      if (rng_.Below(10) == 0) return agg_event::UploadBroken{id, "broken"};
      if (rng_.Below(4) == 0) return agg_event::UploadProgressed{id};
      return agg_event::UploadStaged{id};
    }
    UploadInfo info = AnswerOf(child);
    if (rng_.Below(10) == 0) info.roster = Roster::Range(0, 9);
    if (rng_.Below(12) == 0 && info.seq > 1) --info.seq;
    if (workers_ && rng_.Below(12) == 0) info.part = static_cast<uint32_t>(rng_.Below(3));
    if (rng_.Below(20) == 0) info.form = absl::InvalidArgumentError("another shape");
    return Offered(info);
  }

  // The part that is due of the child's answer. The same task is always answered in the same way.
  UploadInfo AnswerOf(const NodeId& child) {
    const Asked& asked = asked_[child];
    UploadInfo info = driver_.UploadOf(child, asked.task, ++transfer_, Link(child));
    Rng rng(DeriveSeed(asked.task.seq_first, {static_cast<uint64_t>(child.back())}));
    info.parts = asked.parts;
    info.part = std::min(asked.parts_taken, asked.parts - 1);
    info.bytes = 10 + rng.Below(90);
    if (workers_) return info;
    const uint64_t age = (asked.parts - 1 - info.part) * (1 + rng.Below(2));
    info.base.version -= std::min(info.base.version, age);
    info.updates = 1 + rng.Below(5);
    return info;
  }
  AggregatorEvent Offered(const UploadInfo& info) {
    offered_[info.id] = info;
    return agg_event::UploadOffered{info};
  }

  // ---- the end ----

  // From here on links hold, models come and everybody answers.
  void ExpectToGoOn() {
    well_ = true;
    const uint64_t before = made_;
    for (int turn = 0; turn < 60 && Sound() && !Over() && made_ < before + 3; ++turn) {
      Pass(seconds(1));
      if (Begun() && driver_.core.phase() == Phase::kIdle) return;
      Tell(agg_event::ModelArrived{newest_});
      if (!root_ && driver_.core.phase() == Phase::kDelivering) Tell(agg_event::Delivered{});
      if (!root_ && driver_.core.phase() != Phase::kCollecting) {
        ++newest_.version;
        Tell(NextTask());
        Tell(agg_event::ModelArrived{newest_});
      }
      if (root_ && task_.seq_first == 0) Tell(NextTask());
      for (const char* child : {"c0", "c1", "c2"}) AnswerWell(child);
    }
    EXPECT_TRUE(Over() || !Sound() || made_ >= before + 3)
        << "nothing comes of it in phase " << static_cast<int>(driver_.core.phase());
  }
  void AnswerWell(const NodeId& child) {
    if (!linked_.contains(child)) {
      Tell(agg_event::ChildExpected{child, ++epochs_[child]});
      Tell(agg_event::ChildUp{child, epochs_[child]});
      return;
    }
    const auto granted = granted_.find(child);
    if (granted != granted_.end()) return Tell(agg_event::UploadStaged{granted->second});
    const bool waits = std::any_of(offered_.begin(), offered_.end(),
                                   [&](const auto& entry) { return entry.first.child == child; });
    if (waits || !asked_.contains(child) || asked_[child].over || !has_.contains(child)) return;
    if (has_[child] < asked_[child].task.base) return;  // it cannot train without the model
    Tell(Offered(AnswerOf(child)));
  }

  // ---- the shell ----

  void Tell(const AggregatorEvent& event) {
    if (const auto* down = std::get_if<agg_event::ChildDown>(&event)) linked_.erase(down->child);
    if (const auto* lost = std::get_if<agg_event::ModelLost>(&event)) {
      std::erase_if(has_, [&](const auto& entry) { return entry.second == lost->version; });
    }
    if (const auto* model = std::get_if<agg_event::ModelArrived>(&event)) {
      here_ = std::max(here_, model->version);
    }
    Phase at = driver_.core.phase();
    const auto go = [&](Phase to) {
      if (at != to) seen_->insert({std::exchange(at, to), to});
    };
    const auto actions = driver_.Tell(event);
    for (const AggregatorAction& action : actions) {  // steps that are taken at once
      const bool closes = std::holds_alternative<agg_action::CloseFold>(action);
      if (!closes && !std::holds_alternative<agg_action::Abandon>(action)) continue;
      go(Phase::kCollecting);
      go(closes ? Phase::kDelivering : Phase::kHolding);
    }
    go(driver_.core.phase());
    ++depth_;
    for (const AggregatorAction& action : actions) {
      std::visit([this](const auto& a) { Check(a); }, action);
    }
    if (--depth_ > 0) return;  // more has been decided than done
    uint64_t staged = 0;
    for (const auto& [child, id] : granted_) staged += offered_.at(id).bytes;
    EXPECT_EQ(driver_.core.staged_bytes(), staged);
    EXPECT_TRUE(staged <= 100 || granted_.size() == 1) << staged;
    EXPECT_LE(buckets_.size(), root_ ? 8u : 2u) << "sums of too many bases";
    EXPECT_LE(driver_.timers.size(), 8u) << "wake-ups multiply";
  }
  void Pass(Duration duration) {
    const Time to = driver_.now + duration;
    while (Sound() && !driver_.timers.empty() && *driver_.timers.begin() <= to) {
      driver_.now = std::max(driver_.now, *driver_.timers.begin());
      driver_.timers.erase(driver_.timers.begin());
      Tell(agg_event::Tick{});
    }
    driver_.now = to;
  }

  void Check(const agg_action::Welcome& a) {
    linked_[a.child] = a.epoch;
    if (rng_.Below(2) == 0) has_.erase(a.child);  // another life of it
  }
  void Check(const agg_action::Refuse& a) {
    if (Link(a.child) == a.epoch) linked_.erase(a.child);
  }
  void Check(const agg_action::SendTask& a) {
    EXPECT_TRUE(linked_.contains(a.child));
    EXPECT_FALSE(a.task.participants.empty());
    Asked& asked = asked_[a.child];
    if (asked.task.seq_first == a.task.seq_first) return;  // heard again
    EXPECT_GT(a.task.seq_first, asked.task.seq_first) << a.child;
    EXPECT_GE(a.task.base, asked.task.base) << "an older version than before";
    asked = {.task = a.task, .parts = workers_ ? 1 : 1 + static_cast<uint32_t>(rng_.Below(2))};
  }
  void Check(const agg_action::OfferModel& a) {
    EXPECT_TRUE(linked_.contains(a.child));
    EXPECT_THAT(driver_.core.models(), ::testing::Contains(a.version)) << "it is not here";
    has_[a.child] = a.version;
  }
  void Check(const agg_action::SendCancel& a) {
    EXPECT_TRUE(linked_.contains(a.child));
    asked_[a.child].over = true;
  }
  void Check(const agg_action::SendCommitted&) {}
  void Check(const agg_action::BeginTask&) { buckets_.clear(); }
  void Check(const agg_action::OpenBucket& a) { buckets_.try_emplace(a.key.base); }
  void Check(const agg_action::DropBucket& a) {
    ASSERT_TRUE(buckets_.contains(a.key.base));
    EXPECT_TRUE(buckets_[a.key.base].roster.empty()) << "what was counted is thrown away";
    buckets_.erase(a.key.base);
  }
  void Check(const agg_action::Grant& a) {
    EXPECT_FALSE(a.early) << "it may go into another step than it began in";
    if (!offered_.contains(a.id)) return;  // answered in what followed from an earlier action
    EXPECT_TRUE(granted_.emplace(a.id.child, a.id).second) << "two uploads of one child";
  }
  void Check(const agg_action::Fold& a) {
    EXPECT_TRUE(granted_.contains(a.info.id.child));
    ASSERT_TRUE(buckets_.contains(a.info.base)) << "there is nothing to add it to";
    const bool ok = well_ || rng_.Below(6) != 0;
    if (ok) {
      const Identity identity{a.info.id.child, a.info.seq, a.info.part};
      EXPECT_TRUE(counted_.insert(identity).second) << a.info.id.child << " counted twice";
      EXPECT_FALSE(refused_.contains(identity)) << a.info.id.child << " had been refused";
      EXPECT_LE(here_.version - std::min(here_.version, a.info.base.version), max_staleness_);
      agg_action::Bucket& bucket = buckets_[a.info.base];
      bucket.roster.Merge(a.info.roster);
      bucket.updates += a.info.updates;
    }
    Tell(agg_event::UploadFolded{a.info.id,
                                 ok ? absl::OkStatus() : absl::InvalidArgumentError("NaN")});
  }
  void Check(const agg_action::Acknowledge& a) {
    const auto offered = offered_.find(a.id);
    ASSERT_NE(offered, offered_.end()) << "answered twice";
    const UploadInfo& info = offered->second;
    const Identity identity{a.id.child, info.seq, info.part};
    Asked& asked = asked_[a.id.child];
    const bool due = info.seq == asked.task.seq_first && info.part == asked.parts_taken;
    if (a.status.ok()) {
      EXPECT_TRUE(counted_.contains(identity) || refused_.contains(identity))
          << "acknowledged and not counted";
    } else if (absl::IsInvalidArgument(a.status) || absl::IsOutOfRange(a.status) ||
               absl::IsDataLoss(a.status)) {
      if (!counted_.contains(identity)) refused_.insert(identity);
    }
    const bool over = a.status.ok() || refused_.contains(identity);
    if (due && over && ++asked.parts_taken >= asked.parts) asked.over = true;
    const auto granted = granted_.find(a.id.child);
    if (granted != granted_.end() && granted->second == a.id) granted_.erase(granted);
    offered_.erase(offered);
  }
  void Check(const agg_action::CloseFold& a) {
    ++made_;
    ASSERT_FALSE(a.buckets.empty());
    VersionRef last{0, 0, 0};
    for (const agg_action::Bucket& bucket : a.buckets) {
      ASSERT_TRUE(buckets_.contains(bucket.base)) << "there are no such sums";
      EXPECT_EQ(bucket.roster, buckets_[bucket.base].roster);
      EXPECT_EQ(bucket.updates, buckets_[bucket.base].updates);
      EXPECT_GE(bucket.base, last) << "the oldest comes first";
      last = bucket.base;
      buckets_.erase(bucket.base);
    }
    EXPECT_TRUE(a.roster.IsSubsetOf(a.task.participants));
    EXPECT_EQ(a.into, root_ ? Into::kVersion : Into::kPartial);
    if (!root_) {
      EXPECT_GT(a.task.seq_first, answered_) << "one task is answered twice";
      answered_ = a.task.seq_first;
      return;
    }
    EXPECT_EQ(a.made.version, newest_.version + 1);
    newest_ = a.made;
    Tell(agg_event::ModelArrived{newest_});
    Tell(agg_event::Delivered{});
  }
  void Check(const agg_action::DeliverEvaluation&) { ADD_FAILURE() << "it evaluates nothing"; }
  void Check(const agg_action::Abandon& a) {
    EXPECT_FALSE(a.reason.empty());
    given_up_ = true;
  }
  void Check(const agg_action::Report& a) { EXPECT_EQ(a.event.fields.count("parent"), 1u); }
  void Check(const agg_action::WakeAt&) {}

  Rng rng_;
  std::set<Step>* const seen_;
  bool root_ = false;
  bool workers_ = true;
  bool well_ = false;      // nothing goes wrong any more
  bool given_up_ = false;  // for a root that is the end of the run
  uint64_t max_staleness_ = 0;
  uint64_t last_version_ = 0;
  CoreDriver<StreamCore> driver_;
  Task task_;
  VersionRef newest_;  // that there is
  VersionRef here_;    // that has come to this node
  Seq answered_ = 0;
  uint64_t transfer_ = 0;
  int depth_ = 0;  // of events that follow from one another
  uint64_t made_ = 0;
  std::map<NodeId, Epoch> epochs_, linked_;
  std::map<NodeId, Asked> asked_;
  std::map<NodeId, VersionRef> has_;  // the model that was offered last
  std::map<UploadId, UploadInfo> offered_;
  std::map<NodeId, UploadId> granted_;
  std::map<VersionRef, agg_action::Bucket> buckets_;
  std::set<Identity> counted_, refused_;
};

TEST(StreamCoreProperty, RandomEventsKeepTheRules) {
  std::set<Step> seen;
  uint64_t made = 0;
  const int seeds = SimSeeds(300);
  for (int seed = 0; seed < seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomStream stream(DeriveSeed(23, {static_cast<uint64_t>(seed)}), &seen);
    stream.Run(300);
    made += stream.steps_made();
  }
  EXPECT_GT(made, static_cast<uint64_t>(seeds) * 5) << "too little happens";
  for (const auto& step : StreamCore::Transitions()) {
    EXPECT_TRUE(seen.contains({step.from, step.to})) << "never reached: " << step.why;
  }
}

}  // namespace
}  // namespace skein
