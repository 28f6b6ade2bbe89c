#ifndef SKEIN_FEDERATION_FEDERATION_H_
#define SKEIN_FEDERATION_FEDERATION_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/builtins/builtins.h"
#include "skein/federation/run_spec.h"
#include "skein/observe/event.h"

namespace skein {

// What result.json says.
struct RunResult {
  struct TierBytes {
    uint64_t up = 0;    // received by the nodes of the tier from their children
    uint64_t down = 0;  // sent by them to their children
  };
  std::string status;  // "completed", "failed", "stopped"
  std::string reason;
  uint64_t rounds = 0;
  double wall_s = 0;
  std::map<std::string, double> metrics;  // last evaluation: "loss", "accuracy", ...
  std::string model_digest;               // SHA-256 of the final model.safetensors
  uint64_t contributions = 0;             // updates counted in committed rounds
  uint64_t rejected = 0;
  std::vector<TierBytes> bytes;  // by tier of the aggregating node
  double peak_rss_mib = 0;
  std::string directory;     // the run directory; empty if none was asked for
  std::string record_error;  // what of the record could not be written; empty: all of it was
};

// How a federation is run, apart from its tree, strategy and learner.
struct FederationOptions {
  std::string name = "federation";
  uint64_t rounds = 1;
  uint64_t seed = 0;
  EvaluateSpec evaluate;
  StopRules stop;             // end the run before its last round
  PartSpec steering;          // who steers it, by the name in registries().steering; none: nobody
  std::string init;           // .safetensors or .pt file to start from
  std::string run_directory;  // created; must not exist. Empty: nothing is written
  int threads = 0;            // that train at once; 0: one a core
  LearnerOptions learner_options;
  RuntimeLimits limits;
  std::shared_ptr<EventSink> events;  // may be null
};

// The library's front door for those who want no command line: a whole federation in this process,
// control plane included. Create, then Run once. Not thread-safe, except for Stop.
class Federation {
 public:
  // `topology`: a shape ("tree:4x8") or a Topology. InvalidArgument for a bad shape, strategy or
  // option; a strategy with parts that are not known yet is checked by Run. AlreadyExists: the run
  // directory.
  static absl::StatusOr<std::unique_ptr<Federation>> Create(const std::string& shape,
                                                            StrategySpec strategy,
                                                            LearnerFactory learner,
                                                            FederationOptions options = {});
  static absl::StatusOr<std::unique_ptr<Federation>> Create(Topology topology,
                                                            StrategySpec strategy,
                                                            LearnerFactory learner,
                                                            FederationOptions options = {});
  virtual ~Federation() = default;

  // For further parts before Run.
  virtual Registries& registries() = 0;

  // Blocks until the run has ended. An error only if it could not start (FailedPrecondition: it ran
  // before; InvalidArgument: an unknown part; the learner's own: it cannot be made); a run that
  // failed is a RunResult with status "failed" and its reason. A learner that ignores cancellation
  // past the grace period leaks its thread; the run ends all the same.
  virtual absl::StatusOr<RunResult> Run() = 0;

  // Any thread, any time: ends the run as "stopped".
  virtual void Stop() = 0;
};

}  // namespace skein

#endif  // SKEIN_FEDERATION_FEDERATION_H_
