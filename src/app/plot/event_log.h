#ifndef SKEIN_SRC_APP_PLOT_EVENT_LOG_H_
#define SKEIN_SRC_APP_PLOT_EVENT_LOG_H_

#include <functional>
#include <string>

#include <absl/status/statusor.h>

#include "skein/observe/event.h"

namespace skein::plot {

// A line of events.jsonl. InvalidArgument with what is wrong with it.
absl::StatusOr<Event> ParseEvent(const std::string& line);

// Hands the events of a run directory to `visit`, in their order, one at a time: a long run has
// more than one would keep. NotFound if there is no such directory or log; InvalidArgument with
// file and line if there is something else than an event. Of a run that is under way, the last line
// may be half written, and is left out.
absl::Status ReadEvents(const std::string& directory,
                        const std::function<void(const Event&)>& visit);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_EVENT_LOG_H_
