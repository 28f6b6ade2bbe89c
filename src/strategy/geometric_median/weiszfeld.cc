#include "strategy/geometric_median/weiszfeld.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace skein {
namespace {

double SumOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

class Weiszfeld : public StepwiseMean {
 public:
  Weiszfeld(const WeiszfeldRule& rule, std::vector<double> alpha, std::vector<double> largest)
      : StepwiseMean(rule.iterations, std::move(largest)), nu_(rule.nu), alpha_(std::move(alpha)) {
    Become(alpha_, SumOf(alpha_));
  }

 private:
  void Reweigh(std::span<const double> distances) override {
    std::vector<double> beta(alpha_);
    for (size_t k = 0; k < beta.size(); ++k) beta[k] /= std::max(nu_, distances[k]);
    const double total = SumOf(beta);
    Become(std::move(beta), total);
  }

  const double nu_;
  const std::vector<double> alpha_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<StepwiseMean>> BeginWeiszfeld(const WeiszfeldRule& rule,
                                                             std::span<const uint64_t> samples,
                                                             std::vector<double> largest) {
  std::vector<double> alpha;
  for (const uint64_t count : samples) {
    alpha.push_back(rule.by_samples ? static_cast<double>(count) : 1);
  }
  const double total = SumOf(alpha);
  if (total == 0) {
    return absl::FailedPreconditionError(
        "fold 'geometric-median' weighs by samples, and no contribution has any");
  }
  for (double& value : alpha) value /= total;
  return std::make_unique<Weiszfeld>(rule, std::move(alpha), std::move(largest));
}

}  // namespace skein
