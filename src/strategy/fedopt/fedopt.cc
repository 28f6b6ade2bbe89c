#include "strategy/fedopt/fedopt.h"

#include <cmath>
#include <memory>

#include "skein/base/status.h"
#include "strategy/optimizer_state.h"

namespace skein {
namespace {

enum class Rule { kAdagrad, kAdam, kYogi };
// Of Adam's step. The paper has none. Flower counts its first step as the second.
enum class Correction { kNone, kKingmaBa, kFlower };

struct Options {
  std::string name;
  Rule rule = Rule::kAdam;
  double lr = 0.1;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double tau = 1e-3;
  bool zero_start = false;  // v begins at 0 instead of tau^2
  Correction correction = Correction::kNone;
  std::string state;
};

// Adaptive steps (Reddi et al. 2020, Algorithm 2): m' = beta1 m + (1 - beta1) delta;
//   Adagrad  v' = v + delta^2
//   Adam     v' = beta2 v + (1 - beta2) delta^2
//   Yogi     v' = v - (1 - beta2) delta^2 sign(v - delta^2)
// x' = x + lr m' / (sqrt(v') + tau). m and v are kept as float32.
class FedOpt : public ServerOptimizer {
 public:
  explicit FedOpt(Options options)
      : options_(std::move(options)),
        state_(
            options_.name,
            {{.name = "m"},
             {.name = "v",
              .initial = options_.zero_start ? 0 : static_cast<float>(options_.tau * options_.tau),
              .squares = true}}) {}

  absl::Status Prepare(const Manifest& model) override {
    return state_.Prepare(model, options_.state);
  }
  void BeginStep(const Manifest&) override {
    state_.CountStep();
    rate_ = options_.lr * CorrectionOf(state_.steps());
  }
  void Step(size_t tensor, uint64_t offset, std::span<const double> x,
            std::span<const double> mean_delta, std::span<double> next) override {
    const std::span<float> ms = state_.Slot(0, tensor, offset, x.size());
    const std::span<float> vs = state_.Slot(1, tensor, offset, x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double m = options_.beta1 * ms[i] + (1 - options_.beta1) * mean_delta[i];
      const double v = Second(vs[i], mean_delta[i] * mean_delta[i]);
      next[i] = x[i] + rate_ * m / (std::sqrt(v) + options_.tau);
      ms[i] = static_cast<float>(m);
      vs[i] = static_cast<float>(v);
    }
  }
  void Continue(const ServerOptimizer& previous) override {
    state_.CopyFrom(static_cast<const FedOpt&>(previous).state_);
  }
  PackedTensors State() const override { return state_.Tensors(); }

 private:
  double Second(double v, double square) const {
    const double part = 1 - options_.beta2;
    switch (options_.rule) {
      case Rule::kAdagrad:
        return v + square;
      case Rule::kAdam:
        return options_.beta2 * v + part * square;
      case Rule::kYogi:
        return v > square ? v - part * square : v < square ? v + part * square : v;
    }
    return v;
  }

  double CorrectionOf(uint64_t step) const {
    if (options_.correction == Correction::kNone) return 1;
    const auto t =
        static_cast<double>(options_.correction == Correction::kFlower ? step + 1 : step);
    return std::sqrt(1 - std::pow(options_.beta2, t)) / (1 - std::pow(options_.beta1, t));
  }

  const Options options_;
  double rate_ = 0;
  OptimizerState state_;
};

ParamSpec Real(const std::string& name, double value, double min, double max,
               const std::string& doc) {
  return {.name = name,
          .type = ParamSpec::Type::kReal,
          .default_value = value,
          .min = min,
          .max = max,
          .doc = doc};
}

ParamSchema SchemaOf(const Options& defaults) {
  std::vector<ParamSpec> specs = {
      Real("lr", defaults.lr, 1e-9, 1e6, "server learning rate"),
      Real("beta1", defaults.beta1, 0, 0.999999, "how much of the mean difference is remembered"),
      Real("tau", defaults.tau, 1e-12, 1e6,
           "adaptivity: the smaller, the more elements move alike"),
      {.name = "v0",
       .type = ParamSpec::Type::kString,
       .default_value = "tau2",
       .choices = {"tau2", "zero"},
       .doc = "what squares begin at: tau^2, as in the paper, or 0, as in Flower"}};
  if (defaults.rule != Rule::kAdagrad) {
    specs.push_back(
        Real("beta2", defaults.beta2, 0, 0.999999, "how much of its square is remembered"));
  }
  if (defaults.rule == Rule::kAdam) {
    specs.push_back({.name = "bias_correction",
                     .type = ParamSpec::Type::kString,
                     .default_value = "none",
                     .choices = {"none", "kingma_ba", "flower"},
                     .doc = "of the first steps: none, as in the paper; Adam's; or Flower's, which "
                            "counts from 2"});
  }
  specs.push_back(StateParam());
  return ParamSchema(std::move(specs));
}

Options OptionsOf(Options options, const Params& params) {
  options.lr = params.Real("lr");
  options.beta1 = params.Real("beta1");
  options.beta2 = params.RealOr("beta2", options.beta2);
  options.tau = params.Real("tau");
  options.zero_start = params.String("v0") == "zero";
  const std::string correction = params.StringOr("bias_correction", "none");
  options.correction = correction == "none"        ? Correction::kNone
                       : correction == "kingma_ba" ? Correction::kKingmaBa
                                                   : Correction::kFlower;
  options.state = params.String("state");
  return options;
}

absl::Status RegisterOne(StrategyRegistries& registries, const Options& defaults,
                         const std::string& summary) {
  return registries.optimizers.Register(
      {.name = defaults.name,
       .summary = summary,
       .source = "Reddi et al. 2020, arXiv 2003.00295",
       .schema = SchemaOf(defaults)},
      [defaults](const Params& params) -> absl::StatusOr<std::shared_ptr<ServerOptimizer>> {
        return std::make_shared<FedOpt>(OptionsOf(defaults, params));
      });
}

}  // namespace

absl::Status RegisterFedOpt(StrategyRegistries& registries) {
  SKEIN_RETURN_IF_ERROR(RegisterOne(registries,
                                    {.name = "fedadagrad", .rule = Rule::kAdagrad, .beta1 = 0},
                                    "steps that shrink with all the squares so far"));
  SKEIN_RETURN_IF_ERROR(RegisterOne(registries, {.name = "fedadam", .rule = Rule::kAdam},
                                    "Adam over the mean differences"));
  return RegisterOne(registries, {.name = "fedyogi", .rule = Rule::kYogi, .lr = 0.01},
                     "Adam whose squares change slowly");
}

}  // namespace skein
