#include "strategy/median/median.h"

#include <memory>
#include <optional>
#include <utility>

#include "skein/base/status.h"
#include "strategy/held/held_updates.h"
#include "strategy/median/median_finish.h"

namespace skein {
namespace {

absl::Status NeedsUpdates() {
  return absl::InvalidArgumentError(
      "the median needs the updates themselves, and this is a sum of several; it can only stand "
      "right above the workers");
}

class MedianAccumulator : public Accumulator {
 public:
  MedianAccumulator(const Manifest& model, const HoldLimits& limits,
                    std::shared_ptr<BufferPool> buffers)
      : model_(model), buffers_(std::move(buffers)) {
    absl::StatusOr<Manifest> update = UpdateManifest(model);
    shape_ = update.status();
    if (update.ok()) updates_.emplace(*std::move(update), limits);
  }

  absl::StatusOr<std::unique_ptr<Intake>> Begin(const UpdateHeader&,
                                                const PackedTensors& staged) override {
    SKEIN_RETURN_IF_ERROR(shape_);
    return updates_->Begin(staged);
  }
  absl::StatusOr<std::unique_ptr<Intake>> Begin(const PartialHeader&,
                                                const PackedTensors&) override {
    return NeedsUpdates();
  }
  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override {
    SKEIN_ASSIGN_OR_RETURN(const auto intake, Begin(header, update));
    return intake->Complete();
  }
  absl::Status Merge(const PartialHeader&, const PackedTensors&) override { return NeedsUpdates(); }
  absl::Status AddSubtree(const PackedTensors&, Fixed128) override { return NeedsUpdates(); }
  absl::StatusOr<Partial> TakePartial() override {
    return absl::FailedPreconditionError("medians of subtrees do not make the median of the tree");
  }

  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override {
    if (!updates_ || updates_->size() == 0) {
      return absl::FailedPreconditionError("nothing was added to the aggregation");
    }
    SKEIN_RETURN_IF_ERROR(model_.ExpectSame(base.manifest()));
    SKEIN_ASSIGN_OR_RETURN(PackedTensors next, FinishMedian(*updates_, base, optimizer, *buffers_));
    updates_->Clear();
    return next;
  }

  // Every update counts the same.
  Fixed128 total_weight() const override {
    return Fixed128::FromInt(updates_ ? static_cast<int64_t>(updates_->size()) : 0);
  }

 private:
  const Manifest model_;
  const std::shared_ptr<BufferPool> buffers_;
  absl::Status shape_;  // an error refuses every contribution
  std::optional<HeldUpdates> updates_;
};

class MedianFold : public Fold {
 public:
  explicit MedianFold(HoldLimits limits) : limits_(std::move(limits)) {}
  Composition composition() const override { return Composition::kNone; }
  uint64_t MaxUpdateWeight(uint64_t) const override { return 1; }
  absl::Status CheckMachine() const override { return CheckSpillDirectory(limits_); }
  using Fold::NewAccumulator;
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model, const NumericPlan&,
                                              std::shared_ptr<BufferPool> buffers) const override {
    return std::make_unique<MedianAccumulator>(model, limits_, std::move(buffers));
  }

 private:
  const HoldLimits limits_;
};

}  // namespace

// Of each coordinate by itself. Samples do not weigh: a worker may say what it likes of them.
absl::Status RegisterMedian(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "median",
       .summary = "median of each element over the updates, whatever their samples; holds all of "
                  "them, beyond memory_mb in a file",
       .source = "Yin et al. 2018, arXiv 1803.01498",
       .schema = HoldingSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return std::make_shared<MedianFold>(HoldLimitsOf(params));
      });
}

}  // namespace skein
