#ifndef SKEIN_SRC_APP_RUN_WATCH_H_
#define SKEIN_SRC_APP_RUN_WATCH_H_

#include <cstdint>
#include <functional>
#include <string>

#include <absl/status/statusor.h>

#include "control/grpc/runs_client.h"

namespace skein {

// How a watched run ended; empty: it has not, or the watcher has gone.
struct WatchEnd {
  std::string status;
  std::string reason;
};

// Watches a run line by line and comes back to a control plane that was away: every line is told
// once. `keep_on` is asked before each further attempt, after a pause.
absl::StatusOr<WatchEnd> WatchRun(RunsClient& client, const std::string& run, uint64_t from,
                                  bool follow, RunsClient::Watcher watcher,
                                  const std::function<bool()>& pause);

}  // namespace skein

#endif  // SKEIN_SRC_APP_RUN_WATCH_H_
