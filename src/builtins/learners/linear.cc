#include "builtins/learners/linear.h"

#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "strategy/reported.h"

namespace skein {
namespace {

constexpr int64_t kMaxSamples = 1 << 18;

struct Samples {
  at::Tensor x;  // [n, features]
  at::Tensor y;  // [n]
};

// Least squares by gradient descent on made-up data, y = x * w + b + noise, where w and b are the
// run's and the x the worker's. Workers have unequal numbers of samples. The model has a
// matrix-like parameter, a scalar one and an integer buffer, so that a run exercises every kind of
// tensor.
class LinearLearner : public Learner {
 public:
  explicit LinearLearner(const WorkerContext& context) : params_(context.params) {
    // Seeds by purpose: what is to be found, and the samples of each worker or of the held-out set.
    constexpr uint64_t kTruth = 1, kLocal = 2, kHeldOut = 3;
    const int64_t features = params_.Int("features"), samples = params_.Int("samples");
    at::Generator truth = MakeGenerator(DeriveSeed(context.seed, {kTruth}));
    const at::Tensor w = at::empty({features}, at::kFloat).uniform_(-1, 1, truth);
    const at::Tensor b = at::empty({}, at::kFloat).uniform_(-1, 1, truth);

    at::Generator local =
        MakeGenerator(context.is_coordinator ? DeriveSeed(context.seed, {kHeldOut})
                                             : DeriveSeed(context.seed, {kLocal, context.leaf}));
    const int64_t count =
        context.is_coordinator ? samples : samples + samples * (context.leaf % 4) / 2;
    data_.x = at::empty({count, features}, at::kFloat).normal_(0, 1, local);
    const at::Tensor noise = at::empty({count}, at::kFloat).normal_(0, 1, local);
    data_.y = at::mv(data_.x, w) + b + noise * params_.Real("noise");
  }

  // Away from zero, so that the bounds which the exact sums take from it leave room to move.
  absl::StatusOr<StateDict> Initialize(InitContext& context) override {
    auto draw = [&](at::IntArrayRef shape) {
      const at::Tensor u = at::empty(shape, at::kFloat).uniform_(-1, 1, context.generator);
      return at::where(u < 0, u - 0.5, u + 0.5);
    };
    StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("weight", draw({params_.Int("features")})));
    SKEIN_RETURN_IF_ERROR(model.Add("bias", draw({})));
    SKEIN_RETURN_IF_ERROR(model.Add("steps", at::zeros({}, at::kLong), TensorRole::kBuffer));
    return model;
  }

  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor w, global.Get("weight"));
    SKEIN_ASSIGN_OR_RETURN(at::Tensor b, global.Get("bias"));
    SKEIN_ASSIGN_OR_RETURN(at::Tensor steps, global.Get("steps"));
    const double lr = params_.Real("lr");
    double loss = 0;
    const int64_t count = context.steps > 0 ? context.steps : params_.Int("epochs");
    for (int64_t step = 0; step < count; ++step) {
      if (context.Cancelled()) return absl::CancelledError("cancelled");
      const at::Tensor error = at::mv(data_.x, w) + b - data_.y;
      if (step == 0) loss = error.square().mean().item<double>();
      const at::Tensor dw = at::mv(data_.x.t(), error) * (2 / static_cast<double>(error.numel()));
      const at::Tensor db = error.mean() * 2;
      context.terms.AdjustGradients({{"weight", w, dw}, {"bias", b, db}}, LocalStep{.lr = lr});
      w = w - dw * lr;
      b = b - db * lr;
      steps = steps + 1;
    }
    TrainResult result;
    SKEIN_RETURN_IF_ERROR(result.model.Add("weight", w));
    SKEIN_RETURN_IF_ERROR(result.model.Add("bias", b));
    SKEIN_RETURN_IF_ERROR(result.model.Add("steps", steps, TensorRole::kBuffer));
    result.num_samples = static_cast<uint64_t>(data_.y.numel());
    result.metrics = {{"loss", loss}};
    if (context.want_initial_loss)
      result.metrics[kInitialLossMetric] = loss;  // it is that of step 0
    return result;
  }

  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor w, model.Get("weight"));
    SKEIN_ASSIGN_OR_RETURN(at::Tensor b, model.Get("bias"));
    const at::Tensor error = at::mv(data_.x, w) + b - data_.y;
    return EvalResult{static_cast<uint64_t>(data_.y.numel()),
                      {{"loss", error.square().mean().item<double>()}}};
  }

 private:
  const Params params_;
  Samples data_;
};

}  // namespace

absl::Status RegisterLinearLearner(LearnerRegistry& registry) {
  using Type = ParamSpec::Type;
  LearnerOptions options;
  options.max_samples = kMaxSamples;
  options.schema = std::make_shared<ParamSchema>(std::vector<ParamSpec>{
      {.name = "samples",
       .type = Type::kInt,
       .default_value = 100,
       .min = 1,
       .max = 100'000,
       .doc = "samples of worker 0 and of the held-out set; others have up to 2.5 times as many"},
      {.name = "features",
       .type = Type::kInt,
       .default_value = 10,
       .min = 1,
       .max = 100'000,
       .doc = "length of the weight vector"},
      {.name = "lr",
       .type = Type::kReal,
       .default_value = 0.1,
       .min = 0,
       .max = 10,
       .doc = "learning rate"},
      {.name = "epochs",
       .type = Type::kInt,
       .default_value = 5,
       .min = 1,
       .max = 1e6,
       .doc = "gradient steps a round, each over all samples, unless the policy says how many"},
      {.name = "noise",
       .type = Type::kReal,
       .default_value = 0.1,
       .min = 0,
       .max = 100,
       .doc = "standard deviation of the noise on the target"},
  });
  return registry.Register(
      "linear",
      [](const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
        return std::make_unique<LinearLearner>(context);
      },
      options);
}

}  // namespace skein
