#ifndef SKEIN_SRC_RUNTIME_AGGREGATOR_CORE_H_
#define SKEIN_SRC_RUNTIME_AGGREGATOR_CORE_H_

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/leaf_set.h"
#include "runtime/aggregator_messages.h"
#include "runtime/recent_grants.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/round_policy.h"
#include "skein/strategy/staleness.h"

namespace skein {

struct AggregatorCoreConfig {
  NodeView view;
  std::shared_ptr<const RoundPolicy> policy;
  int kappa = 1;                // local rounds per task; 1 at the coordinator
  bool reports_as_one = false;  // what it makes is one contribution to another fold above
  bool answers_passes = false;  // it answers what is asked above about its contributions
  bool leads_passes = false;    // it asks those below about theirs
  uint64_t staging_bytes = 0;   // of granted uploads at one time; one is always admitted
  Duration upload_stall_timeout{0};
  std::shared_ptr<const Staleness> staleness;  // of what refers to older versions than the newest
  size_t bases_kept = 0;  // so many models that updates refer to are needed to fold them; 0: none
};

// What one worker may contribute to one step, on average: bounds of the exact sums leave room for
// it. More than one only without a barrier, where quick workers are asked again at once.
inline constexpr uint64_t kContributionsOfAWorker = 16;

// The decisions of an aggregator or coordinator: whose updates count, when a step is made, who may
// send when. Pure: time comes in with the event, everything to be done goes out as actions, in
// order. Bytes, links, clocks and files are the shell's (aggregating_node.h). A fold is asked for
// with Fold and answered with UploadFolded before the next event.
//
// This part knows the children: their attachments, and their uploads under the credit that bounds
// what is staged. What they are asked for, and when it is enough, is a subclass's: BarrierCore,
// StreamCore.
class AggregatorCore {
 public:
  virtual ~AggregatorCore() = default;

  std::vector<AggregatorAction> Handle(const AggregatorEvent& event, Time now);

  // Models that may still be asked for; the shell may let go of others.
  const std::deque<VersionRef>& models() const { return models_; }
  // Whether an evaluation by this child would count now.
  virtual bool IsAwaited(const NodeId& child, uint64_t round, const VersionRef& version) const = 0;
  // Of the same kind, from the next task on or, without a barrier, the next event.
  void set_policy(std::shared_ptr<const RoundPolicy> policy) { config_.policy = std::move(policy); }
  void set_staging_bytes(uint64_t bytes) { config_.staging_bytes = bytes; }
  uint64_t staged_bytes() const { return staged_bytes_; }

 protected:
  // How a child stands in what is asked of it.
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
    std::optional<Time> asked;  // since when it has its task, if it has one
    uint32_t parts_taken = 0;   // of its answer to the task
    // The last task whose answer counts, maybe of an earlier round, and how many parts of it.
    struct Counted {
      Seq seq = 0;
      uint32_t pass = 0;
      uint32_t parts = 0;
    };
    std::optional<Counted> counted;
    // What it contributed to the open task, before anything is asked about it in passes.
    Roster contributed = {};
    uint64_t contributed_updates = 0;
    std::optional<CancelFrame> owed;  // that it must hear when it is linked again
    std::optional<UploadId> upload;   // the one under way
    uint64_t last_grant = 0;          // the number of its last; 0: none yet
    bool is_worker() const { return view.role == NodeRole::kWorker; }
  };

  explicit AggregatorCore(AggregatorCoreConfig config);

  // ---- for subclasses to say ----
  virtual void On(const agg_event::TaskArrived& e) = 0;
  virtual void On(const agg_event::ModelArrived& e) = 0;
  virtual void On(const agg_event::ChildEvaluated& e) = 0;
  virtual void On(const agg_event::LocalModelMade& e) = 0;
  virtual void On(const agg_event::PassBegun& e) = 0;
  virtual void On(const agg_event::Delivered& e) = 0;
  virtual void On(const agg_event::Cancelled& e) = 0;
  virtual void On(const agg_event::Committed& e) = 0;
  virtual void OnTime() = 0;  // a wake-up, or just an event
  virtual void OnLinked(Child& child) = 0;
  // What the child was asked for last.
  virtual Task TaskOf(const Child& child) const = 0;
  // Whether an upload on offer can count. FailedPrecondition if it is late or stray, which changes
  // nothing; another error is the child's failure.
  virtual absl::Status CheckUpload(const Child& child, const UploadInfo& info) const = 0;
  // The next upload may begin. False: not now, and none behind it either.
  virtual bool BeforeGrant(const UploadInfo& info) = 0;
  virtual bool FoldsEarly() const = 0;
  // It is whole and will be folded next, unless it is no good any more: into which lot?
  virtual absl::Status BeforeFold(UploadInfo& info) = 0;
  // It was folded.
  virtual void OnAccepted(Child& child, const UploadInfo& info) = 0;
  // What a pending child offered is no good.
  virtual void OnRefused(Child& child, const UploadInfo& info, const std::string& reason) = 0;
  // A pending child will not contribute.
  virtual void OnFailed(Child& child, const std::string& reason, const char* event_type) = 0;
  virtual void OnLost(Child& child, const std::string& reason) = 0;
  virtual bool Collecting() const = 0;  // the policy may make a step
  virtual void Close(const std::string& reason) = 0;
  virtual void GiveUp(const std::string& reason) = 0;

