#ifndef SKEIN_LEARNERS_MODULE_LEARNER_H_
#define SKEIN_LEARNERS_MODULE_LEARNER_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skein/learners/samples.h"
#include "skein/runtime/learner.h"

// What of libtorch a program brings: include <torch/nn.h>, and <torch/optim.h> where it names an
// optimizer.
namespace torch::nn {
class Module;
}
namespace torch::optim {
class Optimizer;
}

namespace skein {

// How long and how fast a worker trains in a round.
struct TrainingOptions {
  double lr = 0.05;
  double momentum = 0.9;
  double weight_decay = 0;
  int64_t batch_size = 32;
  int64_t epochs = 1;  // passes over the samples, unless the policy says how many steps

  // The parameters of these names, and the defaults above for those that are not there.
  static TrainingOptions Of(const Params& params);
  // What a schema says of them.
  static std::vector<ParamSpec> Schema();
};

using LossFunction = std::function<at::Tensor(const at::Tensor& output, const at::Tensor& targets)>;
using MetricsFunction = std::function<std::map<std::string, double>(const at::Tensor& output,
                                                                    const at::Tensor& targets)>;
using OptimizerMaker =
    std::function<std::shared_ptr<torch::optim::Optimizer>(std::vector<at::Tensor> parameters)>;

// A module, its samples, and how it is trained. Only the first three must be given.
struct ModuleParts {
  std::shared_ptr<torch::nn::Module> module;
  std::function<at::Tensor(const at::Tensor& inputs)> forward;
  Samples samples;  // the worker's own; the coordinator's are held out, for evaluation
  // One number, the mean over a batch. Null: cross entropy of scores [n, classes] and int64 [n].
  LossFunction loss;
  // Means over a batch, beside "loss". Null: "accuracy", where targets are int64 [n].
  MetricsFunction metrics;
  // Made anew for each task. Null: SGD with lr, momentum and weight_decay.
  OptimizerMaker optimizer;
  // Initial weights, drawn from the run's generator. Null: those that the module was made with,
  // which are a function of the run's seed, too.
  std::function<void(at::Generator& generator)> initialize;
  // Null: what the spec's learner: params say.
  std::optional<TrainingOptions> options;
};

// The parts of a module (a holder as torch::nn::Sequential, or a shared_ptr) that has forward(x).
template <typename Net>
ModuleParts PartsOf(Net net, Samples samples) {
  ModuleParts parts;
  if constexpr (requires { net.ptr(); }) {
    parts.module = net.ptr();
  } else {
    parts.module = net;
  }
  parts.forward = [net](const at::Tensor& inputs) mutable { return net->forward(inputs); };
  parts.samples = std::move(samples);
  return parts;
}

// A Learner of parts: minibatches in an order drawn from the task's generator, as many as `epochs`
// or the policy say; it looks for cancellation between them. Evaluates without gradients, in
// evaluation mode. Results repeat bit for bit unless the module draws from libtorch's global
// generator (register it with LearnerOptions::uses_global_rng then).
// InvalidArgument: parts that are missing, a worker without samples. FailedPrecondition: a
// coordinator without samples in a run that evaluates there.
absl::StatusOr<std::unique_ptr<Learner>> MakeModuleLearner(const WorkerContext& context,
                                                           ModuleParts parts);

// A factory of such learners; `make` is called for each worker and for the coordinator.
LearnerFactory ModuleLearnerFactory(
    std::function<absl::StatusOr<ModuleParts>(const WorkerContext&)> make);

// Registers TrainingOptions' parameters and `more`, of the program's own.
LearnerOptions ModuleLearnerOptions(std::vector<ParamSpec> more = {});

}  // namespace skein

#endif  // SKEIN_LEARNERS_MODULE_LEARNER_H_
