#include "strategy/signsgd/signsgd.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/linear/linear_fold.h"

namespace skein {
namespace {

double SignOf(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

// Hands the signs of what was voted on to another optimizer.
class SignsOf : public ServerOptimizer {
 public:
  explicit SignsOf(ServerOptimizer& optimizer) : optimizer_(optimizer) {}
  void BeginStep(const Manifest& model) override { optimizer_.BeginStep(model); }
  void Step(size_t tensor, uint64_t offset, std::span<const double> x,
            std::span<const double> mean_delta, std::span<double> next) override {
    signs_.resize(mean_delta.size());
    for (size_t i = 0; i < signs_.size(); ++i) signs_[i] = SignOf(mean_delta[i]);
    optimizer_.Step(tensor, offset, x, signs_, next);
  }

 private:
  ServerOptimizer& optimizer_;
  std::vector<double> signs_;
};

// Votes are -1, 0 and 1, however large the changes may be that they are made of.
NumericPlan PlanOfVotes(const Manifest& model, NumericPlan plan) {
  for (size_t t = 0; t < std::min(model.size(), plan.scales.size()); ++t) {
    if (!IsFloat(model[t].dtype) || model[t].role != TensorRole::kParameter) continue;
    TensorScale& scale = plan.scales[t];
    scale = {.scale_bits = scale.scale_bits + scale.bound_log2, .bound_log2 = 0};
  }
  return plan;
}

// Sums of votes: a linear fold's, of updates that are made of signs.
class VoteAccumulator : public Accumulator {
 public:
  VoteAccumulator(std::unique_ptr<Accumulator> votes, absl::StatusOr<Manifest> update,
                  std::shared_ptr<BufferPool> buffers)
      : votes_(std::move(votes)), update_(std::move(update)), buffers_(std::move(buffers)) {}

  using Accumulator::Begin;
  absl::StatusOr<std::unique_ptr<Intake>> Begin(const PartialHeader& header,
                                                const PackedTensors& staged) override {
    return votes_->Begin(header, staged);
  }
  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override {
    SKEIN_RETURN_IF_ERROR(update_.status());
    SKEIN_RETURN_IF_ERROR(update_->ExpectSame(update.manifest()));
    return votes_->Add(header, VotesOf(update));
  }
  absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) override {
    return votes_->Merge(header, sums);
  }
  absl::Status AddSubtree(const PackedTensors&, Fixed128) override {
    return absl::InvalidArgumentError("what a subtree's local rounds made is no vote");
  }
  absl::StatusOr<Partial> TakePartial() override { return votes_->TakePartial(); }
  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override {
    SignsOf signs(optimizer);
    return votes_->Finish(base, signs);
  }
  Fixed128 total_weight() const override { return votes_->total_weight(); }

  Accumulator* votes() { return votes_.get(); }

 private:
  // What is not finite stays, to be refused as in any update; so do buffers, which have values.
  PackedTensors VotesOf(const PackedTensors& update) const {
    PackedTensors votes(update.manifest(), *buffers_);
    for (size_t t = 0; t < update.manifest().size(); ++t) {
      const TensorInfo& info = update.manifest()[t];
      const std::span<std::byte> out = votes.mutable_tensor(t);
      if (!IsFloat(info.dtype) || info.role != TensorRole::kParameter) {
        std::ranges::copy(update.tensor(t), out.begin());
        continue;
      }
      ForChunks<double>(info, [&](uint64_t at, std::span<double> values) {
        LoadDoubles(info.dtype, update.tensor(t), at, values);
        for (double& v : values) v = std::isfinite(v) ? SignOf(v) : v;
        StoreDoubles(info.dtype, values, out, at);
      });
    }
    return votes;
  }

  const std::unique_ptr<Accumulator> votes_;
  const absl::StatusOr<Manifest> update_;
  const std::shared_ptr<BufferPool> buffers_;
};

// Every worker votes for the sign of each element's change; what has more votes wins. Partials are
// counts, not majorities, so that any tree gives the flat result (Bernstein et al. 2018, Algorithm
// 3). An element on which nobody voted, or as many for either, stays.
class SignSgdFold : public Fold {
 public:
  explicit SignSgdFold(std::shared_ptr<const Fold> votes) : votes_(std::move(votes)) {}
  Composition composition() const override { return votes_->composition(); }
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return votes_->MaxUpdateWeight(max_samples);
  }
  double MinBound() const override { return votes_->MinBound(); }
  bool NeedsChanges() const override { return true; }
  bool MixesModels() const override { return false; }
  bool TakesSubtrees() const override { return false; }
  using Fold::NewAccumulator;
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model, const NumericPlan& plan,
                                              std::shared_ptr<BufferPool> buffers) const override {
    return std::make_unique<VoteAccumulator>(
        votes_->NewAccumulator(model, PlanOfVotes(model, plan), buffers), UpdateManifest(model),
        buffers);
  }
  absl::StatusOr<PackedTensors> Mix(const PackedTensors& current, std::span<const MixPart> parts,
                                    ServerOptimizer& optimizer) const override {
    std::vector<MixPart> counts(parts.begin(), parts.end());
    for (MixPart& part : counts) {
      if (part.base != nullptr) {
        return absl::UnimplementedError("votes are on changes and cannot be mixed as models");
      }
      part.sums = static_cast<VoteAccumulator*>(part.sums)->votes();
    }
    SignsOf signs(optimizer);
    return votes_->Mix(current, counts, signs);
  }

 private:
  const std::shared_ptr<const Fold> votes_;
};

}  // namespace

absl::Status RegisterSignSgd(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "signsgd",
       .summary = "sign of each element by majority vote; the optimizer's learning rate is the "
                  "size of the step",
       .source = "Bernstein et al. 2018, arXiv 1802.04434",
       .schema = LinearSchema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        return std::make_shared<SignSgdFold>(
            MakeLinearFold({.weight = [](const UpdateHeader&) { return uint64_t{1}; },
                            .max_weight = [](uint64_t) { return uint64_t{1}; },
                            .options = LinearOptionsOf(params)}));
      });
}

}  // namespace skein