  // ---- for subclasses to use ----
  Child* Find(const NodeId& id);
  const Child* Find(const NodeId& id) const;
  bool IsRoot() const { return config_.view.tier == 0; }
  bool HasModel(const VersionRef& version) const;
  void OfferModel(Child& child, const VersionRef& version);  // unless it has it, or there is none
  // What can be said against an upload whatever the policy. FailedPrecondition if it is late.
  absl::Status CheckForm(const Child& child, const UploadInfo& info, const Task& task,
                         const VersionRef& newest) const;
  absl::Status CheckStaleness(const VersionRef& base, const VersionRef& newest) const;
  static uint64_t StalenessOf(const VersionRef& base, const VersionRef& newest);
  // The part of a roster that is in the child's subtree.
  static Roster Within(const Child& child, const Roster& roster);
  // What granted uploads refer to.
  std::set<VersionRef> BasesUnderWay() const;
  // Counts what was folded with the others of its base.
  void Count(const UploadInfo& info);
  // Whether someone of the roster has been counted for that base, where there are no lots.
  bool IsCounted(const VersionRef& base, const Roster& roster) const;
  void ClearBuckets();
  // A step of all that was counted in the lots, weighed by how much older than `base` it is; empty
  // buckets stay.
  agg_action::CloseFold TakeBuckets(const Task& task, const VersionRef& base,
                                    const std::vector<uint64_t>& lots = {0});
  // Asks the policy, with the time since `since`, and does what it says. Again at `at` at the
  // latest.
  void AskPolicy(PolicyView view, Time since, Time at = Time::max());
  void AskAgainAt(Time at) { policy_asks_at_ = at; }
  void Report(const char* type, const Child& child, uint64_t round, ValueMap fields);
  // Since the child was asked, to the microsecond, as events are stamped; none: it was not.
  std::optional<double> TaskSeconds(const Child& child) const;
  void SendTask(Child& child, const Task& task);  // anew, or again after a reconnection
  void ReportAccepted(const Child& child, const UploadInfo& info, ValueMap fields);
  void ReportFailed(const char* type, const Child& child, const std::string& reason);
  // Forgets an upload, gives its credit back and tells the child.
  void DropUpload(const UploadId& id, const absl::Status& status);
  template <typename T>
  void Do(T action) {
    actions_.emplace_back(std::move(action));
  }

  AggregatorCoreConfig config_;
  std::vector<Child> children_;
  std::deque<VersionRef> models_;  // that the shell holds, newest last
  // That are open; maybe empty. Their rosters are in members_ until they are taken.
  std::map<BucketKey, agg_action::Bucket> buckets_;
  Time now_{0};

 private:
  // Who waits for a grant: first the child whose last one is the longest ago, then who came first.
  // So each child waits for one upload of every other at most, in whatever order they are asked and
  // however quick some are.
  using Turn = std::pair<uint64_t, uint64_t>;
  struct Upload {
    UploadInfo info;
    uint64_t grant = 0;  // the number of its grant; 0: none yet
    Time last_progress{0};
    Turn turn;  // while it waits
    bool granted() const { return grant != 0; }
  };

  void On(const agg_event::ChildExpected& e);
  void On(const agg_event::ChildUp& e);
  void On(const agg_event::ChildDown& e);
  void On(const agg_event::ChildLost& e);
  void On(const agg_event::ModelLost& e);
  void On(const agg_event::UploadOffered& e);
  void On(const agg_event::UploadProgressed& e);
  void On(const agg_event::UploadStaged& e);
  void On(const agg_event::UploadFolded& e);
  void On(const agg_event::UploadBroken& e);
  void On(const agg_event::ChildFailed& e);
  void On(const agg_event::Tick& e);

  // Whether it is something that the child has contributed already.
  static bool IsCounted(const Child& child, const UploadInfo& info);
  void Link(Child& child, Epoch epoch);
  void RefuseVoid(const Child& child, Epoch epoch);
  void GrantWaiting();
  void CheckStalls();
  void SetWake();
  // What is counted there is too stale.
  void Drop(const BucketKey& key, const std::string& reason);

  std::map<BucketKey, LeafSet> members_;  // of buckets that are not empty
  std::map<NodeId, size_t> index_;
  std::map<UploadId, Upload> uploads_;
  std::map<Turn, UploadId> queue_;  // waiting for a grant
  uint64_t offers_ = 0;
  uint64_t grants_ = 0;
  uint64_t staged_bytes_ = 0;
  RecentGrants recent_grants_;
  Time room_at_ = Time::max();         // for more grants, if they were too many
  Time stalls_at_ = Time::max();       // no granted upload has stalled before
  Time policy_asks_at_ = Time::max();  // while collecting
  std::set<Time> wakes_;               // asked for and still to come
  std::vector<AggregatorAction> actions_;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_AGGREGATOR_CORE_H_
