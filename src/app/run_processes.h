#ifndef SKEIN_SRC_APP_RUN_PROCESSES_H_
#define SKEIN_SRC_APP_RUN_PROCESSES_H_

#include <sys/types.h>

#include <functional>
#include <string>

#include "app/run_flags.h"
#include "app/signals.h"

namespace skein {

struct ProcessOptions {
  int workers_per_process = 1;
  // Called for each process with what it is: "control", "coordinator", "aggregator" or "worker".
  std::function<void(pid_t pid, const std::string& role)> on_start;
};

// `skein run --processes`: starts `skein control`, which records the run and shows its progress,
// and a process for each inner node and each group of workers, all of this program; waits for them
// and returns the exit code of control. Their output goes to logs/ in the run directory. None
// outlives this process.
int RunAsProcesses(const RunFlags& flags, const ResolvedRun& run, const ProcessOptions& options,
                   StopSignals& signals, CommandContext& context);

}  // namespace skein

#endif  // SKEIN_SRC_APP_RUN_PROCESSES_H_
