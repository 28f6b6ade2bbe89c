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

// The calls fail only without memory or without SHA-256 in the crypto library; nothing can be
// verified then, and a made-up digest would be worse than none.
struct ModelDigestStream::Context {
  Context() : md(EVP_MD_CTX_new()) {
    if (md == nullptr || EVP_DigestInit_ex(md, EVP_sha256(), nullptr) != 1) std::abort();
  }
  ~Context() { EVP_MD_CTX_free(md); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  void Update(const void* data, size_t size) const {
    if (EVP_DigestUpdate(md, data, size) != 1) std::abort();
  }
  EVP_MD_CTX* const md;
};

ModelDigestStream::ModelDigestStream(const Manifest& manifest)
    : context_(std::make_unique<Context>()) {
  const std::string header = SafetensorsHeader(manifest);
  context_->Update(header.data(), header.size());
}
ModelDigestStream::~ModelDigestStream() = default;

void ModelDigestStream::Update(std::span<const std::byte> bytes) {
  context_->Update(bytes.data(), bytes.size());
}

std::string ModelDigestStream::Finish() {
  unsigned char hash[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_DigestFinal_ex(context_->md, hash, &size) != 1) std::abort();
  static constexpr char kHex[] = "0123456789abcdef";
  std::string digest;
  digest.reserve(2 * size);
  for (unsigned i = 0; i < size; ++i) {
    digest += kHex[hash[i] >> 4];
    digest += kHex[hash[i] & 15];
  }
  return digest;
}

std::string ModelDigest(const PackedTensors& tensors) {
  ModelDigestStream stream(tensors.manifest());
  stream.Update(tensors.bytes());
  return stream.Finish();
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
