#ifndef SKEIN_TRANSPORT_FRAME_H_
#define SKEIN_TRANSPORT_FRAME_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "skein/base/ids.h"
#include "skein/base/roster.h"
#include "skein/strategy/contribution.h"
#include "skein/strategy/numeric_plan.h"
#include "skein/strategy/params.h"
#include "skein/tensor/manifest.h"

namespace skein {

// What a parent and a child say to each other. The wire form is proto/skein/v1/data_plane.proto;
// docs/life_of_a_round.md shows the order. "Down" is parent to child.

inline constexpr uint32_t kProtocolVersion = 1;

// Up, first on every link: who is there, under which attachment.
struct HelloFrame {
  uint32_t protocol = kProtocolVersion;
  std::string run;
  NodeId node;
  Incarnation incarnation = 0;
  Epoch epoch = 0;
};

// Down, the answer: the link may be used.
struct WelcomeFrame {
  uint32_t protocol = kProtocolVersion;
  Incarnation incarnation = 0;  // the parent's
};

enum class TaskKind : uint8_t { kTrain = 1, kEvaluate = 2 };

// Down: work for the child's subtree. Worker and aggregator get the same message. Sequence numbers
// of a subtree's workers are seq_first <= seq < seq_first + seq_count; an aggregator with kappa
// local rounds gives each an equal share. With a pass in its base, the task is not for workers:
// those that hold the contributions to the same task of the pass before answer a question about
// them.
struct Task {
  TaskKind kind = TaskKind::kTrain;
  uint64_t round = 0;
  uint32_t attempt = 0;
  uint32_t local_round = 0;
  VersionRef base;
  Seq seq_first = 0;
  uint32_t seq_count = 1;
  Roster participants;    // in the child's subtree
  TierPolicies policies;  // that steering has put in place of the run's, from this task on
  uint32_t steps = 0;     // local steps of each worker; 0: the learner's own number
  // Of each worker, with the result: the selector goes by them.
  bool wants_reports = false;
};

// Whether `b` is `a` heard again.
bool IsSameTask(const Task& a, const Task& b);

enum class TransferKind : uint8_t { kModel = 1, kUpdate = 2, kPartial = 3 };

struct ModelHeader {
  VersionRef version;
  NumericPlan numeric;
};

// How a transfer's tensors are encoded; see CodecPipeline (skein/codec/pipeline.h).
struct Encoding {
  std::string form;                // the pipeline's
  uint64_t bytes = 0;              // of the payload
  std::optional<VersionRef> base;  // of a model that is a difference: the receiver must have this
  friend bool operator==(const Encoding&, const Encoding&) = default;
};

// Both ways: tensors that the sender has for the receiver. What is granted, sent in chunks and
// summed is the payload, if they are encoded.
struct OfferFrame {
  uint64_t transfer = 0;  // chosen by the sender, unique on the link
  Manifest manifest;      // of the tensors, encoded or not
  std::variant<ModelHeader, UpdateHeader, PartialHeader> header;
  std::optional<Encoding> encoding = {};
  uint64_t size() const { return encoding ? encoding->bytes : manifest.total_bytes(); }
};

// Answer to an offer: send from this byte on. The receiver gives it when it has room. An offset
// equal to the size means that the receiver has everything; only the trailer is due then.
struct GrantFrame {
  uint64_t transfer = 0;
  uint64_t offset = 0;
};

// A piece of a transfer, in order, after its grant.
struct ChunkFrame {
  uint64_t transfer = 0;
  uint64_t offset = 0;
  uint64_t checksum = 0;  // XXH3-64 of the bytes
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;  // keeps `bytes` alive
};

// The end of a transfer. `digest`: TransferDigest for models, empty for updates and partials.
struct TrailerFrame {
  uint64_t transfer = 0;
  std::string digest;
};

// Answer to an update or partial (accepted or not, with the reason), or refusal of any offer.
// A model is acknowledged after its digest matched.
struct AckFrame {
  uint64_t transfer = 0;
  int code = 0;  // absl::StatusCode; 0 is accepted
  std::string message;
};

// Up: the child will not contribute to this task, and why.
struct TaskFailedFrame {
  TaskKind kind = TaskKind::kTrain;
  uint64_t round = 0;
  uint32_t local_round = 0;
  std::string reason;
  bool bad_update = false;  // the learner returned one that the worker itself has to refuse
};

// Up: the result of an evaluation task, merged over the subtree.
struct EvalReportFrame {
  uint64_t round = 0;
  VersionRef version;
  uint64_t num_samples = 0;
  Roster roster;
  MetricSums metrics;
};

// Down: this version is committed; updates of rounds up to `round` may be dropped.
struct CommittedFrame {
  uint64_t round = 0;
  VersionRef version;
};

// Down: the task's time is over; whatever is unfinished will not be taken.
struct CancelFrame {
  uint64_t round = 0;
  uint32_t local_round = 0;
  std::string reason;
};

// Either way, last: a regular good-bye.
struct ByeFrame {
  std::string reason;
};

using Frame =
    std::variant<HelloFrame, WelcomeFrame, Task, OfferFrame, GrantFrame, ChunkFrame, TrailerFrame,
                 AckFrame, TaskFailedFrame, EvalReportFrame, CommittedFrame, CancelFrame, ByeFrame>;

// "offer", "chunk", ... for logs and fault plans.
const char* NameOf(const Frame& frame);

// Bytes of the frame on the wire, by protobuf's rules; what `inproc` counts.
size_t EncodedSize(const Frame& frame);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_FRAME_H_
