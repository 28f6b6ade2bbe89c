#ifndef SKEIN_SRC_RUNTIME_STREAM_CORE_H_
#define SKEIN_SRC_RUNTIME_STREAM_CORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/aggregator_core.h"

namespace skein {

// Work without a barrier: a child that has contributed is asked again, from the newest version, and
// what comes is collected by the version that it refers to until the policy makes a step of it: at
// the root a version, elsewhere the answer to the parent's task. What is collected before the
// parent has a new task waits for it. A policy may have a schedule: then that says which children
// are asked again when, for how many steps, and which contributions make a step.
class StreamCore : public AggregatorCore {
 public:
  enum class Phase {
    kIdle,           // no task has come, or the last version is made
    kAwaitingModel,  // a task, but no model to start from
    kCollecting,     // a step is owed
    kDelivering,     // one is on its way up; the children work on
    kHolding,        // it has arrived, and the parent has not asked again; the children work on
  };
  struct Transition {
    Phase from;
    Phase to;
    const char* why;
  };
  // Every change of phase there is.
  static std::span<const Transition> Transitions();

  explicit StreamCore(AggregatorCoreConfig config);

  Phase phase() const { return phase_; }
  bool IsAwaited(const NodeId&, uint64_t, const VersionRef&) const override { return false; }

 private:
  // What a child was asked for last.
  struct Work {
    Task task;
    Seq next_seq = 0;
    bool counted = false;  // some part of the answer
  };

  void On(const agg_event::TaskArrived& e) override;
  void On(const agg_event::ModelArrived& e) override;
  void On(const agg_event::ChildEvaluated&) override {}
  void On(const agg_event::LocalModelMade&) override {}
  void On(const agg_event::PassBegun&) override {}  // it has no rounds in which to ask
  void On(const agg_event::Delivered& e) override;
  void On(const agg_event::Cancelled& e) override;
  // A round above is none of the children's: what they hold for it goes into a later one.
  void On(const agg_event::Committed&) override {}
  void OnTime() override;
  void OnLinked(Child& child) override;
  Task TaskOf(const Child& child) const override { return WorkOf(child).task; }
  absl::Status CheckUpload(const Child& child, const UploadInfo& info) const override;
  bool BeforeGrant(const UploadInfo& info) override;
  bool FoldsEarly() const override { return false; }
  absl::Status BeforeFold(UploadInfo& info) override;
  void OnAccepted(Child& child, const UploadInfo& info) override;
  void OnRefused(Child& child, const UploadInfo& info, const std::string& reason) override;
  void OnLost(Child& child, const std::string& reason) override;
  void OnFailed(Child& child, const std::string& reason, const char* event_type) override;
  bool Collecting() const override { return phase_ == Phase::kCollecting; }
  void Close(const std::string&) override;
  void GiveUp(const std::string& reason) override;

  void Enter(Phase to);
  // The control plane has not announced it since.
  static bool IsLost(const Child& child) { return child.lost != 0 && child.expected <= child.lost; }
  bool Working() const { return phase_ != Phase::kIdle && phase_ != Phase::kAwaitingModel; }
  size_t IndexOf(const Child& child) const {
    return static_cast<size_t>(&child - children_.data());
  }
  Work& WorkOf(const Child& child) { return work_[IndexOf(child)]; }
  const Work& WorkOf(const Child& child) const { return work_[IndexOf(child)]; }
  // It was never offered all of what it is to start from.
  bool LacksModel(const Child& child) const { return child.offered != WorkOf(child).task.base; }
  void SetStanding(Child& child, Standing standing);
  void Rest(Child& child);  // until it is asked again, after all else that happens now
  void RestReleased();      // as the schedule says
  void AskResting();
  bool IsFull() const;
  void Ask(Child& child, uint32_t steps);
  void Answered(Child& child, uint64_t lot);
  uint64_t LotOf(const Child& child) const;
  void Open(const BucketKey& key);
  void DropUnused();
  void DropOldModels();
  absl::Status CheckAge(const VersionRef& base) const;
  std::set<VersionRef> BasesNeeded() const;
  void AskPolicy();
  void OnSilence(Duration patience);
  bool StepBySchedule();
  Task Owed() const;
  void MakeStep(const std::vector<uint64_t>& lots, double weight);
  void End(const std::string& reason);

  const std::unique_ptr<ChildSchedule> schedule_;  // null: whoever has contributed is asked again
  Phase phase_ = Phase::kIdle;
  Task task_;                          // as it came last
  uint64_t last_version_ = 0;          // at the root
  bool given_up_ = false;              // nothing has come of it
  std::optional<VersionRef> current_;  // what children are asked to start from
  std::vector<Work> work_;             // by child
  std::set<size_t> resting_;           // children, by index
  bool rest_ends_ = false;             // a wake-up for them is on its way
  size_t pending_ = 0;                 // children at work
  size_t failed_ = 0;                  // children that are not, before a newer version
  int accepted_ = 0;                   // contributions since the last step
  Time stepped_{0};                    // when that was
  Time heard_{0};  // when the last contribution came, or the first was asked for
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_STREAM_CORE_H_
