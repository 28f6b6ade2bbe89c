#ifndef SKEIN_SRC_CONTROL_RUN_DESK_H_
#define SKEIN_SRC_CONTROL_RUN_DESK_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "control/run_log.h"
#include "skein/control/run_store.h"

namespace skein {

// A run of a control plane for many, for people.
struct RunInfo {
  SubmissionRecord record;
  std::string waits;  // why it has not begun
};

// Where runs are handed in and asked for: the counter of a control plane for many runs. A run is
// named by its id, by the beginning of one that no other has, or by the name in its spec, which
// means the newest of that name. Any thread may call; answers come on any thread, once. NotFound
// for a run that is not there, FailedPrecondition while the control plane ends.
class RunDesk {
 public:
  template <typename T>
  using Reply = std::function<void(absl::StatusOr<T>)>;

  virtual ~RunDesk() = default;
  // A spec that whoever has the learner has resolved. InvalidArgument, ResourceExhausted (a quota)
  // in one line.
  virtual void Submit(std::string spec_yaml, Reply<RunInfo> reply) = 0;
  // All of them, the oldest first.
  virtual void List(Reply<std::vector<RunInfo>> reply) = 0;
  // Ends a run as "stopped", or takes it from the queue. FailedPrecondition if it is over.
  virtual void Stop(std::string run, Reply<RunInfo> reply) = 0;
  struct Watched {
    std::string run_id;
    std::shared_ptr<RunLog> log;
  };
  virtual void Watch(std::string run, Reply<Watched> reply) = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_RUN_DESK_H_
