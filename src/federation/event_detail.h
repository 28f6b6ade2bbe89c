#ifndef SKEIN_SRC_FEDERATION_EVENT_DETAIL_H_
#define SKEIN_SRC_FEDERATION_EVENT_DETAIL_H_

namespace skein {

// What events.jsonl tells of workers: each event, or summaries (summarizing_sink.h). By itself: of
// each in runs of up to 10,000 nodes.
enum class EventDetail { kAuto, kAll, kSummary };

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_EVENT_DETAIL_H_
