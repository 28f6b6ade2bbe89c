#include "fashion_cnn.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <torch/nn.h>
#include <torch/optim.h>

#include "attack.h"

namespace {

class Network : public torch::nn::Module {
 public:
  explicit Network(double dropout) : dropout_(dropout) {
    register_module("conv1", conv1_);
    register_module("conv2", conv2_);
    register_module("fc1", fc1_);
    register_module("fc2", fc2_);
  }

  at::Tensor Forward(const at::Tensor& images) {
    at::Tensor x = at::max_pool2d(at::relu(conv1_(images)), 2);  // 16 of 13 x 13
    x = at::max_pool2d(at::relu(conv2_(x)), 2);                  // 16 of 5 x 5
    x = at::relu(fc1_(x.flatten(1)));
    if (dropout_ > 0) x = at::dropout(x, dropout_, is_training());
    return fc2_(x);
  }

  // libtorch's default initial weights, uniform within 1 / sqrt(inputs of a unit), but from
  // `generator`.
  void Initialize(const at::Generator& generator) {
    torch::NoGradGuard no_grad;
    double bound = 0;
    for (at::Tensor& parameter : parameters()) {
      // A layer's weight comes before its bias, which has the same bound.
      if (parameter.dim() > 1) {
        bound = 1 / std::sqrt(static_cast<double>(parameter[0].numel()));
      }
      parameter.uniform_(-bound, bound, generator);
    }
  }

 private:
  const double dropout_;
  torch::nn::Conv2d conv1_{torch::nn::Conv2dOptions(1, 16, 3)};
  torch::nn::Conv2d conv2_{torch::nn::Conv2dOptions(16, 16, 3)};
  torch::nn::Linear fc1_{16 * 5 * 5, 64};
  torch::nn::Linear fc2_{64, 10};
};

// Mean 0 and deviation 1 over the training images.
at::Tensor Normalized(const at::Tensor& pixels) {
  return pixels.to(at::kFloat).div_(255).sub_(0.2860).div_(0.3530);
}

class FashionCnn : public skein::Learner {
 public:
  FashionCnn(const skein::Params& params, Images images)
      : sgd_(torch::optim::SGDOptions(params.Real("lr")).momentum(params.Real("momentum"))),
        batch_size_(params.Int("batch_size")),
        epochs_(params.Int("epochs")),
        images_(std::move(images)),
        network_(params.RealOr("dropout", 0)) {}

  absl::StatusOr<skein::StateDict> Initialize(skein::InitContext& context) override {
    network_.Initialize(context.generator);
    return skein::StateDictOf(network_);
  }

  absl::StatusOr<skein::TrainResult> Train(const skein::StateDict& global,
                                           skein::TrainContext& context) override {
    SKEIN_RETURN_IF_ERROR(skein::LoadStateDict(global, network_));
    network_.train();
    torch::optim::SGD optimizer(network_.parameters(), sgd_);
    const int64_t count = images_.labels.numel();
    const int64_t in_epoch = (count + batch_size_ - 1) / batch_size_;
    int64_t left = context.steps > 0 ? context.steps : epochs_ * in_epoch;
    double loss_sum = 0;
    int64_t seen = 0;
    std::map<std::string, double> initial;
    if (context.want_initial_loss) {
      SKEIN_ASSIGN_OR_RETURN(initial, MeansOver(*context.cancelled));
      network_.train();
    }
    while (left > 0) {
      const at::Tensor order = at::randperm(count, context.generator, at::kLong);
      for (const at::Tensor& batch : order.split(batch_size_)) {
        if (left-- == 0) break;
        if (context.Cancelled()) return absl::CancelledError("cancelled");
        optimizer.zero_grad();
        const at::Tensor loss = at::cross_entropy_loss(
            network_.Forward(Normalized(images_.pixels.index_select(0, batch))),
            images_.labels.index_select(0, batch));
        loss.backward();
        context.terms.AdjustGradients(network_, optimizer);
        optimizer.step();
        loss_sum += loss.item<double>() * static_cast<double>(batch.numel());
        seen += batch.numel();
      }
    }
    skein::TrainResult result;
    SKEIN_ASSIGN_OR_RETURN(result.model, skein::StateDictOf(network_));
    result.num_samples = static_cast<uint64_t>(count);
    result.metrics = {{"loss", loss_sum / static_cast<double>(seen)}};
    if (context.want_initial_loss) result.metrics["initial_loss"] = initial.at("loss");
    return result;
  }

