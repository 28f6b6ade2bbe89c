#include "strategy/sgd/sgd.h"

namespace skein {
namespace {

// x' = x + lr * mean delta; with lr = 1 this is FedAvg's own step, bit for bit.
class Sgd : public ServerOptimizer {
 public:
  explicit Sgd(double lr) : lr_(lr) {}
  void BeginStep(const Manifest&) override {}
  void Step(size_t, uint64_t, std::span<const double> x, std::span<const double> mean_delta,
            std::span<double> next) override {
    for (size_t i = 0; i < x.size(); ++i) next[i] = x[i] + lr_ * mean_delta[i];
  }

 private:
  double lr_;
};

}  // namespace

absl::Status RegisterSgd(StrategyRegistries& registries) {
  return registries.optimizers.Register(
      {.name = "sgd",
       .summary = "adds the mean difference times a learning rate",
       .source = "McMahan et al. 2017, arXiv 1602.05629",
       .schema = ParamSchema({{.name = "lr",
                               .type = ParamSpec::Type::kReal,
                               .default_value = 1.0,
                               .min = 1e-9,
                               .max = 1e6,
                               .doc = "server learning rate"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<ServerOptimizer>> {
        return std::make_shared<Sgd>(params.Real("lr"));
      });
}

}  // namespace skein
