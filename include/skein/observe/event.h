#ifndef SKEIN_OBSERVE_EVENT_H_
#define SKEIN_OBSERVE_EVENT_H_

#include <cstdint>
#include <string>

#include "skein/base/ids.h"
#include "skein/base/value.h"

namespace skein {

// Names of events, a contract with readers of events.jsonl.
namespace event {
inline constexpr char kRunStarted[] = "run_started";
inline constexpr char kNodeStarted[] = "node_started";
inline constexpr char kRoundOpened[] = "round_opened";
inline constexpr char kUpdateAccepted[] = "update_accepted";
inline constexpr char kUpdateRejected[] = "update_rejected";
inline constexpr char kWorkerLeftOut[] = "worker_left_out";
inline constexpr char kPartialAccepted[] = "partial_accepted";
// Accepted, and too stale when the step of their group was made.
inline constexpr char kUpdatesDropped[] = "updates_dropped";
inline constexpr char kVersionCommitted[] = "version_committed";
inline constexpr char kRoundCommitted[] = "round_committed";
inline constexpr char kEvaluated[] = "evaluated";
// In place of those of single workers, where these are too many: of those below `node`.
inline constexpr char kWorkersSummarized[] = "workers_summarized";
inline constexpr char kNodeLost[] = "node_lost";
inline constexpr char kSteered[] = "steered";
inline constexpr char kSteeringRefused[] = "steering_refused";
inline constexpr char kStopWarned[] = "stop_warned";
inline constexpr char kRunEnded[] = "run_ended";
}  // namespace event

// One thing that happened. `node` is whom it happened at; `fields` are the event's own.
struct Event {
  double time_s = 0;  // since the run started, stamped by the control plane
  std::string type;
  uint64_t round = 0;
  NodeId node;
  ValueMap fields;
};

// Where events go. The owner of a run passes one in; implementations are leaves (a file of JSON
// lines, the console). Called from one executor at a time.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void OnEvent(const Event& event) = 0;
};

// One compact JSON object: time_s, event, round, node, then the fields.
std::string ToJsonLine(const Event& event);

}  // namespace skein

#endif  // SKEIN_OBSERVE_EVENT_H_
