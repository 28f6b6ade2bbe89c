#include "skein/learners/module_learner.h"

#include <torch/nn/module.h>

#include "learners/training_loop.h"
#include "skein/base/status.h"
#include "skein/tensor/torch_module.h"

namespace skein {
namespace {

class LoopModule : public LoopModel {
 public:
  explicit LoopModule(const ModuleParts& parts)
      : module_(parts.module), forward_(parts.forward), initialize_(parts.initialize) {}

  void Initialize(at::Generator& generator) override {
    const at::NoGradGuard no_grad;
    if (initialize_) initialize_(generator);
  }
  absl::StatusOr<StateDict> State() const override { return StateDictOf(*module_); }
  absl::Status Load(const StateDict& state) override { return LoadStateDict(state, *module_); }
  std::vector<NamedParameter> Parameters() const override {
    std::vector<NamedParameter> named;
    for (const auto& item : module_->named_parameters())
      named.push_back({item.key(), item.value()});
    return WithoutRepeats(std::move(named));
  }
  void SetTraining(bool training) override { module_->train(training); }
  absl::StatusOr<at::Tensor> Forward(const at::Tensor& inputs) override { return forward_(inputs); }

 private:
  const std::shared_ptr<torch::nn::Module> module_;
  const std::function<at::Tensor(const at::Tensor& inputs)> forward_;
  const std::function<void(at::Generator& generator)> initialize_;
};

at::Tensor CrossEntropy(const at::Tensor& output, const at::Tensor& targets) {
  return at::cross_entropy_loss(output, targets);
}

}  // namespace

TrainingOptions TrainingOptions::Of(const Params& params) {
  TrainingOptions options;
  options.lr = params.RealOr("lr", options.lr);
  options.momentum = params.RealOr("momentum", options.momentum);
  options.weight_decay = params.RealOr("weight_decay", options.weight_decay);
  options.batch_size = params.IntOr("batch_size", options.batch_size);
  options.epochs = params.IntOr("epochs", options.epochs);
  return options;
}

std::vector<ParamSpec> TrainingOptions::Schema() {
  using Type = ParamSpec::Type;
  const TrainingOptions otherwise;
  return {
      {.name = "lr",
       .default_value = otherwise.lr,
       .min = 0,
       .max = 1e6,
       .doc = "learning rate of SGD"},
      {.name = "momentum",
       .default_value = otherwise.momentum,
       .min = 0,
       .max = 1,
       .doc = "momentum of SGD"},
      {.name = "weight_decay",
       .default_value = otherwise.weight_decay,
       .min = 0,
       .max = 1e6,
       .doc = "share of each parameter that SGD adds to its gradient"},
      {.name = "batch_size",
       .type = Type::kInt,
       .default_value = otherwise.batch_size,
       .min = 1,
       .max = 1 << 30,
       .doc = "samples a step"},
      {.name = "epochs",
       .type = Type::kInt,
       .default_value = otherwise.epochs,
       .min = 1,
       .max = 1e6,
       .doc = "passes over the worker's samples in a round, unless the policy counts steps"},
  };
}

absl::StatusOr<std::unique_ptr<Learner>> MakeModuleLearner(const WorkerContext& context,
                                                           ModuleParts parts) {
  if (parts.module == nullptr || !parts.forward) {
    return absl::InvalidArgumentError("ModuleParts needs a module and its forward");
  }
  LoopParts loop;
  loop.model = std::make_unique<LoopModule>(parts);
  loop.samples = std::move(parts.samples);
  loop.loss = parts.loss ? std::move(parts.loss) : CrossEntropy;
  loop.metrics = parts.metrics ? std::move(parts.metrics) : ClassAccuracy;
  loop.optimizer = std::move(parts.optimizer);
  loop.options = parts.options ? *parts.options : TrainingOptions::Of(context.params);
  return MakeLoopLearner(context, std::move(loop));
}

LearnerFactory ModuleLearnerFactory(
    std::function<absl::StatusOr<ModuleParts>(const WorkerContext&)> make) {
  return [make = std::move(make)](
             const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
    SKEIN_ASSIGN_OR_RETURN(ModuleParts parts, make(context));
    return MakeModuleLearner(context, std::move(parts));
  };
}

LearnerOptions ModuleLearnerOptions(std::vector<ParamSpec> more) {
  std::vector<ParamSpec> params = TrainingOptions::Schema();
  for (ParamSpec& param : more) params.push_back(std::move(param));
  LearnerOptions options;
  options.schema = std::make_shared<const ParamSchema>(std::move(params));
  return options;
}

}  // namespace skein
