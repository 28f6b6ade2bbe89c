#include "codec/fp32/fp32.h"

#include <cstring>

namespace skein {
namespace {

class Fp32Codec : public Quantizer {
 public:
  std::string form() const override { return "fp32"; }
  uint64_t block() const override { return 1; }
  uint64_t Bytes(uint64_t n) const override { return n * sizeof(float); }
  void Encode(std::span<const float> values, uint64_t, const CodecRandom&,
              std::span<std::byte> out) const override {
    if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  }
  void Decode(std::span<const std::byte> in, std::span<float> out) const override {
    if (!out.empty()) std::memcpy(out.data(), in.data(), in.size());
  }
};

}  // namespace

absl::Status RegisterFp32(CodecRegistry& registry) {
  return registry.Register({.name = "fp32",
                            .summary = "float32 as it is; of partials, means in place of sums",
                            .source = "IEEE 754 binary32"},
                           [](const Params&) -> absl::StatusOr<std::shared_ptr<const Codec>> {
                             return std::make_shared<Fp32Codec>();
                           });
}

}  // namespace skein
