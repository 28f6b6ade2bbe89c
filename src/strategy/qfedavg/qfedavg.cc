#include "strategy/qfedavg/qfedavg.h"

#include <cmath>
#include <memory>

#include "skein/base/status.h"
#include "strategy/linear/linear_fold.h"
#include "strategy/reported.h"

namespace skein {
namespace {

constexpr char kName[] = "qfedavg";
constexpr double kMinLoss = 1e-10;      // as the authors' code: a loss of 0 would divide by 0
constexpr double kMaxDivisor = 0x1p60;  // of one update, so that a million of them add up

// x' = x - sum D_k / sum h_k with L = 1/lr, dw_k = L (x - y_k), D_k = F_k^q dw_k,
// h_k = q F_k^(q-1) |dw_k|^2 + L F_k^q (Li et al. 2020, Algorithm 2). F_k is the loss of the model
// that was received. Both sums are divided by L M^q, M the largest loss that is taken, so that what
// multiplies an update is at most 1: D_k becomes (F_k/M)^q (x - y_k).
class QFedAvgScaling : public LinearScaling {
 public:
  QFedAvgScaling(double q, double lr, double max_loss) : q_(q), lr_(lr), max_loss_(max_loss) {}
  bool NeedsNorm() const override { return true; }
  bool NeedsInitialLoss() const override { return true; }
  absl::StatusOr<LinearShare> ShareOf(const UpdateHeader& header, double norm) const override {
    SKEIN_ASSIGN_OR_RETURN(const double reported,
                           Reported(header, kInitialLossMetric, kName, 0, max_loss_));
    const double loss = reported + kMinLoss;
    const double scale = std::min(1.0, std::pow(loss / max_loss_, q_));
    // A norm that is not finite belongs to an update that is refused for its elements.
    if (!std::isfinite(norm)) return LinearShare{.scale = scale, .scalars = {0}};
    const double divisor = scale * (1 + q_ / loss * norm * norm / lr_);
    if (!(divisor <= kMaxDivisor)) {
      return absl::InvalidArgumentError("its norm is " + ToJson(Value(norm)) +
                                        ", too much for fold 'qfedavg' with a loss of " +
                                        ToJson(Value(loss)));
    }
    return LinearShare{.scale = scale, .scalars = {divisor}};
  }
  std::vector<std::string> ScalarNames() const override { return {"divisor"}; }
  double Divisor(double, std::span<const double> scalars) const override { return scalars[0]; }

 private:
  const double q_;
  const double lr_;
  const double max_loss_;
};

ParamSchema Schema() {
  std::vector<ParamSpec> specs = LinearSchema().specs();
  specs.push_back({.name = "q",
                   .type = ParamSpec::Type::kReal,
                   .default_value = 0.1,
                   .min = 0,
                   .max = 10,
                   .doc = "how much more those with a high loss count; 0: all the same"});
  specs.push_back({.name = "lr",
                   .type = ParamSpec::Type::kReal,
                   .required = true,
                   .min = 1e-9,
                   .max = 1e6,
                   .doc = "the learners' learning rate"});
  specs.push_back({.name = "max_loss",
                   .type = ParamSpec::Type::kReal,
                   .default_value = 100.0,
                   .min = 1e-6,
                   .max = 1e9,
                   .doc = "updates with a higher initial loss are refused"});
  return ParamSchema(std::move(specs));
}

}  // namespace

absl::Status RegisterQFedAvg(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = kName,
       .summary = "mean of the updates in which those with a high loss count more; needs the "
                  "metric 'initial_loss'",
       .source = "Li et al. 2020, arXiv 1905.10497",
       .schema = Schema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return MakeLinearFold({.weight = [](const UpdateHeader&) { return uint64_t{1}; },
                               .max_weight = [](uint64_t) { return uint64_t{1}; },
                               .options = LinearOptionsOf(params),
                               .scaling = std::make_shared<QFedAvgScaling>(
                                   params.Real("q"), params.Real("lr"), params.Real("max_loss"))});
      });
}

}  // namespace skein
