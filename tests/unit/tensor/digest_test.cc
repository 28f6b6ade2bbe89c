#include "skein/tensor/digest.h"

#include <algorithm>

#include <openssl/sha.h>

#include "skein/tensor/safetensors.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

std::string Sha256(const std::string& bytes) {
  unsigned char hash[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash);
  std::string hex;
  char digits[3];
  for (const unsigned char byte : hash) {
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    hex += digits;
  }
  return hex;
}

TEST(Checksum, IsXxh3) {
  EXPECT_EQ(Checksum({}), 0x2d06800538d394c2u);
  std::vector<std::byte> bytes(1000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i % 256);
  EXPECT_EQ(Checksum(bytes), 0xd33dd80b46f60e50u);
  const std::string text = "skein";
  EXPECT_EQ(Checksum(std::as_bytes(std::span(text))), 0x7b4b19e6adeab3dbu);
}

TEST(ModelDigest, IsTheSha256OfTheFile) {
  const ScratchDirectory scratch;
  Rng rng(11);
  for (int trial = 0; trial < 20; ++trial) {
    const PackedTensors tensors = RandomTensors(RandomManifest(rng), rng);
    const std::string path = scratch.File("model.safetensors");
    ASSERT_TRUE(WriteSafetensors(tensors, path).ok());
    ASSERT_EQ(ModelDigest(tensors), Sha256(ReadBytes(path)));
  }
}

TEST(ModelDigest, DependsOnNamesTypesAndBytesButNotOnRoles) {
  const auto digest = [](TensorInfo info, int fill) {
    PackedTensors tensors(MustCreate({std::move(info)}));
    std::ranges::fill(tensors.mutable_bytes(), static_cast<std::byte>(fill));
    return ModelDigest(tensors);
  };
  const std::string base = digest({"a", DType::kFloat32, {4}}, 0);
  EXPECT_NE(base, digest({"b", DType::kFloat32, {4}}, 0));
  EXPECT_NE(base, digest({"a", DType::kInt32, {4}}, 0));
  EXPECT_NE(base, digest({"a", DType::kFloat32, {2, 2}}, 0));
  EXPECT_NE(base, digest({"a", DType::kFloat32, {4}}, 1));
  EXPECT_EQ(base, digest({"a", DType::kFloat32, {4}, TensorRole::kBuffer}, 0));
}

}  // namespace
}  // namespace skein