  absl::StatusOr<skein::EvalResult> Evaluate(const skein::StateDict& model,
                                             skein::EvalContext& context) override {
    SKEIN_RETURN_IF_ERROR(skein::LoadStateDict(model, network_));
    SKEIN_ASSIGN_OR_RETURN(auto means, MeansOver(*context.cancelled));
    return skein::EvalResult{static_cast<uint64_t>(images_.labels.numel()), std::move(means)};
  }

 private:
  // What the network as it is makes of all images.
  absl::StatusOr<std::map<std::string, double>> MeansOver(const std::atomic<bool>& cancelled) {
    constexpr int64_t kBatch = 500;  // its activations fit into the cache
    const torch::NoGradGuard no_grad;
    network_.eval();
    const int64_t count = images_.labels.numel();
    double loss_sum = 0;
    int64_t correct = 0;
    for (int64_t begin = 0; begin < count; begin += kBatch) {
      if (cancelled.load(std::memory_order_relaxed)) return absl::CancelledError("cancelled");
      const int64_t size = std::min(kBatch, count - begin);
      const at::Tensor guess = network_.Forward(Normalized(images_.pixels.narrow(0, begin, size)));
      const at::Tensor labels = images_.labels.narrow(0, begin, size);
      loss_sum += at::cross_entropy_loss(guess, labels).item<double>() * static_cast<double>(size);
      correct += guess.argmax(1).eq(labels).sum().item<int64_t>();
    }
    const auto n = static_cast<double>(count);
    return std::map<std::string, double>{{"loss", loss_sum / n},
                                         {"accuracy", static_cast<double>(correct) / n}};
  }

  const torch::optim::SGDOptions sgd_;
  const int64_t batch_size_;
  const int64_t epochs_;
  const Images images_;
  Network network_;
};

std::vector<skein::ParamSpec> CommonParams() {
  using Type = skein::ParamSpec::Type;
  return {
      {.name = "lr", .default_value = 0.05, .min = 0, .max = 10, .doc = "learning rate of SGD"},
      {.name = "momentum", .default_value = 0.9, .min = 0, .max = 1, .doc = "momentum of SGD"},
      {.name = "batch_size",
       .type = Type::kInt,
       .default_value = 32,
       .min = 1,
       .max = 60'000,
       .doc = "images a step"},
      {.name = "epochs",
       .type = Type::kInt,
       .default_value = 1,
       .min = 1,
       .max = 1000,
       .doc = "passes over the worker's images in a round, unless the policy counts steps"},
  };
}

skein::LearnerOptions OptionsWith(std::vector<skein::ParamSpec> params) {
  const std::vector<skein::ParamSpec> attack = Attack::Params();
  params.insert(params.end(), attack.begin(), attack.end());
  skein::LearnerOptions options;
  options.max_samples = 60'000;
  options.schema = std::make_shared<skein::ParamSchema>(std::move(params));
  options.data_schema = FashionData::Schema();
  return options;
}

}  // namespace

skein::LearnerFactory MakeFashionCnn(std::shared_ptr<FashionData> data) {
  return
      [data = std::move(data)](
          const skein::WorkerContext& context) -> absl::StatusOr<std::unique_ptr<skein::Learner>> {
        SKEIN_ASSIGN_OR_RETURN(
            Images images, context.is_coordinator ? data->HeldOut(context) : data->PartOf(context));
        const Attack attack = Attack::Of(context);
        if (attack.kind == Attack::Kind::kLabelFlip) FlipLabels(images);
        auto learner = std::make_unique<FashionCnn>(context.params, std::move(images));
        if (attack.kind != Attack::Kind::kSignFlip) return learner;
        return FlippingSigns(std::move(learner), attack.scale);
      };
}

skein::LearnerOptions FashionCnnOptions() { return OptionsWith(CommonParams()); }

skein::LearnerOptions FashionCnnDropoutOptions() {
  std::vector<skein::ParamSpec> params = CommonParams();
  params.push_back({.name = "dropout",
                    .default_value = 0.25,
                    .min = 0,
                    .max = 0.99,
                    .doc = "share of the hidden units left out in a step"});
  skein::LearnerOptions options = OptionsWith(std::move(params));
  options.uses_global_rng = true;
  return options;
}
