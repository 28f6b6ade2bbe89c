#ifndef SKEIN_SRC_APP_RUN_PROCESSES_H_
#define SKEIN_SRC_APP_RUN_PROCESSES_H_

#include "app/run_flags.h"
#include "app/signals.h"

namespace skein {

// `skein run --processes`: starts `skein control`, which records the run and shows its progress,
// and a process for each node, all of this program; waits for them and returns the exit code of
// control. Their output goes to logs/ in the run directory. None outlives this process.
int RunAsProcesses(const RunFlags& flags, const ResolvedRun& run, StopSignals& signals,
                   CommandContext& context);

}  // namespace skein

#endif  // SKEIN_SRC_APP_RUN_PROCESSES_H_
