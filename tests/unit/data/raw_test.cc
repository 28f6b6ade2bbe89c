#include "skein/data/raw.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RawTest : public ::testing::Test {
 protected:
  RawTest() {
    const float values[] = {1, 2, 3, 4, 5, 6};
    std::string bytes(sizeof(values), '\0');
    std::memcpy(bytes.data(), values, sizeof(values));
    WriteAll(path_, bytes);
  }
  std::string Error(DType dtype, std::vector<int64_t> shape) {
    return Message(ReadRaw(path_, dtype, std::move(shape)).status());
  }

  TempDir dir_;
  const std::string path_ = dir_ / "d.f32";
};

TEST_F(RawTest, MapsTheElementsOfOneTensor) {
  const auto packed = ReadRaw(path_, DType::kFloat32, {2, 3});
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_EQ(ToString(packed->manifest()[0]), "F32[2,3]");
  std::filesystem::remove(path_);
  float last = 0;
  std::memcpy(&last, packed->tensor(0).data() + 5 * sizeof(float), sizeof(last));
  EXPECT_EQ(last, 6);
}

TEST_F(RawTest, TheNumberOfRowsMayBeLeftToTheFile) {
  const auto packed = ReadRaw(path_, DType::kFloat32, {-1, 2});
  ASSERT_TRUE(packed.ok()) << packed.status();
  EXPECT_THAT(packed->manifest()[0].shape, ElementsAre(3, 2));
}

TEST_F(RawTest, AnotherSizeIsRefused) {
  EXPECT_THAT(Error(DType::kFloat32, {2, 4}),
              HasSubstr("d.f32: has 24 bytes, not the 32 of F32[2,4]"));
  EXPECT_THAT(Error(DType::kFloat32, {-1, 4}), HasSubstr("no whole number of rows of 16"));
  EXPECT_THAT(Error(DType::kFloat32, {-1, 0}), HasSubstr("d.f32"));
  EXPECT_THAT(Error(DType::kFloat64, {2, -1}), HasSubstr("d.f32"));
  WriteAll(path_, "");
  EXPECT_THAT(Error(DType::kFloat32, {-1, 4}), HasSubstr("has 0 bytes"));
  EXPECT_EQ(ReadRaw(dir_ / "ghost", DType::kInt8, {1}).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace skein
