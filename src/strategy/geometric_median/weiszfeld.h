#ifndef SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_H_
#define SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "strategy/stepwise_mean/stepwise_mean.h"

namespace skein {

struct WeiszfeldRule {
  int64_t iterations = 0;
  double nu = 0;
  bool by_samples = true;
};

// The smoothed Weiszfeld algorithm (Pillutla et al. 2019, arXiv 1912.13445, Algorithm 2):
// v0 = sum alpha_i w_i, then beta_i = alpha_i / max(nu, |v - w_i|) and
// v = sum beta_i w_i / sum beta_i. FailedPrecondition if samples weigh and there are none.
absl::StatusOr<std::unique_ptr<StepwiseMean>> BeginWeiszfeld(const WeiszfeldRule& rule,
                                                             std::span<const uint64_t> samples,
                                                             std::vector<double> largest);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_H_
