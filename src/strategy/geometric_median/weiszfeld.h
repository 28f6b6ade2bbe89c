#ifndef SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_H_
#define SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_H_

#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

namespace skein {

struct WeiszfeldRule {
  int64_t iterations = 0;
  double nu = 0;
  bool by_samples = true;
};

// The smoothed Weiszfeld algorithm (Pillutla et al. 2019, arXiv 1912.13445, Algorithm 2). Every
// iterate is a weighted mean of the contributions, so their weights are all that is kept of it, in
// the order of their leaves.
class Weiszfeld {
 public:
  // `largest`: of each, the largest magnitude of an element. FailedPrecondition if samples weigh
  // and there are none.
  static absl::StatusOr<Weiszfeld> Begin(const WeiszfeldRule& rule,
                                         std::span<const uint64_t> samples,
                                         std::vector<double> largest);

  // Whether another step is to be taken, for which it wants the distances to the present iterate.
  bool wants_distances() const { return left_ > 0; }
  void Step(std::span<const double> squared_distances);

  const std::vector<double>& weights() const { return weights_; }
  double total() const;
  // Of the terms of the present mean; see term_sums.h.
  int scale_bits() const;

 private:
  explicit Weiszfeld(const WeiszfeldRule& rule) : rule_(rule), left_(rule.iterations) {}

  WeiszfeldRule rule_;
  int64_t left_ = 0;
  std::vector<double> alpha_;
  std::vector<double> weights_;
  std::vector<double> largest_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_GEOMETRIC_MEDIAN_WEISZFELD_H_
