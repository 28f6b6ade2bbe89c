// What every server optimizer must do (skein/strategy/server_optimizer.h), over those that ship.
#include <algorithm>

#include <gmock/gmock.h>

#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

struct OptimizerCase {
  const char* name;
  PartSpec spec;
  friend void PrintTo(const OptimizerCase& c, std::ostream* out) { *out << c.name; }
};

class OptimizerConformance : public ::testing::TestWithParam<OptimizerCase> {
 protected:
  std::shared_ptr<ServerOptimizer> New(const Manifest& model) const {
    auto optimizer =
        Make(BuiltinStrategies().optimizers, GetParam().spec.name, GetParam().spec.params);
    const absl::Status ready = optimizer->Prepare(model);
    EXPECT_TRUE(ready.ok()) << ready;
    return optimizer;
  }
  // The model after `base`, as a tree of `depth` tiers makes it of the updates.
  static PackedTensors Round(ServerOptimizer& optimizer, const PackedTensors& base,
                             const std::vector<testing::SampleUpdate>& updates, int depth,
                             Rng& rng) {
    const auto fold = Make(BuiltinStrategies().folds, "fedavg", {{"bound", 64}});
    auto numeric = MakeNumericPlan(base, 100, updates.size(), fold->MinBound());
    EXPECT_TRUE(numeric.ok()) << numeric.status();
    const NumericPlan plan = *std::move(numeric);
    optimizer.SetParticipation(1);
    const auto root = fold->NewAccumulator(base.manifest(), plan);
    auto partial = testing::FoldInRandomTree(*fold, base.manifest(), plan, updates, depth, rng);
    EXPECT_TRUE(partial.ok()) << partial.status();
    EXPECT_TRUE(root->Merge(testing::HeaderOf(*partial, updates), partial->sums).ok());
    auto next = root->Finish(base, optimizer);
    EXPECT_TRUE(next.ok()) << next.status();
    return *std::move(next);
  }
};

// Over three rounds, with a model of all types, empty tensors, scalars and buffers.
TEST_P(OptimizerConformance, AnyTreeOfOneWorkerOrAThousandGivesTheFlatModel) {
  for (const size_t workers : {size_t{1}, size_t{7}, testing::kManyWorkers}) {
    Rng rng(81);
    PackedTensors flat = testing::RandomModel(testing::MixedManifest(), 0.1, rng);
    PackedTensors deep = flat;
    const auto of_flat = New(flat.manifest());
    const auto of_deep = New(flat.manifest());
    for (int round = 0; round < 3; ++round) {
      const auto updates = testing::RandomUpdates(flat, workers, 100, 0.01, rng);
      flat = Round(*of_flat, flat, updates, 1, rng);
      deep = Round(*of_deep, deep, updates, 4, rng);
      ASSERT_TRUE(testing::SameBytes(flat, deep)) << workers << " workers, round " << round;
    }
  }
}

TEST_P(OptimizerConformance, PiecesDoNotMatter) {
  const Manifest model = testing::MakeManifest({{"empty", DType::kFloat32, {0}},
                                                {"w", DType::kFloat32, {3000}},
                                                {"scalar", DType::kFloat32, {}}});
  const auto whole = New(model);
  const auto pieces = New(model);
  Rng rng(82);
  std::vector<std::vector<double>> x = {{}, std::vector<double>(3000, 0.5), {-2}};
  for (int step = 0; step < 4; ++step) {
    for (auto* optimizer : {whole.get(), pieces.get()}) {
      optimizer->SetParticipation(0.5);
      optimizer->BeginStep(model);
    }
    for (size_t t = 0; t < x.size(); ++t) {
      const size_t size = x[t].size();
      std::vector<double> delta(size), next(size), other(size);
      for (double& value : delta) value = static_cast<double>(rng.Below(2001)) / 1000 - 1;
      whole->Step(t, 0, x[t], delta, next);
      for (size_t at = 0; at < size;) {
        const size_t count = std::min<size_t>(size - at, 1 + rng.Below(700));
        pieces->Step(t, at, std::span(x[t]).subspan(at, count), std::span(delta).subspan(at, count),
                     std::span(other).subspan(at, count));
        at += count;
      }
      EXPECT_EQ(next, other) << "step " << step << ", tensor " << t;
      x[t] = next;
    }
  }
}

// It has no say in them.
TEST_P(OptimizerConformance, BuffersAndIntegersTakeTheirMean) {
  Rng rng(83);
  const PackedTensors base = testing::RandomModel(testing::MixedManifest(), 0.1, rng);
  const auto updates = testing::RandomUpdates(base, 5, 100, 0.01, rng);
  const PackedTensors next = Round(*New(base.manifest()), base, updates, 1, rng);
  testing::PlainStep plain;
  const PackedTensors mean = Round(plain, base, updates, 1, rng);
  bool parameters_differ = false;
  for (size_t t = 0; t < base.manifest().size(); ++t) {
    const TensorInfo& info = base.manifest()[t];
    const bool same = std::ranges::equal(next.tensor(t), mean.tensor(t));
    if (info.role == TensorRole::kParameter && IsFloat(info.dtype)) {
      parameters_differ |= !same;
    } else {
      EXPECT_TRUE(same) << info.name;
    }
  }
  EXPECT_TRUE(parameters_differ);
}

INSTANTIATE_TEST_SUITE_P(
    Builtin, OptimizerConformance,
    ::testing::Values(
        OptimizerCase{"Sgd", {"sgd", {{"lr", 0.5}}}},
        OptimizerCase{"FedAvgM", {"fedavgm", {{"lr", 0.5}}}},
        OptimizerCase{"FedAvgMNesterov", {"fedavgm", {{"lr", 0.5}, {"nesterov", true}}}},
        OptimizerCase{"FedAdagrad", {"fedadagrad", {}}}, OptimizerCase{"FedAdam", {"fedadam", {}}},
        OptimizerCase{"FedAdamCorrected", {"fedadam", {{"bias_correction", "kingma_ba"}}}},
        OptimizerCase{"FedYogi", {"fedyogi", {}}}, OptimizerCase{"FedDyn", {"feddyn", {}}}),
    [](const auto& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace skein
