#include "capped_fedavg.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace {

// What FedAvg adds up, of updates that say they have no more samples than the cap.
class CappedSums : public skein::Accumulator {
 public:
  CappedSums(std::unique_ptr<skein::Accumulator> sums, uint64_t cap)
      : sums_(std::move(sums)), cap_(cap) {}

  // An update in one piece, and one whose bytes are still arriving.
  absl::Status Add(const skein::UpdateHeader& header, const skein::PackedTensors& update) override {
    return sums_->Add(Capped(header), update);
  }
  absl::StatusOr<std::unique_ptr<skein::Intake>> Begin(
      const skein::UpdateHeader& header, const skein::PackedTensors& staged) override {
    return sums_->Begin(Capped(header), staged);
  }

  // What a subtree has added up was capped there.
  absl::Status Merge(const skein::PartialHeader& header,
                     const skein::PackedTensors& sums) override {
    return sums_->Merge(header, sums);
  }
  absl::StatusOr<std::unique_ptr<skein::Intake>> Begin(
      const skein::PartialHeader& header, const skein::PackedTensors& staged) override {
    return sums_->Begin(header, staged);
  }
  absl::Status AddSubtree(const skein::PackedTensors& delta, skein::Fixed128 weight) override {
    return sums_->AddSubtree(delta, weight);
  }

  absl::StatusOr<skein::Partial> TakePartial() override { return sums_->TakePartial(); }
  absl::StatusOr<skein::PackedTensors> Finish(const skein::PackedTensors& base,
                                              skein::ServerOptimizer& optimizer) override {
    return sums_->Finish(base, optimizer);
  }
  skein::Fixed128 total_weight() const override { return sums_->total_weight(); }

  skein::Accumulator* sums() { return sums_.get(); }

 private:
  skein::UpdateHeader Capped(skein::UpdateHeader header) const {
    header.num_samples = std::min(header.num_samples, cap_);
    return header;
  }

  const std::unique_ptr<skein::Accumulator> sums_;
  const uint64_t cap_;
};

class CappedFedAvg : public skein::Fold {
 public:
  CappedFedAvg(std::shared_ptr<const skein::Fold> fedavg, uint64_t cap)
      : fedavg_(std::move(fedavg)), cap_(cap) {}

  // A sum of capped weights is a sum: partials of subtrees merge to what the flat fold gives.
  skein::Composition composition() const override { return fedavg_->composition(); }
  // The smaller this bound, the finer the fixed point of the sums.
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return fedavg_->MaxUpdateWeight(std::min(max_samples, cap_));
  }
  double MinBound() const override { return fedavg_->MinBound(); }

  std::unique_ptr<skein::Accumulator> NewAccumulator(
      const skein::Manifest& model, const skein::NumericPlan& plan,
      std::shared_ptr<skein::BufferPool> buffers) const override {
    return std::make_unique<CappedSums>(fedavg_->NewAccumulator(model, plan, std::move(buffers)),
                                        cap_);
  }

  // Steps of contributions that refer to several bases, where the root has no barrier.
  absl::StatusOr<skein::PackedTensors> Mix(const skein::PackedTensors& current,
                                           std::span<const skein::MixPart> parts,
                                           skein::ServerOptimizer& optimizer) const override {
    std::vector<skein::MixPart> plain(parts.begin(), parts.end());
    for (skein::MixPart& part : plain) part.sums = static_cast<CappedSums*>(part.sums)->sums();
    return fedavg_->Mix(current, plain, optimizer);
  }

 private:
  const std::shared_ptr<const skein::Fold> fedavg_;
  const uint64_t cap_;
};

}  // namespace

absl::Status RegisterCappedFedAvg(skein::StrategyRegistries& registries) {
  SKEIN_ASSIGN_OR_RETURN(auto fedavg, registries.folds.Create({"fedavg", {}}));
  return registries.folds.Register(
      {.name = "capped-fedavg",
       .summary = "mean of the updates, weighted by their samples up to a cap",
       .source = "an example",
       .schema = skein::ParamSchema({{.name = "cap",
                                      .type = skein::ParamSpec::Type::kInt,
                                      .required = true,
                                      .min = 1,
                                      .max = 1e9,
                                      .doc = "samples that an update weighs at most"}})},
      [fedavg](const skein::Params& params) -> absl::StatusOr<std::shared_ptr<const skein::Fold>> {
        return std::make_shared<CappedFedAvg>(fedavg, static_cast<uint64_t>(params.Int("cap")));
      });
}
