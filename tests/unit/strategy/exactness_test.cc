// What "exact" means, on a model where plain float arithmetic does depend on the order.

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using testing::Filled;
using testing::FoldInRandomTree;
using testing::HeaderOf;
using testing::MakeManifest;
using testing::PlainStep;
using testing::SameBytes;
using testing::SampleUpdate;
using testing::ValueAt;

constexpr size_t kWorkers = 64;
constexpr uint64_t kMaxSamples = 1000;

class Exactness : public ::testing::Test {
 protected:
  Exactness() {
    base_ = Filled(MakeManifest({{"w", DType::kFloat32, {1000}}}),
                   [](size_t, uint64_t) { return 0.5; });
    plan_ = *MakeNumericPlan(base_, fold_->MaxUpdateWeight(kMaxSamples), kWorkers);
    Rng rng(64);
    updates_ = testing::RandomUpdates(base_, kWorkers, kMaxSamples, 0.05, rng);
  }

  PackedTensors Flat(const std::vector<SampleUpdate>& updates) {
    auto accumulator = fold_->NewAccumulator(base_.manifest(), plan_);
    for (const SampleUpdate& u : updates) {
      EXPECT_TRUE(accumulator->Add(u.header, u.tensors).ok());
    }
    PlainStep step;
    return *accumulator->Finish(base_, step);
  }

  double TotalWeight() const {
    double total = 0;
    for (const SampleUpdate& u : updates_) total += static_cast<double>(u.header.num_samples);
    return total;
  }

  std::shared_ptr<const Fold> fold_ = Make(BuiltinStrategies().folds, "fedavg");
  PackedTensors base_;
  NumericPlan plan_;
  std::vector<SampleUpdate> updates_;
};

TEST_F(Exactness, FloatAccumulationWouldDependOnTheOrder) {
  const auto sum = [&](size_t i) {
    float total = 0;
    for (const SampleUpdate& u : updates_) {
      total +=
          static_cast<float>(u.header.num_samples) * static_cast<float>(ValueAt(u.tensors, 0, i));
    }
    return total;
  };
  std::vector<float> before;
  for (size_t i = 0; i < 1000; ++i) before.push_back(sum(i));
  std::reverse(updates_.begin(), updates_.end());
  int differ = 0;
  for (size_t i = 0; i < 1000; ++i) differ += sum(i) != before[i];
  EXPECT_GT(differ, 100) << "the other tests of this file would not show anything";
}

TEST_F(Exactness, AnyPermutationGivesTheSameBytes) {
  const PackedTensors expected = Flat(updates_);
  Rng rng(1);
  for (int trial = 0; trial < 50; ++trial) {
    rng.Shuffle(updates_);
    ASSERT_TRUE(SameBytes(Flat(updates_), expected)) << trial;
  }
}

TEST_F(Exactness, AnyTreeUpToFiveTiersGivesTheSameBytes) {
  const PackedTensors expected = Flat(updates_);
  Rng rng(2);
  for (int trial = 0; trial < 50; ++trial) {
    auto partial = FoldInRandomTree(*fold_, base_.manifest(), plan_, updates_, 1 + trial % 5, rng);
    ASSERT_TRUE(partial.ok()) << partial.status();
    auto root = fold_->NewAccumulator(base_.manifest(), plan_);
    ASSERT_TRUE(root->Merge(HeaderOf(*partial, updates_), partial->sums).ok());
    PlainStep step;
    ASSERT_TRUE(SameBytes(*root->Finish(base_, step), expected)) << trial;
  }
}

TEST_F(Exactness, UnbalancedBranchesEqualTheFlatMean) {
  // Branches of 1, 2 and 5 workers: a mean of means would weigh them alike.
  updates_.resize(8);
  auto root = fold_->NewAccumulator(base_.manifest(), plan_);
  size_t next = 0;
  for (const size_t size : {1, 2, 5}) {
    const std::vector<SampleUpdate> branch(updates_.begin() + next, updates_.begin() + next + size);
    next += size;
    auto aggregator = fold_->NewAccumulator(base_.manifest(), plan_);
    for (const SampleUpdate& u : branch) {
      ASSERT_TRUE(aggregator->Add(u.header, u.tensors).ok());
    }
    auto partial = aggregator->TakePartial();
    ASSERT_TRUE(partial.ok());
    ASSERT_TRUE(root->Merge(HeaderOf(*partial, branch), partial->sums).ok());
  }
  PlainStep step;
  EXPECT_TRUE(SameBytes(*root->Finish(base_, step), Flat(updates_)));
}

