#include "strategy/held/holding_fold.h"

#include <optional>
#include <utility>

#include "skein/base/status.h"
#include "strategy/held/lone_partial.h"
#include "strategy/passes/pass_accumulator.h"

namespace skein {
namespace {

class HoldingAccumulator : public Accumulator {
 public:
  HoldingAccumulator(const HoldingRule& rule, const HoldLimits& limits, const Manifest& model,
                     NumericPlan plan, std::shared_ptr<BufferPool> buffers)
      : rule_(rule), model_(model), plan_(std::move(plan)), buffers_(std::move(buffers)) {
    absl::StatusOr<Manifest> update = UpdateManifest(model);
    shape_ = update.status();
    if (update.ok()) updates_.emplace(*std::move(update), limits);
  }

  absl::StatusOr<std::unique_ptr<Intake>> Begin(const UpdateHeader& header,
                                                const PackedTensors& staged) override {
    return BeginHeld({header.leaf, header.seq, header.num_samples}, 1, staged);
  }
  // It cannot be held as it comes.
  absl::StatusOr<std::unique_ptr<Intake>> Begin(const PartialHeader& header,
                                                const PackedTensors& staged) override {
    SKEIN_RETURN_IF_ERROR(CheckLone(header));
    return Accumulator::Begin(header, staged);
  }
  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override {
    SKEIN_ASSIGN_OR_RETURN(const auto intake, Begin(header, update));
    return intake->Complete();
  }
  absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) override {
    SKEIN_RETURN_IF_ERROR(CheckLone(header));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors update, DecodeLone(sums, model_, plan_, *buffers_));
    const HeldFrom from{header.roster.intervals().front().begin, header.task, header.num_samples};
    SKEIN_ASSIGN_OR_RETURN(const auto intake, BeginHeld(from, header.updates, update));
    return intake->Complete();
  }
  absl::Status AddSubtree(const PackedTensors& delta, Fixed128 weight) override {
    const double samples = weight.ToDouble();
    if (!(samples >= 0 && samples < 0x1p63)) {
      return absl::InvalidArgumentError("its weight is out of range");
    }
    const HeldFrom from{.samples = static_cast<uint64_t>(samples)};
    SKEIN_ASSIGN_OR_RETURN(const auto intake, BeginHeld(from, UINT64_MAX, delta));
    return intake->Complete();
  }

  absl::StatusOr<Partial> TakePartial() override {
    SKEIN_RETURN_IF_ERROR(CheckSome());
    if (updates_->size() > 1) {
      return absl::FailedPreconditionError("fold '" + rule_.name + "' of subtrees does not make " +
                                           "that of the tree");
    }
    return TakeFirst();
  }

  absl::StatusOr<Partial> TakeFirst() override {
    SKEIN_RETURN_IF_ERROR(CheckSome());
    SKEIN_ASSIGN_OR_RETURN(const HeldUpdates::View view, updates_->OpenFirst());
    SKEIN_ASSIGN_OR_RETURN(PackedTensors lone, EncodeLone(view.bytes(0), model_, plan_, *buffers_));
    updates_->DropFirst();
    return Partial{rule_.WeightOf(view.from(0).samples), {}, std::move(lone)};
  }

  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override {
    SKEIN_RETURN_IF_ERROR(CheckSome());
    SKEIN_RETURN_IF_ERROR(rule_.CheckEnough(updates_->size()));
    SKEIN_RETURN_IF_ERROR(model_.ExpectSame(base.manifest()));
    SKEIN_ASSIGN_OR_RETURN(PackedTensors next, rule_.finish(*updates_, base, optimizer, *buffers_));
    updates_->Clear();
    return next;
  }

  // Their number, or that of their samples where these weigh.
  Fixed128 total_weight() const override {
    Fixed128 total;
    if (!updates_) return total;
    for (const HeldFrom& from : updates_->From()) total += rule_.WeightOf(from.samples);
    return total;
  }

 private:
  absl::StatusOr<std::unique_ptr<Intake>> BeginHeld(const HeldFrom& from, uint64_t updates,
                                                    const PackedTensors& tensors) {
    SKEIN_RETURN_IF_ERROR(shape_);
    SKEIN_RETURN_IF_ERROR(rule_.CheckSamples(from.samples, updates, plan_));
    return updates_->Begin(tensors, from);
  }

  absl::Status CheckLone(const PartialHeader& header) const {
    SKEIN_RETURN_IF_ERROR(shape_);
    if (header.Contributions() != 1) {
      return absl::InvalidArgumentError("fold '" + rule_.name +
                                        "' needs every contribution itself, and this is a sum of " +
                                        std::to_string(header.Contributions()));
    }
    if (header.roster.Count() == 0) return absl::InvalidArgumentError("its roster is empty");
    return absl::OkStatus();
  }

  absl::Status CheckSome() const {
    if (updates_ && updates_->size() > 0) return absl::OkStatus();
    return absl::FailedPreconditionError("nothing was added to the aggregation");
  }

  const HoldingRule rule_;
  const Manifest model_;
  const NumericPlan plan_;
  const std::shared_ptr<BufferPool> buffers_;
  absl::Status shape_;  // an error refuses every contribution
  std::optional<HeldUpdates> updates_;
};

class HoldingFold : public Fold {
 public:
  HoldingFold(HoldingRule rule, HoldLimits limits)
      : rule_(std::move(rule)), limits_(std::move(limits)) {}
  Composition composition() const override { return Composition::kNone; }
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return rule_.weighs_samples ? max_samples : 1;
  }
  bool NeedsChanges() const override { return rule_.needs_changes; }
  int MinContributions() const override { return rule_.min_contributions; }
  absl::Status CheckMachine() const override { return CheckSpillDirectory(limits_); }
  using Fold::NewAccumulator;
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model, const NumericPlan& plan,
                                              std::shared_ptr<BufferPool> buffers) const override {
    return std::make_unique<HoldingAccumulator>(rule_, limits_, model, plan, std::move(buffers));
  }
  bool HasPasses() const override { return rule_.conduct != nullptr; }
  std::unique_ptr<Accumulator> NewPassAccumulator(
      const Manifest& model, const NumericPlan& plan, uint64_t workers,
      std::shared_ptr<BufferPool> buffers) const override {
    return MakePassAccumulator(rule_, limits_, model, plan, workers, std::move(buffers));
  }

 private:
  const HoldingRule rule_;
  const HoldLimits limits_;
};

}  // namespace

absl::Status HoldingRule::CheckEnough(size_t contributions) const {
  if (contributions >= static_cast<size_t>(min_contributions)) return absl::OkStatus();
  return absl::FailedPreconditionError("fold '" + name + "' needs " +
                                       std::to_string(min_contributions) + " contributions, " +
                                       why + ", and " + std::to_string(contributions) + " came");
}

absl::Status HoldingRule::CheckSamples(uint64_t samples, uint64_t updates,
                                       const NumericPlan& plan) const {
  const auto most = static_cast<unsigned __int128>(updates) * plan.max_update_weight;
  if (!weighs_samples || samples <= most) return absl::OkStatus();
  return absl::InvalidArgumentError("it says " + std::to_string(samples) +
                                    " samples, the declared bound is " +
                                    std::to_string(static_cast<uint64_t>(most)));
}

Fixed128 HoldingRule::WeightOf(uint64_t samples) const {
  return Fixed128::FromInt(weighs_samples ? static_cast<int64_t>(samples) : 1);
}

std::shared_ptr<const Fold> MakeHoldingFold(HoldingRule rule, HoldLimits limits) {
  return std::make_shared<HoldingFold>(std::move(rule), std::move(limits));
}

}  // namespace skein
