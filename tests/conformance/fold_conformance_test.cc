#include "skein/testing/fold_conformance.h"

#include "skein/builtins/strategies.h"
#include "strategy/linear/linear_fold.h"

namespace skein::testing {
namespace {

std::function<std::shared_ptr<const Fold>()> Builtin(const std::string& name, ValueMap params) {
  return [name, params] {
    StrategyRegistries registries;
    RegisterBuiltinStrategies(registries);
    auto fold = registries.folds.Create({name, params});
    return fold.ok() ? *fold : nullptr;
  };
}

double Samples(const UpdateHeader& header) { return static_cast<double>(header.num_samples); }
double One(const UpdateHeader&) { return 1; }

// The model of the suite is smaller than a tile: here it has many, of the portable kernels.
std::shared_ptr<const Fold> SmallTiles() {
  return MakeLinearFold({.weight = [](const UpdateHeader& h) { return h.num_samples; },
                         .max_weight = [](uint64_t max_samples) { return max_samples; }},
                        {.kernels = &PortableFoldKernels(), .tile_elements = 61});
}

// A fold that leaves taking in to its base class.
class Whole : public Fold {
 public:
  Composition composition() const override { return fold_->composition(); }
  uint64_t MaxUpdateWeight(uint64_t max_samples) const override {
    return fold_->MaxUpdateWeight(max_samples);
  }
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model, const NumericPlan& plan,
                                              std::shared_ptr<BufferPool> buffers) const override {
    return std::make_unique<Sums>(fold_->NewAccumulator(model, plan, std::move(buffers)));
  }

 private:
  class Sums : public Accumulator {
   public:
    explicit Sums(std::unique_ptr<Accumulator> of) : of_(std::move(of)) {}
    absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override {
      return of_->Add(header, update);
    }
    absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) override {
      return of_->Merge(header, sums);
    }
    absl::Status AddSubtree(const PackedTensors& delta, Fixed128 weight) override {
      return of_->AddSubtree(delta, weight);
    }
    absl::StatusOr<Partial> TakePartial() override { return of_->TakePartial(); }
    absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                         ServerOptimizer& optimizer) override {
      return of_->Finish(base, optimizer);
    }
    Fixed128 total_weight() const override { return of_->total_weight(); }

   private:
    std::unique_ptr<Accumulator> of_;
  };
  std::shared_ptr<const Fold> fold_ = SmallTiles();
};

const FoldCase kLinear[] = {
    {"FedAvg", Builtin("fedavg", {}), Samples},
    {"FedAvgIntegerMean", Builtin("fedavg", {{"integers", "mean"}}), Samples},
    {"Mean", Builtin("mean", {}), One},
    {"MeanIntegerMean", Builtin("mean", {{"integers", "mean"}}), One},
    {"SmallTiles", SmallTiles, Samples},
    {"Whole", [] { return std::make_shared<Whole>(); }, Samples},
};
// Multiples of 4 samples make a local step more; every worker has another loss.
void Report(UpdateHeader& header) {
  header.metrics["steps"] = 1 + static_cast<double>(header.num_samples % 32) / 4;
  header.metrics["initial_loss"] = 0.01 * static_cast<double>(1 + header.num_samples);
}
// Updates of the suite have a norm of about 4.
const FoldCase kScaled[] = {
    {.name = "FedNova", .make = Builtin("fednova", {}), .prepare = Report},
    {.name = "QFedAvg", .make = Builtin("qfedavg", {{"lr", 0.1}, {"q", 2.0}}), .prepare = Report},
    {.name = "ClippedMean", .make = Builtin("clipped-mean", {{"clip", 1.5}})},
    {.name = "ClippedBySamples",
     .make = Builtin("clipped-mean", {{"clip", 1.5}, {"weights", "samples"}})},
    {.name = "SignSgd", .make = Builtin("signsgd", {})},
};
const FoldCase kAgreeing[] = {
    {"FedSgd", Builtin("fedsgd", {}), Samples, [](UpdateHeader& h) { h.metrics["steps"] = 1; }},
    {"ClippedMeanOfShort", Builtin("clipped-mean", {{"clip", 1e6}}), One},
};

