#ifndef SKEIN_SRC_FEDERATION_RUN_SERVICE_H_
#define SKEIN_SRC_FEDERATION_RUN_SERVICE_H_

#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "control/dispatcher.h"
#include "skein/base/thread_pool.h"
#include "skein/builtins/builtins.h"

namespace skein {

// A control plane for many runs, for months: takes specs, waits for the nodes that they name, and
// makes the runs side by side. Everything it keeps is in one directory: `control.db` (who handed in
// what, and what became of it) and `runs/<id>/`, a run directory for each. When it comes up again,
// runs that waited wait on, and those that were under way have failed.
class RunService {
 public:
  struct Options {
    std::string directory;  // created if it is not there
    std::string listen_address;
    bool insecure = false;  // it may listen beyond loopback
    Dispatcher::Limits limits;
  };
  // FailedPrecondition if another process has the directory. `pool` and `registries` outlive it.
  static absl::StatusOr<std::unique_ptr<RunService>> Create(Options options, ThreadPool& pool,
                                                            const Registries& registries);
  virtual ~RunService() = default;

  virtual std::string address() const = 0;
  // Ends the runs that are under way as "stopped" and waits until they have. Once, not from one of
  // the pool's threads.
  virtual void Shutdown(const std::string& reason) = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_RUN_SERVICE_H_
