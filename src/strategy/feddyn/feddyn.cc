#include "strategy/feddyn/feddyn.h"

#include <memory>

#include "strategy/optimizer_state.h"

namespace skein {
namespace {

// The server's part of FedDyn (Acar et al. 2021, Algorithm 1), with the workers' term `feddyn` of
// the same alpha: h' = h - alpha |S|/N delta; x' = x + delta - h'/alpha, where delta is the plain
// mean over the participants S of N workers. In units of alpha, s = -h/alpha, that is
// s' = s + |S|/N delta; x' = x + delta + s', without alpha: so what is kept is s, as float32.
class FedDyn : public ServerOptimizer {
 public:
  explicit FedDyn(std::string state) : path_(std::move(state)) {}
  absl::Status Prepare(const Manifest& model) override { return state_.Prepare(model, path_); }
  void SetParticipation(double share) override { share_ = share; }
  void BeginStep(const Manifest&) override { state_.CountStep(); }
  void Step(size_t tensor, uint64_t offset, std::span<const double> x,
            std::span<const double> mean_delta, std::span<double> next) override {
    const std::span<float> kept = state_.Slot(0, tensor, offset, x.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double s = kept[i] + share_ * mean_delta[i];
      next[i] = x[i] + mean_delta[i] + s;
      kept[i] = static_cast<float>(s);
    }
  }
  void Continue(const ServerOptimizer& previous) override {
    state_.CopyFrom(static_cast<const FedDyn&>(previous).state_);
  }
  PackedTensors State() const override { return state_.Tensors(); }

 private:
  const std::string path_;
  double share_ = 1;
  OptimizerState state_{"feddyn", {{.name = "drift"}}};
};

}  // namespace

absl::Status RegisterFedDynOptimizer(StrategyRegistries& registries) {
  return registries.optimizers.Register(
      {.name = "feddyn",
       .summary = "adds what workers have drifted in all; the server's part of FedDyn, with term "
                  "'feddyn' and fold 'mean'",
       .source = "Acar et al. 2021, arXiv 2111.04263",
       .schema = ParamSchema({StateParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<ServerOptimizer>> {
        return std::make_shared<FedDyn>(params.String("state"));
      });
}

}  // namespace skein
