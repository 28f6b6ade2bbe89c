#ifndef SKEIN_SRC_RUNTIME_INITIAL_MODEL_H_
#define SKEIN_SRC_RUNTIME_INITIAL_MODEL_H_

#include <memory>

#include "skein/runtime/trainer.h"

namespace skein {

struct InitialModel {
  std::shared_ptr<Trainer> trainer;  // the coordinator's, for evaluation
  PackedTensors model;
};

// Makes the coordinator's trainer and version 0: what the learner initializes, with the values of
// the run's `init` file if there is one. May take long.
absl::StatusOr<InitialModel> MakeInitialModel(const TrainerFactory& factory,
                                              const RunConfig& config, const NodeView& view);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_INITIAL_MODEL_H_
