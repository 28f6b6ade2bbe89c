#include "strategy/fedavgm/fedavgm.h"

#include <memory>

#include "strategy/optimizer_state.h"

namespace skein {
namespace {

struct Options {
  double lr = 1;
  double momentum = 0.9;
  bool nesterov = false;
  std::string state;
};

// v' = momentum v + delta; x' = x + lr v', or with Nesterov x + lr (delta + momentum v') (Hsu et
// al. 2019, section 4.3). The momentum is kept as float32.
class FedAvgM : public ServerOptimizer {
 public:
  explicit FedAvgM(Options options) : options_(std::move(options)) {}
  absl::Status Prepare(const Manifest& model) override {
    return state_.Prepare(model, options_.state);
  }
  void BeginStep(const Manifest&) override { state_.CountStep(); }
  void Step(size_t tensor, uint64_t offset, std::span<const double> x,
            std::span<const double> mean_delta, std::span<double> next) override {
    const std::span<float> kept = state_.Slot(0, tensor, offset, x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double v = options_.momentum * kept[i] + mean_delta[i];
      const double step = options_.nesterov ? mean_delta[i] + options_.momentum * v : v;
      next[i] = x[i] + options_.lr * step;
      kept[i] = static_cast<float>(v);
    }
  }
  void Continue(const ServerOptimizer& previous) override {
    state_.CopyFrom(static_cast<const FedAvgM&>(previous).state_);
  }
  PackedTensors State() const override { return state_.Tensors(); }

 private:
  const Options options_;
  OptimizerState state_{"fedavgm", {{.name = "momentum"}}};
};

}  // namespace

absl::Status RegisterFedAvgM(StrategyRegistries& registries) {
  return registries.optimizers.Register(
      {.name = "fedavgm",
       .summary = "momentum over the mean differences",
       .source = "Hsu et al. 2019, arXiv 1909.06335",
       .schema =
           ParamSchema({{.name = "lr",
                         .type = ParamSpec::Type::kReal,
                         .default_value = 1.0,
                         .min = 1e-9,
                         .max = 1e6,
                         .doc = "server learning rate; the step grows to lr / (1 - momentum)"},
                        {.name = "momentum",
                         .type = ParamSpec::Type::kReal,
                         .default_value = 0.9,
                         .min = 0,
                         .max = 0.9999,
                         .doc = "what is kept of the step before"},
                        {.name = "nesterov",
                         .type = ParamSpec::Type::kBool,
                         .default_value = false,
                         .doc = "look a step ahead"},
                        StateParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<ServerOptimizer>> {
        return std::make_shared<FedAvgM>(Options{.lr = params.Real("lr"),
                                                 .momentum = params.Real("momentum"),
                                                 .nesterov = params.Bool("nesterov"),
                                                 .state = params.String("state")});
      });
}

}  // namespace skein
