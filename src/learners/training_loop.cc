#include "learners/training_loop.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>

#include <torch/optim/sgd.h>

#include "skein/base/status.h"
#include "strategy/reported.h"

namespace skein {
namespace {

// Weighted means of what batches say.
class Means {
 public:
  void Add(const std::map<std::string, double>& values, int64_t weight) {
    for (const auto& [name, value] : values) sums_[name] += value * static_cast<double>(weight);
    weight_ += weight;
  }
  std::map<std::string, double> Get() const {
    std::map<std::string, double> means;
    for (const auto& [name, sum] : sums_) means[name] = sum / static_cast<double>(weight_);
    return means;
  }

 private:
  std::map<std::string, double> sums_;
  int64_t weight_ = 0;
};

// How many samples each step of a pass takes. A last one alone joins those before: batch
// normalization cannot train on one.
std::vector<int64_t> BatchSizes(int64_t count, int64_t batch_size) {
  std::vector<int64_t> sizes(static_cast<size_t>(count / batch_size), batch_size);
  const int64_t rest = count % batch_size;
  if (rest == 1 && !sizes.empty()) {
    ++sizes.back();
  } else if (rest > 0) {
    sizes.push_back(rest);
  }
  return sizes;
}

absl::Status NoHeldOutSamples() {
  return absl::FailedPreconditionError(
      "there are no held-out samples to evaluate on; give some, or set evaluate to workers");
}

class LoopLearner : public Learner {
 public:
  explicit LoopLearner(LoopParts parts) : parts_(std::move(parts)) {}

  absl::StatusOr<StateDict> Initialize(InitContext& context) override {
    parts_.model->Initialize(context.generator);
    if (parts_.check) {
      const at::NoGradGuard no_grad;
      parts_.model->SetTraining(false);
      SKEIN_RETURN_IF_ERROR(parts_.check(*parts_.model));
    }
    return parts_.model->State();
  }

  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) override {
    SKEIN_RETURN_IF_ERROR(parts_.model->Load(global));
    parts_.model->SetTraining(true);
    const std::vector<NamedParameter> parameters = parts_.model->Parameters();
    const auto optimizer = MakeOptimizer(parameters);
    const auto count = static_cast<int64_t>(parts_.samples.count);
    const std::vector<int64_t> sizes = BatchSizes(count, parts_.options.batch_size);
    const auto in_epoch = static_cast<int64_t>(sizes.size());
    int64_t left = context.steps > 0 ? context.steps : parts_.options.epochs * in_epoch;
    Means means;
    std::optional<double> initial_loss;
    if (context.want_initial_loss) {
      SKEIN_ASSIGN_OR_RETURN(const auto found, MeansOver(*context.cancelled));
      initial_loss = found.at("loss");
      parts_.model->SetTraining(true);
    }
    while (left > 0) {
      const at::Tensor order = at::randperm(count, context.generator, at::kLong);
      for (const at::Tensor& indices : order.split_with_sizes(sizes)) {
        if (left-- == 0) break;
        if (context.Cancelled()) return absl::CancelledError("cancelled");
        SKEIN_ASSIGN_OR_RETURN(const double loss,
                               Step(indices, parameters, *optimizer, context.terms));
        means.Add({{"loss", loss}}, indices.numel());
      }
    }
    TrainResult result;
    SKEIN_ASSIGN_OR_RETURN(result.model, parts_.model->State());
    result.num_samples = parts_.samples.count;
    result.metrics = means.Get();
    if (initial_loss) result.metrics[kInitialLossMetric] = *initial_loss;
    return result;
  }

  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext& context) override {
    if (parts_.samples.count == 0) return NoHeldOutSamples();
    SKEIN_RETURN_IF_ERROR(parts_.model->Load(model));
    SKEIN_ASSIGN_OR_RETURN(auto means, MeansOver(*context.cancelled));
    return EvalResult{parts_.samples.count, std::move(means)};
  }

  bool UsesGlobalRng() const override { return parts_.model->UsesGlobalRng(); }

