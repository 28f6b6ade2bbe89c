#ifndef SKEIN_SRC_RUNTIME_AGGREGATOR_MESSAGES_H_
#define SKEIN_SRC_RUNTIME_AGGREGATOR_MESSAGES_H_

#include <string>
#include <variant>
#include <vector>

#include <absl/status/status.h>

#include "skein/base/time.h"
#include "skein/observe/event.h"
#include "skein/transport/frame.h"

// The events that AggregatorCore takes and the actions that it returns.

namespace skein {

// Contributions that are summed together: of one lot, to one base.
struct BucketKey {
  uint64_t lot = 0;
  VersionRef base;
  friend auto operator<=>(const BucketKey&, const BucketKey&) = default;
};

// An upload at this node: the child, its attachment, and the transfer's number on that link.
struct UploadId {
  NodeId child;
  Epoch epoch = 0;
  uint64_t transfer = 0;
  friend auto operator<=>(const UploadId&, const UploadId&) = default;
};

// What the core knows of an upload; the bytes are the shell's.
struct UploadInfo {
  UploadId id;
  TransferKind kind = TransferKind::kUpdate;
  uint64_t round = 0;
  uint32_t local_round = 0;
  VersionRef base;
  Seq seq = 0;        // the task's
  uint32_t part = 0;  // of the partials that answer it
  uint32_t parts = 1;
  uint64_t num_samples = 0;
  uint64_t updates = 1;
  Roster roster;
  std::vector<WorkerReport> reports = {};  // of its members, if the task wants them
  uint64_t bytes = 0;
  uint64_t lot = 0;   // that it belongs to, from when it is folded; see ChildSchedule
  absl::Status form;  // what the shell found when it compared the manifest with the model's
};

// What happens to an aggregating node.
namespace agg_event {
struct ChildExpected {
  NodeId child;
  Epoch epoch = 0;
};  // control plane
struct ChildUp {
  NodeId child;
  Epoch epoch = 0;
};  // said hello
struct ChildDown {
  NodeId child;
  Epoch epoch = 0;
};  // its link broke
struct ChildLost {
  NodeId child;
  Epoch epoch = 0;
  std::string reason;
};  // control plane
// `last_version`: at a root without a barrier, the one to end with; otherwise 0. `life`: the node's
// attachment, which tells its lives apart; 0 at the root.
struct TaskArrived {
  Task task;
  uint64_t last_version = 0;
  Epoch life = 0;
};
struct ModelArrived {
  VersionRef version;
};  // it can be sent on; at an aggregator it may still be growing
struct ModelLost {
  VersionRef version;
};  // it stopped growing; it may arrive again
struct UploadOffered {
  UploadInfo info;
};
struct UploadProgressed {
  UploadId id;
};
struct UploadStaged {
  UploadId id;
};
struct UploadFolded {
  UploadId id;
  absl::Status status;
};
struct UploadBroken {
  UploadId id;
  std::string reason;
};  // data did not hold
struct ChildFailed {
  NodeId child;
  TaskFailedFrame what;
};
struct ChildEvaluated {
  NodeId child;
  uint64_t round = 0;
  VersionRef version;
  Roster roster;
};
struct LocalModelMade {
  VersionRef version;
};
// The question that the step's last action named is here: it is asked of those who contributed.
struct PassBegun {
  VersionRef question;
};
struct Delivered {};  // the result went up, or was refused there
struct Cancelled {
  uint64_t round = 0;
  std::string reason;
};  // by the parent
struct Committed {
  uint64_t round = 0;
  VersionRef version;
};
struct Tick {};
}  // namespace agg_event

using AggregatorEvent =
    std::variant<agg_event::ChildExpected, agg_event::ChildUp, agg_event::ChildDown,
                 agg_event::ChildLost, agg_event::TaskArrived, agg_event::ModelArrived,
                 agg_event::ModelLost, agg_event::UploadOffered, agg_event::UploadProgressed,
                 agg_event::UploadStaged, agg_event::UploadFolded, agg_event::UploadBroken,
                 agg_event::ChildFailed, agg_event::ChildEvaluated, agg_event::LocalModelMade,
                 agg_event::PassBegun, agg_event::Delivered, agg_event::Cancelled,
                 agg_event::Committed, agg_event::Tick>;

// What its shell is to do.
namespace agg_action {
struct Welcome {
  NodeId child;
  Epoch epoch = 0;
};
struct Refuse {
  NodeId child;
  Epoch epoch = 0;
  absl::Status why;
};
struct SendTask {
  NodeId child;
  Task task;
};
struct OfferModel {
  NodeId child;
  VersionRef version;
};
struct SendCancel {
  NodeId child;
  CancelFrame cancel;
};
struct SendCommitted {
  NodeId child;
  CommittedFrame committed;
};
// Nothing has been collected for this task.
struct BeginTask {
  Task task;
};
// An empty accumulator and tally, unless there is one.
struct OpenBucket {
  BucketKey key;
};
// It is empty, and nothing is on its way to it.
struct DropBucket {
  BucketKey key;
};
// `early`: fold it while it arrives, into a bucket that will not be closed before it is whole.
struct Grant {
  UploadId id;
  bool early = true;
};
struct Fold {
  UploadInfo info;
};
struct Acknowledge {
  UploadId id;
  absl::Status status;
};  // and let go of its bytes
// Contributions of a lot to one base.
struct Lot {
  uint64_t number = 0;
  Roster roster;
  uint64_t updates = 0;
};
// Contributions that refer to one base.
struct Bucket {
  VersionRef base;
  Roster roster;
  uint64_t updates = 0;
  double staleness_weight = 1;  // of the coordinator's
  std::vector<Lot> lots = {};   // in which they lie
};
// These buckets are complete, and gone after this: make of them ...
struct CloseFold {
  enum class Into {
    kPartial,     // the partial for the parent
    kLocalModel,  // the base of the next local round
    kLocalDelta,  // the last local model's difference to the task's base, for the parent: after
                  // several local rounds, or for another fold
    kVersion,     // the next global model (coordinator)
  };
  Into into = Into::kPartial;
  Task task;
  VersionRef base;              // the newest that updates may refer to: the model before this step
  VersionRef made;              // the name of the local model or version
  std::vector<Bucket> buckets;  // the oldest base first; of one base for local models and deltas
  Roster roster;                // of all of them
  double weight = 1;            // the step is taken so far only
  // Of a fold in passes: what this one has asked about the contributions above, which are as they
  // were in the first; the model itself in that one. And the name of a further question.
  VersionRef asked = {};
  VersionRef next_question = {};
  bool begins_anew = false;  // some of those who were asked are gone, and are not among them now
  std::vector<WorkerReport> reports = {};  // of the workers, if the task wants them
};
struct DeliverEvaluation {
  Task task;
  Roster roster;
};
struct Abandon {
  Task task;
  std::string reason;
};  // nothing comes of the task; tell upward
struct Report {
  Event event;
};
struct WakeAt {
  Time when{0};
};
}  // namespace agg_action

using AggregatorAction =
    std::variant<agg_action::Welcome, agg_action::Refuse, agg_action::SendTask,
                 agg_action::OfferModel, agg_action::SendCancel, agg_action::SendCommitted,
                 agg_action::BeginTask, agg_action::OpenBucket, agg_action::DropBucket,
                 agg_action::Grant, agg_action::Fold, agg_action::Acknowledge,
                 agg_action::CloseFold, agg_action::DeliverEvaluation, agg_action::Abandon,
                 agg_action::Report, agg_action::WakeAt>;

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_AGGREGATOR_MESSAGES_H_
