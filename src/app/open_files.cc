#include "app/open_files.h"

#include <sys/resource.h>

namespace skein {

uint64_t FilesFor(uint64_t connections) {
  // Libraries, logs, the run directory, the threads of gRPC: some 30 are open without a connection.
  constexpr uint64_t kOwn = 64;
  return connections + kOwn;
}

absl::Status AllowOpenFiles(uint64_t needed, const std::string& what) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return absl::OkStatus();  // as it was, then
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  if (limit.rlim_cur >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      what + " needs " + std::to_string(needed) + " open files, the limit is " +
      std::to_string(limit.rlim_cur) + "; raise it (ulimit -n, or LimitNOFILE of the service)");
}

}  // namespace skein