 private:
  // What the model as it is makes of all samples, in evaluation mode.
  absl::StatusOr<std::map<std::string, double>> MeansOver(const std::atomic<bool>& cancelled) {
    constexpr int64_t kBatch = 500;  // activations of a small model fit into the cache
    parts_.model->SetTraining(false);
    const at::NoGradGuard no_grad;
    Means means;
    const auto count = static_cast<int64_t>(parts_.samples.count);
    for (const at::Tensor& indices : at::arange(count, at::kLong).split(kBatch)) {
      if (cancelled.load(std::memory_order_relaxed)) return absl::CancelledError("cancelled");
      const Batch batch = parts_.samples.get(indices);
      SKEIN_ASSIGN_OR_RETURN(const at::Tensor output, parts_.model->Forward(batch.inputs));
      std::map<std::string, double> values;
      if (parts_.metrics) values = parts_.metrics(output, batch.targets);
      SKEIN_ASSIGN_OR_RETURN(const at::Tensor loss, LossOf(output, batch.targets));
      values["loss"] = loss.item<double>();
      means.Add(values, indices.numel());
    }
    return means.Get();
  }

  std::shared_ptr<torch::optim::Optimizer> MakeOptimizer(
      const std::vector<NamedParameter>& named) const {
    std::vector<at::Tensor> parameters;
    for (const NamedParameter& parameter : named) parameters.push_back(parameter.value);
    if (parts_.optimizer) return parts_.optimizer(std::move(parameters));
    return std::make_shared<torch::optim::SGD>(std::move(parameters),
                                               torch::optim::SGDOptions(parts_.options.lr)
                                                   .momentum(parts_.options.momentum)
                                                   .weight_decay(parts_.options.weight_decay));
  }

  absl::StatusOr<double> Step(const at::Tensor& indices,
                              const std::vector<NamedParameter>& parameters,
                              torch::optim::Optimizer& optimizer, LocalTerms& terms) {
    const Batch batch = parts_.samples.get(indices);
    optimizer.zero_grad();
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor output, parts_.model->Forward(batch.inputs));
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor loss, LossOf(output, batch.targets));
    loss.backward();
    std::vector<LocalTerms::Parameter> gradients;
    for (const NamedParameter& p : parameters)
      gradients.push_back({p.name, p.value, p.value.grad()});
    terms.AdjustGradients(gradients, StepOf(optimizer));
    optimizer.step();
    return loss.item<double>();
  }

  absl::StatusOr<at::Tensor> LossOf(const at::Tensor& output, const at::Tensor& targets) const {
    at::Tensor loss = parts_.loss(output, targets);
    if (loss.defined() && loss.numel() == 1) return loss;
    return absl::InvalidArgumentError("the loss of a batch has " +
                                      std::to_string(loss.defined() ? loss.numel() : 0) +
                                      " elements, it must be one number, the mean");
  }

  LoopParts parts_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Learner>> MakeLoopLearner(const WorkerContext& context,
                                                         LoopParts parts) {
  if (parts.samples.count == 0 || !parts.samples.get) {
    if (!context.is_coordinator) return absl::InvalidArgumentError("there are no samples");
    if (context.evaluates) return NoHeldOutSamples();
  }
  if (parts.options.batch_size < 1 || parts.options.epochs < 1) {
    return absl::InvalidArgumentError("batch_size and epochs must be 1 at least");
  }
  return std::make_unique<LoopLearner>(std::move(parts));
}

std::vector<NamedParameter> WithoutRepeats(std::vector<NamedParameter> named) {
  std::vector<NamedParameter> parameters;
  for (NamedParameter& parameter : named) {
    const auto same = [&](const NamedParameter& other) {
      return other.value.is_same(parameter.value);
    };
    if (std::ranges::none_of(parameters, same)) parameters.push_back(std::move(parameter));
  }
  return parameters;
}

std::map<std::string, double> ClassAccuracy(const at::Tensor& output, const at::Tensor& targets) {
  if (targets.scalar_type() != at::kLong || targets.dim() != 1 || output.dim() != 2) return {};
  const at::Tensor right = output.argmax(1).eq(targets);
  return {{"accuracy", right.to(at::kDouble).mean().item<double>()}};
}

}  // namespace skein
