#include "strategy/fednova/fednova.h"

#include <memory>

#include "skein/base/status.h"
#include "strategy/linear/linear_fold.h"
#include "strategy/reported.h"

namespace skein {
namespace {

constexpr char kName[] = "fednova";
constexpr double kMaxSteps = 1e9;

// x' = x + tau_eff * sum p_i delta_i / |a_i|, tau_eff = sum p_i |a_i|, p_i = n_i / sum n (Wang et
// al. 2020, equation 8). With the sums W = sum n_i and A = sum n_i |a_i| that is
// x + (sum n_i delta_i / |a_i|) / (W^2 / A).
class FedNovaScaling : public LinearScaling {
 public:
  absl::StatusOr<LinearShare> ShareOf(const UpdateHeader& header, double) const override {
    SKEIN_ASSIGN_OR_RETURN(const double steps, Reported(header, kStepsMetric, kName, 1, kMaxSteps));
    return LinearShare{.scale = 1 / steps,
                       .scalars = {static_cast<double>(header.num_samples) * steps}};
  }
  std::vector<std::string> ScalarNames() const override { return {"weighted_steps"}; }
  double Divisor(double total_weight, std::span<const double> scalars) const override {
    return total_weight * (total_weight / scalars[0]);
  }
};

}  // namespace

absl::Status RegisterFedNova(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = kName,
       .summary = "mean of the updates, each divided by its local steps, times the mean steps; "
                  "needs the metric 'steps'",
       .source = "Wang et al. 2020, arXiv 2007.07481",
       .schema = LinearSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return MakeLinearFold({.weight = [](const UpdateHeader& h) { return h.num_samples; },
                               .max_weight = [](uint64_t max_samples) { return max_samples; },
                               .options = LinearOptionsOf(params),
                               .scaling = std::make_shared<FedNovaScaling>()});
      });
}

}  // namespace skein
