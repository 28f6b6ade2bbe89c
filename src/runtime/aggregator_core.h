#ifndef SKEIN_SRC_RUNTIME_AGGREGATOR_CORE_H_
#define SKEIN_SRC_RUNTIME_AGGREGATOR_CORE_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "runtime/aggregator_messages.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/round_policy.h"

namespace skein {

struct AggregatorCoreConfig {
  NodeView view;
  std::shared_ptr<const RoundPolicy> policy;
  int kappa = 1;               // local rounds per task; 1 at the coordinator
  uint64_t staging_bytes = 0;  // of granted uploads at one time; one is always admitted
  Duration upload_stall_timeout{0};
};

// The decisions of an aggregator or coordinator: whose updates count, when a round closes, who may
// send when. Pure: time comes in with the event, everything to be done goes out as actions, in
// order. Bytes, links, clocks and files are the shell's (aggregator_node.h). A fold is asked for
// with Fold and answered with UploadFolded before the next event.
class AggregatorCore {
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

  explicit AggregatorCore(AggregatorCoreConfig config);

  std::vector<AggregatorAction> Handle(const AggregatorEvent& event, Time now);

  Phase phase() const { return phase_; }
  // Models that may still be asked for; the shell may let go of others.
  const std::deque<VersionRef>& models() const { return models_; }
  // Whether an evaluation by this child would count now.
  bool IsAwaited(const NodeId& child, uint64_t round, const VersionRef& version) const;
  void set_staging_bytes(uint64_t bytes) { config_.staging_bytes = bytes; }
  uint64_t staged_bytes() const { return staged_bytes_; }

 private:
  // How a child stands in the open task.
  enum class Standing { kNotAsked, kPending, kAccepted, kFailed };
  struct Child {
    NodeView::Child view;
    Epoch expected = 0;                 // the epoch the control plane announced; 0: none yet
    Epoch lost = 0;                     // the last epoch that it declared lost
    Epoch linked = 0;                   // the epoch of the live link; 0: none
    Epoch waiting = 0;                  // said hello before it was announced
    std::optional<VersionRef> offered;  // the last model offered on the live link
    Standing standing = Standing::kNotAsked;
    std::string failure;
    std::optional<UploadId> upload;  // the one under way
  };
  struct Upload {
    UploadInfo info;
    bool granted = false;
    Time last_progress{0};
  };

  void On(const agg_event::ChildExpected& e);
  void On(const agg_event::ChildUp& e);
  void On(const agg_event::ChildDown& e);
  void On(const agg_event::ChildLost& e);
  void On(const agg_event::TaskArrived& e);
  void On(const agg_event::ModelArrived& e);
  void On(const agg_event::ModelLost& e);
  void On(const agg_event::UploadOffered& e);
  void On(const agg_event::UploadProgressed& e);
  void On(const agg_event::UploadStaged& e);
  void On(const agg_event::UploadFolded& e);
  void On(const agg_event::UploadBroken& e);
  void On(const agg_event::ChildFailed& e);
  void On(const agg_event::ChildEvaluated& e);
  void On(const agg_event::LocalModelMade& e);
  void On(const agg_event::Delivered& e);
  void On(const agg_event::Cancelled& e);
  void On(const agg_event::Committed& e);
  void On(const agg_event::Tick& e);

  Child* Find(const NodeId& id);
  void Enter(Phase to);
  bool IsRoot() const { return config_.view.tier == 0; }
  uint32_t Share() const;        // worker tasks in one local round
  VersionRef LocalBase() const;  // what the open local round starts from
  Task ChildTask(const Child& child) const;
  void Link(Child& child, Epoch epoch);
  void RefuseVoid(const Child& child, Epoch epoch);
  void StartCollecting();
  void AskChild(Child& child);
  void OfferBase(Child& child);
  absl::Status CheckUpload(const Child& child, const UploadInfo& info) const;
  bool IsCounted(const Child& child, const UploadInfo& info) const;
  void DropUpload(const UploadId& id, const absl::Status& status);
  void GrantWaiting();
  void Fail(Child& child, const std::string& reason, const char* event_type);
  void AskPolicy();
  void Close(const std::string& reason);
  void GiveUp(const std::string& reason);
  void SettlePending(const std::string& reason);  // children that will not be waited for
  void CheckStalls();
  void SetWake();
  std::string Failures() const;
  template <typename T>
  void Do(T action) {
    actions_.emplace_back(std::move(action));
  }
  void ReportChild(const char* type, const Child& child, ValueMap fields);

  AggregatorCoreConfig config_;
  std::map<NodeId, size_t> index_;
  std::vector<Child> children_;
  Phase phase_ = Phase::kIdle;
  Task task_;                            // as it came
  std::optional<std::string> given_up_;  // why nothing came of it
  int local_ = 0;                        // local rounds done
  Time opened_{0};                       // when the children were asked
  Roster roster_;                        // accepted in this local round
  std::deque<VersionRef> models_;        // that the shell holds, newest last
  std::map<UploadId, Upload> uploads_;
  std::deque<UploadId> queue_;  // waiting for a grant
  uint64_t staged_bytes_ = 0;
  Time stalls_at_ = Time::max();       // no granted upload has stalled before
  Time policy_asks_at_ = Time::max();  // while collecting
  std::set<Time> wakes_;               // asked for and still to come
  Time now_{0};
  std::vector<AggregatorAction> actions_;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_AGGREGATOR_CORE_H_
