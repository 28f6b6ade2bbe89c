// What a parent refuses of a partial, and what a subtree's own local rounds add.

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>

#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using testing::Copied;
using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;
using testing::PlainStep;
using testing::ValueAt;

constexpr size_t kFloats = 0, kFlags = 1, kBytes = 2, kCounts = 3;
constexpr uint64_t kSamples = 8;  // a power of two: the bound is met exactly

class PartialTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    fold_ = Make(BuiltinStrategies().folds, "fedavg", {{"integers", GetParam()}});
    base_ = Filled(MakeManifest({{"w", DType::kFloat32, {3}},
                                 {"flags", DType::kBool, {2}, TensorRole::kBuffer},
                                 {"bytes", DType::kUint8, {2}, TensorRole::kBuffer},
                                 {"counts", DType::kInt64, {2}, TensorRole::kBuffer}}),
                   [](size_t, uint64_t) { return 1.0; });
    plan_ = *MakeNumericPlan(base_, kSamples, 4);  // V_max = 64
    auto child = New();
    const PackedTensors update =
        Filled(*UpdateManifest(base_.manifest()), [](size_t, uint64_t) { return 1.0; });
    for (LeafIndex leaf : {0, 1}) {
      UpdateHeader one;
      one.num_samples = kSamples;
      ASSERT_TRUE(child->Add(one, update).ok());
      header_.roster.Insert(leaf);
    }
    Partial partial = *child->TakePartial();
    header_.total_weight = partial.total_weight;
    header_.updates = 2;
    sums_ = std::move(partial.sums);
  }

  std::unique_ptr<Accumulator> New() const {
    return fold_->NewAccumulator(base_.manifest(), plan_);
  }
  absl::Status MergeWith(size_t tensor, uint64_t index, int64_t value) const {
    PackedTensors tampered = Copied(sums_);
    std::memcpy(tampered.mutable_tensor(tensor).data() + 8 * index, &value, sizeof(value));
    auto parent = New();
    const absl::Status status = parent->Merge(header_, tampered);
    EXPECT_EQ(parent->total_weight() == Fixed128(), !status.ok()) << "refused whole";
    return status;
  }
  absl::Status MergeWeighing(Fixed128 weight) const {
    PartialHeader header = header_;
    header.total_weight = weight;
    return New()->Merge(header, sums_);
  }
  bool averages() const { return std::string(GetParam()) == "mean"; }

  std::shared_ptr<const Fold> fold_;
  PackedTensors base_, sums_;
  NumericPlan plan_;
  PartialHeader header_;
};

TEST_P(PartialTest, IsTakenAsTheChildMadeIt) { EXPECT_TRUE(New()->Merge(header_, sums_).ok()); }

TEST_P(PartialTest, ASumMayBeWhatItsWeightAllowsAndNotOneMore) {
  const int64_t limit = int64_t{2 * kSamples}
                        << (plan_.scales[kFloats].bound_log2 + plan_.scales[kFloats].scale_bits);
  for (const int64_t sign : {1, -1}) {
    EXPECT_TRUE(MergeWith(kFloats, 2, sign * limit).ok());
    const absl::Status status = MergeWith(kFloats, 2, sign * (limit + 1));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(status), HasSubstr("tensor 'w' has "));
    EXPECT_THAT(Message(status), HasSubstr("beyond what its weight allows, at index 2"));
  }
  EXPECT_FALSE(MergeWith(kFloats, 0, INT64_MIN).ok());
  EXPECT_FALSE(MergeWith(kFloats, 0, INT64_MAX).ok());
}

TEST_P(PartialTest, IntegersMustFitTheirType) {
  const int64_t most = averages() ? 255 * int64_t{2 * kSamples} : 255;
  EXPECT_TRUE(MergeWith(kBytes, 1, most).ok());
  EXPECT_THAT(Message(MergeWith(kBytes, 1, most + 1)), HasSubstr("'bytes'"));
  EXPECT_THAT(Message(MergeWith(kBytes, 1, -1)), HasSubstr("'bytes'"));
  EXPECT_TRUE(MergeWith(kFlags, 0, 0).ok());
  EXPECT_THAT(Message(MergeWith(kFlags, 0, 2)), HasSubstr("'flags'"));
  EXPECT_EQ(MergeWith(kCounts, 0, INT64_MAX).ok(), !averages());
}

TEST_P(PartialTest, WeightMustBeWholePositiveAndWithinItsUpdates) {
  EXPECT_TRUE(MergeWeighing(Fixed128::FromInt(2 * kSamples)).ok());
  EXPECT_THAT(Message(MergeWeighing(Fixed128::FromInt(2 * kSamples + 1))),
              HasSubstr("a partial of 2 updates cannot weigh 17"));
  EXPECT_THAT(Message(MergeWeighing(Fixed128())), HasSubstr("its weight is 0"));
  EXPECT_FALSE(MergeWeighing(Fixed128::FromInt(-1)).ok());
  EXPECT_THAT(Message(MergeWeighing(Fixed128::FromDouble(15.5))), HasSubstr("15.5"));
  EXPECT_FALSE(MergeWeighing(Fixed128::FromParts(INT64_MAX, UINT64_MAX)).ok());
  EXPECT_FALSE(MergeWeighing(Fixed128::FromParts(INT64_MIN, 0)).ok());
  // Wrapped into 64 bits this would look like a weight of 16.
  EXPECT_FALSE(MergeWeighing(Fixed128::FromDouble(0x1p64 + 0x1p16)).ok());
}