TEST_F(Exactness, TensorsCutAnyhowGiveTheSameNumbers) {
  // The fold works in chunks of a tensor; here the chunks are tensors of their own.
  const PackedTensors whole = Flat(updates_);
  std::vector<TensorInfo> pieces;
  for (const int64_t length : {1, 7, 100, 392, 500}) {
    pieces.push_back({"piece" + std::to_string(length), DType::kFloat32, {length}});
  }
  const Manifest cut = MakeManifest(pieces);
  const auto recut = [&](const PackedTensors& tensors) {
    PackedTensors result(cut);
    std::memcpy(result.mutable_bytes().data(), tensors.bytes().data(), tensors.bytes().size());
    return result;
  };
  NumericPlan plan = plan_;
  plan.scales.assign(cut.size(), plan_.scales[0]);
  auto accumulator = fold_->NewAccumulator(cut, plan);
  for (const SampleUpdate& u : updates_) {
    ASSERT_TRUE(accumulator->Add(u.header, recut(u.tensors)).ok());
  }
  PlainStep step;
  EXPECT_TRUE(SameBytes(*accumulator->Finish(recut(base_), step), recut(whole)));
}

TEST_F(Exactness, TheMeanIsWithinTheErrorThatTheScaleAllows) {
  // Each of n updates is rounded by half a unit of 2^-S at most, and the sum is divided by W.
  auto accumulator = fold_->NewAccumulator(base_.manifest(), plan_);
  for (const SampleUpdate& u : updates_) {
    ASSERT_TRUE(accumulator->Add(u.header, u.tensors).ok());
  }
  struct KeepMean : PlainStep {
    std::vector<double> mean;
    void Step(size_t tensor, uint64_t offset, std::span<const double> x,
              std::span<const double> mean_delta, std::span<double> next) override {
      mean.insert(mean.end(), mean_delta.begin(), mean_delta.end());
      PlainStep::Step(tensor, offset, x, mean_delta, next);
    }
  } step;
  const PackedTensors result = *accumulator->Finish(base_, step);
  ASSERT_EQ(step.mean.size(), 1000u);
  const double error =
      kWorkers * 0.5 * std::ldexp(1.0, -plan_.scales[0].scale_bits) / TotalWeight();
  ASSERT_LT(error, 1e-11);
  for (size_t i = 0; i < 1000; ++i) {
    long double mean = 0;
    for (const SampleUpdate& u : updates_) {
      mean += static_cast<long double>(u.header.num_samples) * ValueAt(u.tensors, 0, i);
    }
    mean /= TotalWeight();
    ASSERT_NEAR(step.mean[i], static_cast<double>(mean), error + 1e-16) << i;
    ASSERT_NEAR(ValueAt(result, 0, i), 0.5 + static_cast<double>(mean), 1e-6) << i;
  }
}

TEST_F(Exactness, LargeAndTinyAddendsDoNotSwallowEachOther) {
  // (1e8 - 1e8) + 1 and 1e8 + (-1e8 + 1) differ in float32.
  const PackedTensors model =
      Filled(MakeManifest({{"w", DType::kFloat32, {1}}}), [](size_t, uint64_t) { return 4e6; });
  const NumericPlan plan = *MakeNumericPlan(model, 1, 3);
  const auto mean = Make(BuiltinStrategies().folds, "mean");
  auto accumulator = mean->NewAccumulator(model.manifest(), plan);
  for (const double value : {1e8, -1e8, 3.0}) {
    const auto delta = Filled(model.manifest(), [&](size_t, uint64_t) { return value; });
    ASSERT_TRUE(accumulator->Add({}, delta).ok());
  }
  PlainStep step;
  EXPECT_EQ(ValueAt(*accumulator->Finish(model, step), 0, 0), 4e6 + 1);
}

}  // namespace
}  // namespace skein
