#ifndef SKEIN_RUNTIME_TRAINER_H_
#define SKEIN_RUNTIME_TRAINER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <absl/status/statusor.h>

#include "skein/runtime/run_config.h"
#include "skein/tensor/packed_tensors.h"
#include "skein/tensor/safetensors.h"

namespace skein {

// What a node needs of a learner, in packed bytes: the runtime is written against this and so does
// not depend on libtorch. skein/runtime/learner.h is the interface for users; LearnerTrainer adapts
// it. Called by one thread at a time, not always the same one.
struct TrainRequest {
  uint64_t round = 0;
  uint32_t local_round = 0;
  uint64_t seq = 0;
  std::shared_ptr<const std::atomic<bool>> cancelled;  // never null
  uint32_t steps = 0;                                  // local ones; 0: the learner's own number
};

// A worker's update, and what goes into its header.
struct TrainOutput {
  PackedTensors update;  // see UpdateHeader
  uint64_t num_samples = 0;
  std::map<std::string, double> metrics;
};

// What an evaluation found, averaged over `num_samples`.
struct EvalOutput {
  uint64_t num_samples = 0;
  std::map<std::string, double> metrics;  // "loss", "accuracy", ...
};

// Trains and evaluates for one node; see TrainRequest. Owned by its node, called on a TaskRunner.
class Trainer {
 public:
  virtual ~Trainer() = default;
  // The initial model; asked of the coordinator's trainer only.
  virtual absl::StatusOr<PackedTensors> Initialize() = 0;
  // InvalidArgument if and only if there is a result that is no update of `base`.
  virtual absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                            const TrainRequest& request) = 0;
  virtual absl::StatusOr<EvalOutput> Evaluate(const PackedTensors& model,
                                              const TrainRequest& request) = 0;
  // The update of task `seq` counts, or is of no use any more: so does what was kept beside it for
  // later tasks. Any thread, also while it trains.
  virtual absl::Status Settle(uint64_t seq, bool counts) {
    static_cast<void>(seq), static_cast<void>(counts);
    return absl::OkStatus();
  }
  // A model file, as `init` of a run names one. Trainers over libtorch read PyTorch's, too.
  virtual absl::StatusOr<PackedTensors> ReadModel(const std::string& path) {
    return ReadSafetensors(path);
  }
};

// Makes the trainer of a node (worker or coordinator). May take long; called on a TaskRunner.
using TrainerFactory =
    std::function<absl::StatusOr<std::unique_ptr<Trainer>>(const RunConfig&, const NodeView&)>;

}  // namespace skein

#endif  // SKEIN_RUNTIME_TRAINER_H_
