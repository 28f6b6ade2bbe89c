#include "skein/strategy/update_filter.h"

#include <cmath>

#include <gmock/gmock.h>

#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;

// Norm 5 over the parameters; the buffer and the integers do not count.
PackedTensors NormFive() {
  const Manifest manifest = MakeManifest({{"n", DType::kUint8, {1}, TensorRole::kBuffer},
                                          {"a", DType::kFloat32, {2}},
                                          {"b", DType::kFloat32, {}},
                                          {"mean", DType::kFloat32, {2}, TensorRole::kBuffer}});
  return Filled(manifest, [](size_t t, uint64_t i) {
    if (t == 1) return i == 0 ? 3.0 : 0.0;
    return t == 2 ? -4.0 : 100.0;
  });
}

TEST(MaxNormFilter, PassesUpToTheLimitUnchanged) {
  const auto filter = Make(BuiltinStrategies().filters, "max-norm", {{"limit", 5}});
  auto passed = filter->Apply({}, NormFive());
  ASSERT_TRUE(passed.ok()) << passed.status();
  EXPECT_TRUE(testing::SameBytes(*passed, NormFive()));
}

TEST(MaxNormFilter, RefusesBeyondTheLimitAndSaysBoth) {
  const auto filter = Make(BuiltinStrategies().filters, "max-norm", {{"limit", 4.5}});
  const auto refused = filter->Apply({}, NormFive());
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Message(refused.status()), "its norm is 5, filter 'max-norm' allows 4.5");
}

TEST(MaxNormFilter, RefusesNan) {
  const auto filter = Make(BuiltinStrategies().filters, "max-norm", {{"limit", 1e9}});
  PackedTensors update = NormFive();
  testing::SetValue(update, 2, 0, std::nan(""));
  EXPECT_THAT(Message(filter->Apply({}, update).status()), HasSubstr("not finite"));
}

TEST(MaxNormFilter, NeedsALimit) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_EQ(Refusal(registries.filters, "max-norm"), "filter 'max-norm': 'limit' is required");
  EXPECT_THAT(Refusal(registries.filters, "max-norm", {{"limit", -1}}), HasSubstr("'limit' is -1"));
}

}  // namespace
}  // namespace skein
