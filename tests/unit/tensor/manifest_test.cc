#include "skein/tensor/manifest.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

std::string Refusal(std::vector<TensorInfo> infos) {
  const absl::StatusOr<Manifest> manifest = Manifest::Create(std::move(infos));
  EXPECT_TRUE(absl::IsInvalidArgument(manifest.status()));
  return manifest.ok() ? "accepted" : Message(manifest.status());
}

TEST(DType, HasTheNamesAndSizesOfSafetensors) {
  const std::pair<const char*, size_t> expected[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},   {"I16", 2}, {"I32", 4},
      {"I64", 8},  {"F16", 2}, {"BF16", 2}, {"F32", 4}, {"F64", 8}};
  for (int i = 0; i < 10; ++i) {
    const DType dtype = static_cast<DType>(i + 1);
    EXPECT_STREQ(NameOf(dtype), expected[i].first);
    EXPECT_EQ(SizeOf(dtype), expected[i].second);
    EXPECT_EQ(DTypeFromName(expected[i].first), dtype);
  }
  EXPECT_EQ(DTypeFromName("F8"), std::nullopt);
}

TEST(Manifest, PacksWithoutGaps) {
  const Manifest manifest = MustCreate({{"flag", DType::kBool, {3}},
                                        {"none", DType::kFloat32, {0, 7}},
                                        {"scalar", DType::kInt64, {}},
                                        {"w", DType::kFloat16, {2, 5}}});
  EXPECT_EQ(manifest.offset(0), 0u);
  EXPECT_EQ(manifest.offset(1), 3u);
  EXPECT_EQ(manifest.offset(2), 3u);
  EXPECT_EQ(manifest.offset(3), 11u);
  EXPECT_EQ(manifest.total_bytes(), 31u);
}

TEST(Manifest, FindsEveryTensorByName) {
  std::vector<TensorInfo> infos;
  for (int i = 99; i >= 0; --i) infos.push_back({"t" + std::to_string(i), DType::kInt8, {1}});
  const Manifest manifest = MustCreate(infos);
  for (size_t i = 0; i < infos.size(); ++i) EXPECT_EQ(manifest.Find(infos[i].name), i);
  EXPECT_EQ(manifest.Find("t100"), std::nullopt);
  EXPECT_EQ(Manifest().Find(""), std::nullopt);
}

TEST(Manifest, RefusesBadNames) {
  EXPECT_THAT(Refusal({{"a"}, {"b"}, {"a"}}), HasSubstr("\"a\": the name occurs twice"));
  EXPECT_THAT(Refusal({{"a"}, {""}}), HasSubstr("tensor #1: the name is empty"));
  EXPECT_THAT(Refusal({{std::string(513, 'x')}}), HasSubstr("513 bytes"));
  EXPECT_THAT(Refusal({{"\xC3"}}), HasSubstr("not UTF-8"));
  EXPECT_THAT(Refusal({{"\xED\xA0\x80"}}), HasSubstr("not UTF-8"));  // a surrogate
  EXPECT_THAT(Refusal({{"__metadata__"}}), HasSubstr("reserved"));
  MustCreate({{std::string(512, 'x')}});
}

TEST(Manifest, RefusesUnknownTypesAndRoles) {
  EXPECT_THAT(Refusal({{"a", static_cast<DType>(0)}}), HasSubstr("unknown element type 0"));
  EXPECT_THAT(Refusal({{"a", static_cast<DType>(11)}}), HasSubstr("\"a\": unknown element type"));
  EXPECT_THAT(Refusal({{"a", DType::kInt8, {}, static_cast<TensorRole>(4)}}),
              HasSubstr("unknown role 4"));
}

TEST(Manifest, RefusesShapesWhoseSizeWouldOverflow) {
  constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(Refusal({{"a", DType::kInt8, {-1}}}), HasSubstr("negative dimension in I8[-1]"));
  EXPECT_THAT(Refusal({{"a", DType::kInt8, {kHuge, kHuge, kHuge}}}), HasSubstr("larger than"));
  EXPECT_THAT(Refusal({{"a", DType::kFloat64, {int64_t{1} << 32, int64_t{1} << 32}}}),
              HasSubstr("larger than"));  // 2^67 bytes is 8 modulo 2^64
  EXPECT_THAT(Refusal({{"a", DType::kInt8, {0, kHuge, kHuge}}}), HasSubstr("larger than"));
  EXPECT_THAT(Refusal({{"a", DType::kInt8, std::vector<int64_t>(17, 1)}}),
              HasSubstr("17 dimensions"));
  MustCreate({{"a", DType::kInt8, {int64_t{1} << 42}}});
  EXPECT_THAT(Refusal({{"a", DType::kInt8, {int64_t{1} << 42}}, {"b", DType::kInt8, {1}}}),
              HasSubstr("\"b\": together"));
}

TEST(Manifest, RefusesTooManyTensors) {
  EXPECT_THAT(Refusal(std::vector<TensorInfo>(Manifest::kMaxTensors + 1)),
              HasSubstr("65537 tensors"));
}

TEST(Manifest, SaysHowAnotherOneDiffers) {
  const TensorInfo w{"w", DType::kFloat32, {64, 10}};
  const TensorInfo b{"b", DType::kFloat32, {10}};
  const Manifest expected = MustCreate({w, b});
  const auto difference = [&](std::vector<TensorInfo> infos) {
    return Message(expected.ExpectSame(MustCreate(std::move(infos))));
  };
  EXPECT_TRUE(expected.ExpectSame(MustCreate({w, b})).ok());
  EXPECT_EQ(difference({w}), "tensor \"b\" is missing");
  EXPECT_EQ(difference({w, b, {"c"}}), "tensor \"c\" is not expected");
  EXPECT_EQ(difference({b, w}), "tensor #0: expected \"w\", got \"b\"");
  EXPECT_EQ(difference({w, {"b", DType::kFloat64, {10}}}),
            "tensor \"b\": expected F32[10], got F64[10]");
  EXPECT_EQ(difference({w, {"b", DType::kFloat32, {10}, TensorRole::kBuffer}}),
            "tensor \"b\": expected a parameter, got a buffer");
}

}  // namespace
}  // namespace skein
