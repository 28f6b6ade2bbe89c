#include "codec/half/half.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/half/half_kernels.h"
#include "skein/base/status.h"

namespace skein {
namespace {

struct Float16 {
  static constexpr const char* kName = "fp16";
  static constexpr float kMost = 65504;
  // The largest float32 that does not round to infinity.
  static constexpr float kLimit = std::bit_cast<float>(std::bit_cast<uint32_t>(65520.0f) - 1);
  static uint16_t Narrow(float value) { return QuickHalf(value); }
  static float Widen(uint16_t bits) { return QuickFloat(bits); }
};

struct BFloat16 {
  static constexpr const char* kName = "bf16";
  static constexpr float kMost = std::bit_cast<float>(0x7f7f0000u);
  static constexpr float kLimit = std::bit_cast<float>(0x7f7f7fffu);
  static uint16_t Narrow(float value) { return QuickBFloat16(value); }
  static float Widen(uint16_t bits) { return QuickFloatOfBFloat16(bits); }
};

// Elements that are converted at a time, between arrays of their types.
constexpr size_t kRun = 1024;

template <typename Type>
class HalfCodec : public Quantizer {
 public:
  HalfCodec(bool clamp, bool keeps_error) : clamp_(clamp), keeps_error_(keeps_error) {}

  std::string form() const override { return Type::kName; }
  bool keeps_error() const override { return keeps_error_; }
  uint64_t block() const override { return 1; }
  uint64_t Bytes(uint64_t n) const override { return n * sizeof(uint16_t); }
  float MaxMagnitude() const override { return clamp_ ? Quantizer::MaxMagnitude() : Type::kLimit; }

  void Encode(std::span<const float> values, uint64_t, const CodecRandom&,
              std::span<std::byte> out) const override {
    uint16_t narrow[kRun];
    for (size_t at = 0; at < values.size(); at += kRun) {
      const std::span<const float> run = values.subspan(at, std::min(kRun, values.size() - at));
      if (clamp_) {
        for (size_t i = 0; i < run.size(); ++i) {
          narrow[i] = Type::Narrow(std::min(std::max(run[i], -Type::kMost), Type::kMost));
        }
      } else {
        for (size_t i = 0; i < run.size(); ++i) narrow[i] = Type::Narrow(run[i]);
      }
      std::memcpy(out.data() + at * sizeof(uint16_t), narrow, run.size() * sizeof(uint16_t));
    }
  }

  void Decode(std::span<const std::byte> in, std::span<float> out) const override {
    uint16_t narrow[kRun];
    for (size_t at = 0; at < out.size(); at += kRun) {
      const std::span<float> run = out.subspan(at, std::min(kRun, out.size() - at));
      std::memcpy(narrow, in.data() + at * sizeof(uint16_t), run.size() * sizeof(uint16_t));
      for (size_t i = 0; i < run.size(); ++i) run[i] = Type::Widen(narrow[i]);
    }
  }

 private:
  const bool clamp_;
  const bool keeps_error_;
};

template <typename Type>
absl::Status RegisterHalf(CodecRegistry& registry, std::string summary, std::string source) {
  return registry.Register(
      {.name = Type::kName,
       .summary = std::move(summary),
       .source = std::move(source),
       .schema = ParamSchema({{.name = "clamp",
                               .type = ParamSpec::Type::kBool,
                               .default_value = false,
                               .doc = "send the largest finite number for what is beyond it; "
                                      "otherwise such an update is refused"},
                              {.name = "error_feedback",
                               .type = ParamSpec::Type::kBool,
                               .default_value = false,
                               .doc = "add what is lost to the next update"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Codec>> {
        return std::make_shared<HalfCodec<Type>>(params.Bool("clamp"),
                                                 params.Bool("error_feedback"));
      });
}

}  // namespace

absl::Status RegisterHalves(CodecRegistry& registry) {
  SKEIN_RETURN_IF_ERROR(RegisterHalf<Float16>(
      registry, "values as float16, rounded to nearest even", "IEEE 754-2008 binary16"));
  return RegisterHalf<BFloat16>(registry, "values as bfloat16, rounded to nearest even",
                                "the upper half of IEEE 754 binary32");
}

}  // namespace skein
