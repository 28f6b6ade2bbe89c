#ifndef SKEIN_SRC_CONTROL_GRPC_RUNS_CLIENT_H_
#define SKEIN_SRC_CONTROL_GRPC_RUNS_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "control/run_desk.h"

namespace skein {

// The desk of a control plane in another process. Calls block; any thread may make them.
// Unavailable if the control plane cannot be reached, Unimplemented if it has but one run.
class RunsClient {
 public:
  virtual ~RunsClient() = default;
  virtual absl::StatusOr<RunInfo> Submit(const std::string& spec_yaml) = 0;
  virtual absl::StatusOr<std::vector<RunInfo>> List() = 0;
  virtual absl::StatusOr<RunInfo> Stop(const std::string& run) = 0;

  struct Watcher {
    std::function<void(const std::string& run_id)> on_run;
    std::function<void(const std::string& why)> on_waits;  // "": it has begun
    std::function<void(uint64_t number, const std::string& line)> on_line;
  };
  // Lines of the run's events.jsonl from the given one on: until it has ended if `follow`, else
  // those that are there. OK then.
  virtual absl::Status Watch(const std::string& run, uint64_t from, bool follow,
                             const Watcher& watcher) = 0;
  // From another thread: ends a Watch, with Cancelled.
  virtual void Cancel() = 0;
};

// InvalidArgument if the address is none.
absl::StatusOr<std::unique_ptr<RunsClient>> MakeRunsClient(const std::string& address);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_RUNS_CLIENT_H_
