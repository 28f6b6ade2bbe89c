#include "strategy/delta_in_place.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;
using testing::MixedManifest;
using testing::ValueAt;

TEST(UpdateManifest, FloatsTravelAsFloat32AndTheRestAsItIs) {
  const Manifest model = MixedManifest();
  const auto update = UpdateManifest(model);
  ASSERT_TRUE(update.ok());
  for (size_t t = 0; t < model.size(); ++t) {
    EXPECT_EQ((*update)[t].dtype, IsFloat(model[t].dtype) ? DType::kFloat32 : model[t].dtype);
    EXPECT_EQ((*update)[t].name, model[t].name);
    EXPECT_EQ((*update)[t].shape, model[t].shape);
    EXPECT_EQ((*update)[t].role, model[t].role);
  }
}

TEST(PartialManifest, EverythingTravelsAsInt64) {
  const auto partial = PartialManifest(MixedManifest());
  ASSERT_TRUE(partial.ok());
  for (const TensorInfo& info : partial->tensors()) EXPECT_EQ(info.dtype, DType::kInt64);
}

TEST(DeltaOf, ParametersAreDifferencesAndAllElseValues) {
  Rng rng(1);
  const Manifest model = MixedManifest();
  const PackedTensors base = testing::RandomModel(model, 1, rng);
  const PackedTensors local = testing::RandomModel(model, 1, rng);
  const auto delta = DeltaOf(local, base);
  ASSERT_TRUE(delta.ok()) << delta.status();
  for (size_t t = 0; t < model.size(); ++t) {
    const bool parameter = IsFloat(model[t].dtype) && model[t].role == TensorRole::kParameter;
    for (uint64_t i = 0; i < model[t].NumElements(); ++i) {
      const double x = ValueAt(base, t, i), y = ValueAt(local, t, i);
      const double expected = parameter ? y - x : y;
      ASSERT_EQ(ValueAt(*delta, t, i),
                IsFloat(model[t].dtype) ? static_cast<float>(expected) : expected)
          << model[t].name;
    }
  }
}

// A companion travels as its change, also where an aggregator reports what its own fold has made.
TEST(DeltaOf, CompanionsAreDifferences) {
  const Manifest model = MakeManifest({{"w", DType::kFloat32, {1}},
                                       {"b", DType::kFloat32, {1}, TensorRole::kBuffer},
                                       {"c/w", DType::kFloat32, {1}, TensorRole::kCompanion}});
  const auto base = Filled(model, [](size_t, uint64_t) { return 5.0; });
  const auto local = Filled(model, [](size_t, uint64_t) { return 7.0; });
  const auto delta = DeltaOf(local, base);
  ASSERT_TRUE(delta.ok());
  EXPECT_EQ(ValueAt(*delta, 0, 0), 2);
  EXPECT_EQ(ValueAt(*delta, 1, 0), 7);
  EXPECT_EQ(ValueAt(*delta, 2, 0), 2);
}

TEST(DeltaOf, OfFloat32IsTheFloat32Difference) {
  const Manifest model =
      MakeManifest({{"pad", DType::kUint8, {1}}, {"w", DType::kFloat32, {4000}}});
  Rng rng(9);
  // Magnitudes far apart, where rounding twice could show.
  const auto wild = [&](size_t, uint64_t) {
    return std::ldexp(rng.Normal(), static_cast<int>(rng.Below(60)) - 30);
  };
  const PackedTensors base = Filled(model, wild), local = Filled(model, wild);
  const auto delta = DeltaOf(local, base);
  ASSERT_TRUE(delta.ok());
  for (uint64_t i = 0; i < 4000; ++i) {
    const auto y = static_cast<float>(ValueAt(local, 1, i));
    const auto x = static_cast<float>(ValueAt(base, 1, i));
    ASSERT_EQ(static_cast<float>(ValueAt(*delta, 1, i)), y - x);
  }
}

TEST(DeltaOf, OfFloat64IsRoundedOnce) {
  const Manifest model = MakeManifest({{"w", DType::kFloat64, {1}}});
  const auto base = Filled(model, [](size_t, uint64_t) { return 1e8; });
  const auto local = Filled(model, [](size_t, uint64_t) { return 1e8 + 0.1; });
  const auto delta = DeltaOf(local, base);
  ASSERT_TRUE(delta.ok());
  // Rounding either model to float32 first would lose the difference.
  EXPECT_EQ(ValueAt(*delta, 0, 0), static_cast<float>(1e8 + 0.1 - 1e8));
}

// The tensors lie with gaps, as those of a learner do; the update has none.
TEST(DeltaInPlace, IsTheSameOverTheLocalModelsMemory) {
  const Manifest model = MakeManifest({{"flag", DType::kUint8, {3}, TensorRole::kBuffer},
                                       {"w", DType::kFloat32, {5001}},
                                       {"running", DType::kFloat32, {7}, TensorRole::kBuffer},
                                       {"v", DType::kFloat32, {300}}});
  Rng rng(10);
  const PackedTensors base = testing::RandomModel(model, 0.3, rng);
  const PackedTensors local = testing::RandomModel(model, 0.3, rng);
  const auto expected = DeltaOf(local, base);
  ASSERT_TRUE(expected.ok());

  BufferPool pool;
  std::shared_ptr<std::byte> block = pool.Take(model.total_bytes() + 64 * model.size());
  std::vector<std::span<const std::byte>> views;
  std::byte* place = block.get();
  for (size_t t = 0; t < model.size(); ++t) {
    std::ranges::copy(local.tensor(t), place);
    views.emplace_back(place, local.tensor(t).size());
    place += (local.tensor(t).size() + 63) / 64 * 64;
  }
  const std::byte* const memory = block.get();
  const auto delta = DeltaInPlace(TensorViews(model, views, block), base, std::move(block));
  ASSERT_TRUE(delta.ok()) << delta.status();
  EXPECT_TRUE(testing::SameBytes(*delta, *expected));
  EXPECT_EQ(delta->bytes().data(), memory);
}

TEST(DeltaOf, RefusesModelsThatDiffer) {
  const auto base =
      Filled(MakeManifest({{"w", DType::kFloat32, {2}}}), [](size_t, uint64_t) { return 0.0; });
  const auto local =
      Filled(MakeManifest({{"w", DType::kFloat32, {3}}}), [](size_t, uint64_t) { return 0.0; });
  const auto delta = DeltaOf(local, base);
  EXPECT_EQ(delta.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(delta.status()), HasSubstr("expected F32[2], got F32[3]"));
}

}  // namespace
}  // namespace skein
