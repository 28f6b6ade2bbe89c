#include "skein/tensor/digest.h"

#include <cstdlib>
#include <memory>

#include <openssl/evp.h>

#include "skein/tensor/safetensors.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace skein {
namespace {

std::string Hex(std::span<const unsigned char> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace

uint64_t Checksum(std::span<const std::byte> bytes) {
  // xxHash adds to its pointer even when there is nothing to read.
  static constexpr std::byte kNothing{};
  return XXH3_64bits(bytes.empty() ? &kNothing : bytes.data(), bytes.size());
}

std::string ModelDigest(const PackedTensors& tensors) {
  const std::string header = SafetensorsHeader(tensors.manifest());
  const std::span<const std::byte> bytes = tensors.bytes();
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sha(EVP_MD_CTX_new(),
                                                                    &EVP_MD_CTX_free);
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  // The calls fail only without memory or without SHA-256 in the crypto library; nothing can be
  // verified then, and a made-up digest would be worse than none.
  if (sha == nullptr || EVP_DigestInit_ex(sha.get(), EVP_sha256(), nullptr) != 1 ||
      EVP_DigestUpdate(sha.get(), header.data(), header.size()) != 1 ||
      EVP_DigestUpdate(sha.get(), bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(sha.get(), hash, &size) != 1) {
    std::abort();
  }
  return Hex({hash, size});
}

struct TransferDigestStream::State {
  XXH3_state_t xxh;
};
TransferDigestStream::TransferDigestStream() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}
TransferDigestStream::~TransferDigestStream() = default;
void TransferDigestStream::Update(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}
std::string TransferDigestStream::Value() const {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state_->xxh));
  return Hex(canonical.digest);
}

std::string TransferDigest(std::span<const std::byte> bytes) {
  TransferDigestStream stream;
  stream.Update(bytes);
  return stream.Value();
}

struct ChecksumStream::State {
  XXH3_state_t xxh;
};
ChecksumStream::ChecksumStream() : state_(std::make_unique<State>()) { Reset(); }
ChecksumStream::~ChecksumStream() = default;
void ChecksumStream::Reset() { XXH3_64bits_reset(&state_->xxh); }
void ChecksumStream::Update(std::span<const std::byte> bytes) {
  XXH3_64bits_update(&state_->xxh, bytes.data(), bytes.size());
}
uint64_t ChecksumStream::Value() const { return XXH3_64bits_digest(&state_->xxh); }

}  // namespace skein
