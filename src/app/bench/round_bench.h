#ifndef SKEIN_SRC_APP_BENCH_ROUND_BENCH_H_
#define SKEIN_SRC_APP_BENCH_ROUND_BENCH_H_

#include <cstdint>
#include <string>

#include <absl/status/statusor.h>

#include "app/command.h"
#include "app/signals.h"

namespace skein {

struct RoundBenchOptions {
  std::string topology = "flat:8";
  uint64_t params = 1'000'000;  // float32 elements of the model
  int workers_per_process = 0;  // 0: all workers in two processes
  uint64_t rounds = 5;
  std::string links;      // strategy.links of the spec, as YAML; empty: none
  std::string directory;  // of the run; empty: a temporary one, removed at the end
};

struct RoundBenchResult {
  int code = 0;  // of the run
  bool ok = false;
  std::string json;  // one document
  std::string text;  // the same for a person, in a few lines
};

// Rounds without training, as Flight's scaling study has them: every node in a process of its own
// (workers many to a process, each with its own connection), real gRPC over loopback, workers that
// return the model plus a constant. In the same run measures what a plain socket and memcpy can do.
absl::StatusOr<RoundBenchResult> RunRoundBench(const RoundBenchOptions& options,
                                               StopSignals& signals, CommandContext& context);

}  // namespace skein

#endif  // SKEIN_SRC_APP_BENCH_ROUND_BENCH_H_
