#ifndef SKEIN_SRC_RUNTIME_BARRIER_CORE_H_
#define SKEIN_SRC_RUNTIME_BARRIER_CORE_H_

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runtime/aggregator_core.h"

namespace skein {

// Rounds with a barrier: a task goes to the children, each contributes once, the policy closes, and
// what was collected goes up before the next task comes.
class BarrierCore : public AggregatorCore {
 public:
  enum class Phase {
    kIdle,           // no task
    kAwaitingModel,  // a task, but not the model it starts from
    kCollecting,     // children work; their results are taken
    kDelivering,     // the result is on its way up
  };
  struct Transition {
    Phase from;
    Phase to;
    const char* why;
  };
  // Every change of phase there is.
  static std::span<const Transition> Transitions();

  explicit BarrierCore(AggregatorCoreConfig config) : AggregatorCore(std::move(config)) {}

  Phase phase() const { return phase_; }
  bool IsAwaited(const NodeId& child, uint64_t round, const VersionRef& version) const override;

 private:
  void On(const agg_event::TaskArrived& e) override;
  void On(const agg_event::ModelArrived& e) override;
  void On(const agg_event::ChildEvaluated& e) override;
  void On(const agg_event::LocalModelMade& e) override;
  void On(const agg_event::PassBegun& e) override;
  void On(const agg_event::Delivered& e) override;
  void On(const agg_event::Cancelled& e) override;
  void On(const agg_event::Committed& e) override;
  void OnTime() override;
  void OnLinked(Child& child) override;
  Task TaskOf(const Child& child) const override;
  absl::Status CheckUpload(const Child& child, const UploadInfo& info) const override;
  bool BeforeGrant(const UploadInfo& info) override;
  bool FoldsEarly() const override { return true; }
  absl::Status BeforeFold(UploadInfo&) override { return absl::OkStatus(); }
  void OnAccepted(Child& child, const UploadInfo& info) override;
  void OnRefused(Child& child, const UploadInfo& info, const std::string& reason) override;
  void OnLost(Child& child, const std::string& reason) override;
  void OnFailed(Child& child, const std::string& reason, const char* event_type) override;
  bool Collecting() const override { return phase_ == Phase::kCollecting; }
  void Close(const std::string& reason) override;
  void GiveUp(const std::string& reason) override;

  void Enter(Phase to);
  uint32_t Share() const;                 // worker tasks in one local round
  VersionRef LocalBase(int local) const;  // what a local round starts from
  // What children are asked about: that, or in a pass that is led here the question.
  VersionRef Base() const { return BaseOf(pass_); }
  VersionRef BaseOf(uint32_t pass) const;
  bool InPass() const { return pass_ > 0; }
  void LetGo();  // of the contributions, about which nobody will ask any more
  // Whether the task asks about what has been collected for the one before.
  bool GoesOn(const Task& task) const;
  void StartCollecting();
  void AskChild(Child& child);
  void Accept(Child& child);
  void Fail(Child& child, const std::string& reason, const char* event_type);
  void AskPolicy();
  void AwaitAnswers();  // in a pass, in its place
  // Tells a child that what it contributed does not count, or as soon as it is linked again.
  void TellCancelled(Child& child, const std::string& reason);
  // Goes on without those who did not answer in a pass, or gives up.
  bool LeaveOut();
  void SettlePending(const std::string& reason);  // children that will not be waited for
  // Tells those that have contributed that it was for nothing: their workers are not to take the
  // round's commit for theirs, if it is committed without this subtree.
  void TakeBack(const std::string& reason);
  std::string Failures() const;
  // Keeps what is said of workers, if the task wants it.
  void TakeReports(const Child& child, const UploadInfo& info);

  Phase phase_ = Phase::kIdle;
  Task task_;                            // as it came
  std::optional<std::string> given_up_;  // why nothing came of it
  int local_ = 0;                        // local rounds done
  uint32_t pass_ = 0;                    // of the open local round; 0: contributions come
  std::optional<agg_action::CloseFold> contributions_;  // that passes ask about
  PolicyView standings_;                                // of the children
  PolicyView counted_;                         // of the contributions that passes ask about
  Time contributed_{0};                        // when they were asked for
  Time opened_{0};                             // when they were asked
  Roster evaluated_;                           // whose evaluations have come
  std::map<LeafIndex, WorkerReport> reports_;  // the last of each, over all local rounds
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_BARRIER_CORE_H_
