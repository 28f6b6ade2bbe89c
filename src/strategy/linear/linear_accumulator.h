#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_ACCUMULATOR_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_ACCUMULATOR_H_

#include <cstdint>

#include "skein/strategy/fold.h"
#include "strategy/linear/linear_fold.h"

namespace skein {

// Weighted sums of updates in the ring of 64-bit integers: 8 bytes an element, taken at the first
// contribution. Weights of linear folds are whole numbers. Every contribution is checked whole
// before anything of it is added.
class LinearAccumulator : public Accumulator {
 public:
  LinearAccumulator(LinearRule rule, const Manifest& model, const NumericPlan& plan);

  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override;
  absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) override;
  absl::Status AddSubtree(const PackedTensors& delta, Fixed128 weight) override;
  absl::StatusOr<Partial> TakePartial() override;
  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override;
  Fixed128 total_weight() const override { return Fixed128::FromInt(total_weight_); }

 private:
  // How one tensor's elements combine: floats and averaged integers add up, others keep the
  // maximum.
  enum class Kind { kFloat, kIntegerMean, kIntegerMax };
  Kind KindOf(size_t tensor) const;
  uint64_t* Sums(size_t tensor);

  absl::Status CheckPlan() const;
  absl::Status CheckTotal(int64_t more) const;
  absl::Status CheckUpdate(const PackedTensors& update) const;
  absl::Status CheckValues(size_t tensor, const PackedTensors& update) const;
  absl::Status CheckSums(size_t tensor, int64_t weight, size_t updates,
                         const PackedTensors& sums) const;
  // What a sum of `updates` updates with this total weight can be.
  IntRange AllowedSums(size_t tensor, int64_t weight, size_t updates) const;

  absl::Status Prepare();
  void AddValues(size_t tensor, const PackedTensors& update, int64_t weight);
  void MergeSums(size_t tensor, const PackedTensors& sums);
  void FinishFloats(size_t tensor, const PackedTensors& base, ServerOptimizer& optimizer,
                    PackedTensors& next);
  void FinishIntegers(size_t tensor, PackedTensors& next);

  const LinearRule rule_;
  const Manifest model_;
  const NumericPlan plan_;
  const int64_t max_total_weight_;
  PackedTensors sums_;  // without value while nothing was added
  int64_t total_weight_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_ACCUMULATOR_H_