TEST_P(PartialTest, ItsUpdatesAreAtLeastItsWorkersAndAtMostItsWeight) {
  const auto merge = [this](uint64_t updates) {
    PartialHeader header = header_;
    header.updates = updates;
    return New()->Merge(header, sums_);
  };
  EXPECT_TRUE(merge(2 * kSamples).ok()) << "a worker may contribute more than once";
  EXPECT_THAT(Message(merge(2 * kSamples + 1)),
              HasSubstr("a partial of 17 updates that weighs 16"));
  EXPECT_THAT(Message(merge(1)), HasSubstr("a partial of 1 updates"));
}

// Subtrees that work with other folds report as one, whatever they are of.
TEST_P(PartialTest, ItMayBeOfFewerContributionsThanUpdates) {
  const auto merge = [this](uint64_t updates, uint64_t contributions) {
    PartialHeader header = header_;
    header.updates = updates;
    header.contributions = contributions;
    return New()->Merge(header, sums_);
  };
  EXPECT_TRUE(merge(4 * kSamples, 1).ok());
  EXPECT_TRUE(merge(4 * kSamples, 2 * kSamples).ok());
  EXPECT_THAT(Message(merge(4 * kSamples, 2 * kSamples + 1)), HasSubstr("that weighs 16"));
  EXPECT_THAT(Message(merge(2, 3)), HasSubstr("a partial of 2 updates"));
}

TEST_P(PartialTest, TheTotalOfAllPartialsIsBounded) {
  auto parent = New();
  EXPECT_TRUE(parent->Merge(header_, sums_).ok());
  EXPECT_TRUE(parent->Merge(header_, sums_).ok());
  EXPECT_THAT(Message(parent->Merge(header_, sums_)), HasSubstr("would exceed its bound, 32"));
  EXPECT_EQ(parent->total_weight(), Fixed128::FromInt(32));
}

INSTANTIATE_TEST_SUITE_P(Integers, PartialTest, ::testing::Values("max", "mean"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(AddSubtree, StandsForTheSubtreeWithItsWeight) {
  const auto fold = Make(BuiltinStrategies().folds, "fedavg");
  const PackedTensors base =
      Filled(MakeManifest({{"w", DType::kFloat32, {1}}}), [](size_t, uint64_t) { return 1.0; });
  const NumericPlan plan = *MakeNumericPlan(base, 1 << 10, 1 << 12);
  const auto delta = [&](double v) {
    return Filled(base.manifest(), [=](auto, auto) { return v; });
  };
  auto accumulator = fold->NewAccumulator(base.manifest(), plan);
  // 3 subtrees of 1000 workers each weigh far more than one update may.
  const int64_t weight = 1000 << 10;
  for (const double v : {64.0, -63.0, 0.5}) {
    const absl::Status status = accumulator->AddSubtree(delta(v), Fixed128::FromInt(weight));
    ASSERT_TRUE(status.ok()) << status;
  }
  EXPECT_EQ(accumulator->total_weight(), Fixed128::FromInt(3 * weight));
  PlainStep step;
  EXPECT_EQ(ValueAt(*accumulator->Finish(base, step), 0, 0), 1.5);
}

TEST(AddSubtree, OfOneUpdatesWeightEqualsThatUpdate) {
  const auto fold = Make(BuiltinStrategies().folds, "fedavg");
  Rng rng(12);
  const PackedTensors base = testing::RandomModel(testing::MixedManifest(), 0.1, rng);
  const NumericPlan plan = *MakeNumericPlan(base, 600, 4);
  const auto update = testing::RandomUpdates(base, 1, 600, 0.1, rng)[0];
  auto a = fold->NewAccumulator(base.manifest(), plan);
  auto b = fold->NewAccumulator(base.manifest(), plan);
  ASSERT_TRUE(a->Add(update.header, update.tensors).ok());
  const auto weight = Fixed128::FromInt(static_cast<int64_t>(update.header.num_samples));
  ASSERT_TRUE(b->AddSubtree(update.tensors, weight).ok());
  EXPECT_TRUE(testing::SameBytes(a->TakePartial()->sums, b->TakePartial()->sums));
}

TEST(AddSubtree, RefusesABadWeightOrValue) {
  const auto fold = Make(BuiltinStrategies().folds, "fedavg");
  const PackedTensors base =
      Filled(MakeManifest({{"w", DType::kFloat32, {1}}}), [](size_t, uint64_t) { return 1.0; });
  auto accumulator = fold->NewAccumulator(base.manifest(), *MakeNumericPlan(base, 10, 10));
  const auto delta = [&](double v) {
    return Filled(base.manifest(), [=](auto, auto) { return v; });
  };
  for (const Fixed128 weight :
       {Fixed128(), Fixed128::FromInt(-3), Fixed128::FromDouble(0.5), Fixed128::FromInt(101)}) {
    EXPECT_EQ(accumulator->AddSubtree(delta(1), weight).code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(accumulator->AddSubtree(delta(65), Fixed128::FromInt(1)).ok());
  EXPECT_FALSE(accumulator->AddSubtree(delta(NAN), Fixed128::FromInt(1)).ok());
  EXPECT_EQ(accumulator->total_weight(), Fixed128());
}

}  // namespace
}  // namespace skein
