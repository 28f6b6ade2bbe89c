#include "skein/tensor/packed_tensors.h"

#include <cstring>

#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

Manifest FlagAndCounter() {
  return MustCreate({{"flag", DType::kBool, {1}}, {"steps", DType::kInt64, {}}});
}

TEST(PackedTensors, BlockIsAlignedToACacheLine) {
  for (int i = 0; i < 20; ++i) {
    const PackedTensors tensors(MustCreate({{"a", DType::kInt8, {i + 1}}}));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(tensors.bytes().data()) % 64, 0u);
  }
}

TEST(PackedTensors, TensorsLieOneAfterAnother) {
  PackedTensors tensors(FlagAndCounter());
  tensors.mutable_tensor(0)[0] = std::byte{1};
  const int64_t steps = -5;
  std::memcpy(tensors.mutable_tensor(1).data(), &steps, sizeof(steps));
  EXPECT_EQ(AsString(tensors.bytes()), std::string("\x01\xFB\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9));
  EXPECT_EQ(tensors.tensor(1).data(), tensors.bytes().data() + 1);
}

TEST(PackedTensors, IsWritableOnlyWhileItHasOneHolder) {
  PackedTensors tensors(FlagAndCounter());
  EXPECT_EQ(tensors.mutable_bytes().size(), 9u);
  {
    const PackedTensors copy = tensors;
    EXPECT_EQ(copy.bytes().data(), tensors.bytes().data());
    EXPECT_EQ(tensors.mutable_bytes().data(), nullptr);
    EXPECT_EQ(tensors.mutable_tensor(1).data(), nullptr);
  }
  EXPECT_NE(tensors.mutable_bytes().data(), nullptr);
  const std::shared_ptr<const void> frame = tensors.owner();
  EXPECT_EQ(tensors.mutable_bytes().data(), nullptr);
}

TEST(PackedTensors, ForeignMemoryIsReadOnlyAndKeptAlive) {
  auto memory = std::make_shared<std::vector<std::byte>>(9, std::byte{7});
  const std::weak_ptr<std::vector<std::byte>> watch = memory;
  PackedTensors tensors(FlagAndCounter(), *memory, memory);
  memory.reset();
  EXPECT_EQ(tensors.mutable_bytes().data(), nullptr);
  EXPECT_EQ(tensors.tensor(1)[7], std::byte{7});
  tensors = PackedTensors();
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(tensors.has_value());
}

TEST(PackedTensors, NoBytesAtAllIsStillABlock) {
  PackedTensors tensors(MustCreate({{"none", DType::kFloat32, {0, 3}}}));
  EXPECT_TRUE(tensors.has_value());
  EXPECT_TRUE(tensors.tensor(0).empty());
  EXPECT_NE(tensors.mutable_bytes().data(), nullptr);
}

}  // namespace
}  // namespace skein
