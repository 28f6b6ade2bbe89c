#include "strategy/held/lone_partial.h"

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
using testing::ValueAt;

class LonePartialTest : public ::testing::Test {
 protected:
  const Manifest model_ = MakeManifest({{"w", DType::kFloat32, {3}},
                                        {"wide", DType::kFloat64, {2}},
                                        {"bytes", DType::kUint8, {2}, TensorRole::kBuffer},
                                        {"flag", DType::kBool, {}, TensorRole::kBuffer}});
  const Manifest layout_ = *UpdateManifest(model_);
  const NumericPlan plan_ = *MakeNumericPlan(Filled(model_, [](size_t, uint64_t) { return 1.0; }),
                                             600, 100);  // V_max = 64
  BufferPool buffers_;

  PackedTensors Update(double value) const {
    return Filled(layout_, [&](size_t t, uint64_t i) {
      return t < 2 ? value * static_cast<double>(i + 1) : 1.0;
    });
  }
  absl::StatusOr<PackedTensors> Encode(const PackedTensors& update) {
    return EncodeLone(update.bytes(), model_, plan_, buffers_);
  }
};

TEST_F(LonePartialTest, ComesBackToAsManyDigitsAsThePlanHas) {
  Rng rng(3);
  for (const double size : {1.0, 1e-3, 1e-6, 50.0, 3000.0}) {
    const PackedTensors update = Update(size * rng.Normal());
    const auto partial = Encode(update);
    ASSERT_TRUE(partial.ok()) << partial.status();
    EXPECT_EQ(partial->manifest(), *PartialManifest(model_));
    const auto back = DecodeLone(*partial, model_, plan_, buffers_);
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(back->manifest(), layout_);
    for (size_t t = 0; t < layout_.size(); ++t) {
      for (uint64_t i = 0; i < layout_[t].NumElements(); ++i) {
        // 2^50 steps up to V_max, less one bit for w_max, which is no power of two.
        const double step = std::ldexp(64.0, -49);
        const double value = ValueAt(update, t, i);
        EXPECT_NEAR(ValueAt(*back, t, i), value, step + 0x1p-24 * std::abs(value));
      }
    }
  }
}

TEST_F(LonePartialTest, WhatIsTooLargeIsSentAsTheLargest) {
  for (const double sign : {1.0, -1.0}) {
    PackedTensors update = Update(1);
    testing::SetValue(update, 1, 1, sign * 1e30);
    const auto back = DecodeLone(*Encode(update), model_, plan_, buffers_);
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_GE(sign * ValueAt(*back, 1, 1), 64 * 2048);
    EXPECT_EQ(ValueAt(*back, 1, 0), 1) << "others are as they were";
  }
}

TEST_F(LonePartialTest, IntegersMustFitTheirType) {
  PackedTensors partial = Copied(*Encode(Update(1)));
  const int64_t large = 256;
  std::memcpy(partial.mutable_tensor(2).data() + 8, &large, sizeof(large));
  EXPECT_THAT(Message(DecodeLone(partial, model_, plan_, buffers_).status()),
              HasSubstr("tensor 'bytes' has 256, beyond its type, at index 1"));
}

TEST_F(LonePartialTest, APlanOfAnotherModelIsRefused) {
  NumericPlan other = plan_;
  other.scales.pop_back();
  EXPECT_EQ(EncodeLone(Update(1).bytes(), model_, other, buffers_).status().code(),
            absl::StatusCode::kInvalidArgument);
  other = plan_;
  other.scales[0].scale_bits = 9000;
  EXPECT_EQ(DecodeLone(*Encode(Update(1)), model_, other, buffers_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(LonePartialTest, WhatIsPassedOnComesByLeaf) {
  const auto fold = Make(BuiltinStrategies().folds, "krum", {{"f", 0}, {"memory_mb", 0}});
  const auto collected = fold->NewAccumulator(model_, plan_);
  for (const LeafIndex leaf : {7u, 3u, 5u}) {
    UpdateHeader header;
    header.leaf = leaf;
    ASSERT_TRUE(collected->Add(header, Update(leaf)).ok());
  }
  for (const double leaf : {3.0, 5.0, 7.0}) {
    const auto first = collected->TakeFirst();
    ASSERT_TRUE(first.ok()) << first.status();
    EXPECT_EQ(first->total_weight, Fixed128::FromInt(1));
    const auto update = DecodeLone(first->sums, model_, plan_, buffers_);
    ASSERT_TRUE(update.ok()) << update.status();
    EXPECT_EQ(ValueAt(*update, 0, 0), leaf);
  }
  EXPECT_EQ(collected->TakeFirst().status().code(), absl::StatusCode::kFailedPrecondition);
  const auto sums = Make(BuiltinStrategies().folds, "mean")->NewAccumulator(model_, plan_);
  EXPECT_EQ(sums->TakeFirst().status().code(), absl::StatusCode::kUnimplemented);
}

// What a holding fold takes of a subtree, and what not.
TEST_F(LonePartialTest, AHoldingFoldTakesOneContributionAtATime) {
  const auto fold = Make(BuiltinStrategies().folds, "median");
  const auto child = fold->NewAccumulator(model_, plan_);
  ASSERT_TRUE(child->AddSubtree(Update(1), Fixed128::FromInt(1)).ok());
  const Partial partial = *child->TakePartial();
  PartialHeader header;
  header.total_weight = partial.total_weight;
  header.updates = 5;
  header.roster = Roster::Range(10, 15);
  const auto parent = fold->NewAccumulator(model_, plan_);
  EXPECT_THAT(Message(parent->Merge(header, partial.sums)),
              HasSubstr("fold 'median' needs every contribution itself, and this is a sum of 5"));
  header.contributions = 1;
  EXPECT_TRUE(parent->Merge(header, partial.sums).ok());
  EXPECT_EQ(parent->total_weight(), Fixed128::FromInt(1));
  header.roster = Roster();
  EXPECT_THAT(Message(parent->Merge(header, partial.sums)), HasSubstr("roster"));
  EXPECT_EQ(parent->Merge(header, Update(1)).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skein
