#include "scaled_sign.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

namespace {

constexpr size_t kScaleBytes = sizeof(float);

// EF-signSGD (Karimireddy et al. 2019, arXiv 1901.09847): of a block of n values p their signs, and
// |p|_1 / n for all of them. Biased, so that what is lost has to be kept.
class ScaledSign : public skein::Quantizer {
 public:
  explicit ScaledSign(uint64_t block) : block_(block) {}

  // A receiver has to know where blocks end.
  std::string form() const override { return "scaled-sign(" + std::to_string(block_) + ")"; }
  bool keeps_error() const override { return true; }
  uint64_t block() const override { return block_; }
  uint64_t Bytes(uint64_t n) const override {
    return n / block_ * BlockBytes(block_) + BlockBytes(n % block_);
  }

  void Encode(std::span<const float> values, uint64_t, const skein::CodecRandom&,
              std::span<std::byte> out) const override {
    while (!values.empty()) {
      const auto block = values.first(std::min<size_t>(values.size(), block_));
      const auto bytes = out.first(BlockBytes(block.size()));
      values = values.subspan(block.size());
      out = out.subspan(bytes.size());
      double sum = 0;
      for (const float v : block) sum += std::abs(v);
      const auto scale = static_cast<float>(sum / static_cast<double>(block.size()));
      std::memcpy(bytes.data(), &scale, kScaleBytes);
      std::fill(bytes.begin() + kScaleBytes, bytes.end(), std::byte{0});
      for (size_t i = 0; i < block.size(); ++i) {
        if (block[i] < 0) bytes[kScaleBytes + i / 8] |= std::byte{1} << (i % 8);
      }
    }
  }

  void Decode(std::span<const std::byte> in, std::span<float> out) const override {
    while (!out.empty()) {
      const auto block = out.first(std::min<size_t>(out.size(), block_));
      const auto bytes = in.first(BlockBytes(block.size()));
      out = out.subspan(block.size());
      in = in.subspan(bytes.size());
      float scale = 0;
      std::memcpy(&scale, bytes.data(), kScaleBytes);
      for (size_t i = 0; i < block.size(); ++i) {
        const bool negative =
            ((bytes[kScaleBytes + i / 8] >> (i % 8)) & std::byte{1}) != std::byte{0};
        block[i] = negative ? -scale : scale;
      }
    }
  }

 private:
  static uint64_t BlockBytes(uint64_t n) { return n == 0 ? 0 : kScaleBytes + (n + 7) / 8; }

  const uint64_t block_;
};

}  // namespace

absl::Status RegisterScaledSign(skein::CodecRegistry& registry) {
  return registry.Register(
      {.name = "scaled-sign",
       .summary = "a bit for each value, and their mean magnitude",
       .source = "an example",
       .schema = skein::ParamSchema({{.name = "block",
                                      .type = skein::ParamSpec::Type::kInt,
                                      .default_value = 4096,
                                      .min = 1,
                                      .max = 65536,
                                      .doc = "values that share a magnitude"}})},
      [](const skein::Params& params) -> absl::StatusOr<std::shared_ptr<const skein::Codec>> {
        return std::make_shared<ScaledSign>(static_cast<uint64_t>(params.Int("block")));
      });
}