// The model of the suite takes some 42 KB: in memory, and in the file.
const FoldCase kHeld[] = {
    {"Median", Builtin("median", {}), nullptr},
    {"SpilledMedian", Builtin("median", {{"memory_mb", 0}}), nullptr},
    {"TrimmedMean", Builtin("trimmed-mean", {}), nullptr},
    {"TrimmedMeanByNumber", Builtin("trimmed-mean", {{"trim", 3}}), nullptr},
    {"Krum", Builtin("krum", {{"f", 2}}), nullptr},
    {"SpilledKrum", Builtin("krum", {{"f", 1}, {"memory_mb", 0}}), nullptr},
    {"MultiKrum", Builtin("multi-krum", {{"f", 1}, {"m", 3}}), nullptr},
    {"MultiKrumOfAll", Builtin("multi-krum", {{"f", 0}}), nullptr},
    {"Bulyan", Builtin("bulyan", {{"f", 1}}), nullptr},
    {"SpilledBulyan", Builtin("bulyan", {{"f", 2}, {"memory_mb", 0}}), nullptr},
    {"CenteredClippingOfNear", Builtin("centered-clipping", {{"clip", 1e6}}), nullptr},
    {"GeometricMedian", Builtin("geometric-median", {}), nullptr},
    {"SpilledGeometricMedian",
     Builtin("geometric-median", {{"weights", "uniform"}, {"memory_mb", 0}}), nullptr},
};
const FoldCase kDrawn[] = {
    {"CenteredClipping", Builtin("centered-clipping", {{"clip", 1.5}}), nullptr},
    {"SpilledCenteredClipping", Builtin("centered-clipping", {{"clip", 1.5}, {"memory_mb", 0}}),
     nullptr},
};
std::string NameOf(const ::testing::TestParamInfo<FoldCase>& tested) { return tested.param.name; }

INSTANTIATE_TEST_SUITE_P(Linear, FoldConformance, ::testing::ValuesIn(kLinear), NameOf);
INSTANTIATE_TEST_SUITE_P(Linear, ComposingFoldConformance, ::testing::ValuesIn(kLinear), NameOf);
INSTANTIATE_TEST_SUITE_P(Linear, AgreeingFoldConformance, ::testing::ValuesIn(kLinear), NameOf);
INSTANTIATE_TEST_SUITE_P(Linear, MeanFoldConformance, ::testing::ValuesIn(kLinear), NameOf);
INSTANTIATE_TEST_SUITE_P(Scaled, FoldConformance, ::testing::ValuesIn(kScaled), NameOf);
INSTANTIATE_TEST_SUITE_P(Scaled, ComposingFoldConformance, ::testing::ValuesIn(kScaled), NameOf);
INSTANTIATE_TEST_SUITE_P(Agreeing, FoldConformance, ::testing::ValuesIn(kAgreeing), NameOf);
INSTANTIATE_TEST_SUITE_P(Agreeing, ComposingFoldConformance, ::testing::ValuesIn(kAgreeing),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Agreeing, AgreeingFoldConformance, ::testing::ValuesIn(kAgreeing), NameOf);
INSTANTIATE_TEST_SUITE_P(Agreeing, MeanFoldConformance, ::testing::ValuesIn(kAgreeing), NameOf);
INSTANTIATE_TEST_SUITE_P(Held, AgreeingFoldConformance, ::testing::ValuesIn(kHeld), NameOf);
INSTANTIATE_TEST_SUITE_P(Held, FoldConformance, ::testing::ValuesIn(kHeld), NameOf);
INSTANTIATE_TEST_SUITE_P(Held, LoneFoldConformance, ::testing::ValuesIn(kHeld), NameOf);
INSTANTIATE_TEST_SUITE_P(Drawn, FoldConformance, ::testing::ValuesIn(kDrawn), NameOf);
INSTANTIATE_TEST_SUITE_P(Drawn, LoneFoldConformance, ::testing::ValuesIn(kDrawn), NameOf);

}  // namespace
}  // namespace skein::testing
