#ifndef SKEIN_SRC_LEARNERS_TRAINING_LOOP_H_
#define SKEIN_SRC_LEARNERS_TRAINING_LOOP_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "skein/learners/module_learner.h"

namespace skein {

struct NamedParameter {
  std::string name;
  at::Tensor value;
};

// What a training loop needs of a model, whatever it is made of. One thread at a time.
class LoopModel {
 public:
  virtual ~LoopModel() = default;
  // Draws initial weights, or leaves those that are there.
  virtual void Initialize(at::Generator& generator) = 0;
  // Shares storage with the model.
  virtual absl::StatusOr<StateDict> State() const = 0;
  virtual absl::Status Load(const StateDict& state) = 0;
  // By their names in State(); one that modules share, once.
  virtual std::vector<NamedParameter> Parameters() const = 0;
  virtual void SetTraining(bool training) = 0;
  virtual absl::StatusOr<at::Tensor> Forward(const at::Tensor& inputs) = 0;
  virtual bool UsesGlobalRng() const { return false; }
};

struct LoopParts {
  std::unique_ptr<LoopModel> model;
  Samples samples;
  LossFunction loss;
  MetricsFunction metrics;   // null: none
  OptimizerMaker optimizer;  // null: SGD
  TrainingOptions options;
  // At a coordinator, before the run: whether the model takes samples like these. Null: nothing.
  std::function<absl::Status(LoopModel& model)> check;
};

// See MakeModuleLearner.
absl::StatusOr<std::unique_ptr<Learner>> MakeLoopLearner(const WorkerContext& context,
                                                         LoopParts parts);

// The first of each tensor in `named`: modules may share some.
std::vector<NamedParameter> WithoutRepeats(std::vector<NamedParameter> named);

// "accuracy", where targets are int64 [n]; nothing otherwise.
std::map<std::string, double> ClassAccuracy(const at::Tensor& output, const at::Tensor& targets);

}  // namespace skein

#endif  // SKEIN_SRC_LEARNERS_TRAINING_LOOP_H_
