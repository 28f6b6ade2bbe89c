#include "strategy/fedsgd/fedsgd.h"

#include <memory>

#include "skein/base/status.h"
#include "strategy/linear/linear_fold.h"
#include "strategy/reported.h"

namespace skein {
namespace {

// FedAvg of updates that are one gradient step each: x' = x - lr sum n_i grad_i / sum n (McMahan et
// al. 2017, section 2).
class OneStep : public LinearScaling {
 public:
  absl::StatusOr<LinearShare> ShareOf(const UpdateHeader& header, double) const override {
    auto it = header.metrics.find(kStepsMetric);
    if (it == header.metrics.end() || it->second == 1) return LinearShare{};
    return absl::InvalidArgumentError(
        "fold 'fedsgd' takes one local step and the learner made " + ToJson(Value(it->second)) +
        "; give it a batch as large as its data and one epoch, or use fold 'fedavg'");
  }
};

}  // namespace

absl::Status RegisterFedSgd(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "fedsgd",
       .summary = "mean of single gradient steps, weighted by their samples; refuses updates that "
                  "say they made more steps",
       .source = "McMahan et al. 2017, arXiv 1602.05629",
       .schema = LinearSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return MakeLinearFold({.weight = [](const UpdateHeader& h) { return h.num_samples; },
                               .max_weight = [](uint64_t max_samples) { return max_samples; },
                               .options = LinearOptionsOf(params),
                               .scaling = std::make_shared<OneStep>()});
      });
}

}  // namespace skein
