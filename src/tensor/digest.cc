#include "skein/tensor/digest.h"

#include <cstdlib>
#include <memory>

#include <openssl/evp.h>

#include "skein/tensor/safetensors.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace skein {

uint64_t Checksum(std::span<const std::byte> bytes) {
  // xxHash adds to its pointer even when there is nothing to read.
  static constexpr std::byte kNothing{};
  return XXH3_64bits(bytes.empty() ? &kNothing : bytes.data(), bytes.size());
}

std::string ModelDigest(const PackedTensors& tensors) {
  const std::string header = SafetensorsHeader(tensors.manifest());
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  const bool ok =
      context != nullptr && EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) == 1 &&
      EVP_DigestUpdate(context.get(), header.data(), header.size()) == 1 &&
      EVP_DigestUpdate(context.get(), tensors.bytes().data(), tensors.bytes().size()) == 1 &&
      EVP_DigestFinal_ex(context.get(), hash, &size) == 1;
  // It fails only without memory or without SHA-256 in the crypto library; nothing can be verified
  // then, and a made-up digest would be worse than none.
  if (!ok) std::abort();
  static constexpr char kHex[] = "0123456789abcdef";
  std::string digest;
  digest.reserve(2 * size);
  for (unsigned i = 0; i < size; ++i) {
    digest += kHex[hash[i] >> 4];
    digest += kHex[hash[i] & 15];
  }
  return digest;
}

}  // namespace skein
