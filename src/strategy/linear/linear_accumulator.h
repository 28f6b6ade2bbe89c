#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_ACCUMULATOR_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_ACCUMULATOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "skein/strategy/fold.h"
#include "strategy/linear/linear_fold.h"
#include "strategy/linear/linear_intake.h"

namespace skein {

// Weighted sums of updates in the ring of 64-bit integers: 8 bytes an element, taken at the first
// contribution. Weights of linear folds are whole numbers. Contributions are folded while they
// arrive; one that turns out bad is taken out again.
class LinearAccumulator : public Accumulator {
 public:
  LinearAccumulator(LinearRule rule, const Manifest& model, const NumericPlan& plan,
                    const LinearEngine& engine, std::shared_ptr<BufferPool> buffers);

  absl::StatusOr<std::unique_ptr<Intake>> Begin(const UpdateHeader& header,
                                                const PackedTensors& staged) override;
  absl::StatusOr<std::unique_ptr<Intake>> Begin(const PartialHeader& header,
                                                const PackedTensors& staged) override;
  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override;
  absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) override;
  absl::Status AddSubtree(const PackedTensors& delta, Fixed128 weight) override;
  absl::StatusOr<Partial> TakePartial() override;
  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override;
  Fixed128 total_weight() const override;

  // Fold::Mix, of at least one part; all are accumulators of linear folds.
  static absl::StatusOr<PackedTensors> Mix(const PackedTensors& current,
                                           std::span<const MixPart> parts,
                                           ServerOptimizer& optimizer);

 private:
  // A worker's update, whose norm is known if the fold goes by it.
  absl::StatusOr<std::unique_ptr<Intake>> BeginUpdate(const UpdateHeader& header,
                                                      const PackedTensors& staged, double norm);
  bool NeedsNorm() const { return rule_.scaling != nullptr && rule_.scaling->NeedsNorm(); }
  // A partial's scalars in the fold's order.
  absl::StatusOr<std::vector<Fixed128>> ScalarsOf(const PartialHeader& header) const;
  // What float parameters' sums are divided by; FailedPrecondition if that is not positive.
  absl::StatusOr<double> Divisor() const;
  // What can be checked before any byte is there.
  absl::StatusOr<std::unique_ptr<Intake>> BeginInput(LinearInput input,
                                                     const PackedTensors& staged);
  // FailedPrecondition unless something was added and nothing is half there.
  absl::Status CheckWhole() const;

  const LinearRule rule_;
  const absl::StatusOr<LinearShape> shape_;  // an error refuses every contribution
  const std::shared_ptr<BufferPool> buffers_;
  const std::vector<std::string> scalar_names_;
  std::unique_ptr<LinearSums> sums_;  // null while there was none
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_ACCUMULATOR_H_
