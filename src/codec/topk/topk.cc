#include "codec/topk/topk.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

#include "skein/base/value.h"

namespace skein {
namespace {

uint32_t MagnitudeBits(float value) { return std::bit_cast<uint32_t>(value) & INT32_MAX; }

// The digits of a magnitude of 31 bits, the highest first: where each begins, and its bits.
struct Digit {
  int shift;
  int bits;
};
constexpr Digit kDigits[] = {{20, 11}, {10, 10}, {0, 10}};
constexpr size_t kCounts = size_t{1} << 11;

// How many of the values that have `prefix` above the digit have each value of it. Several tables,
// so that equal digits in a row do not wait for each other.
std::array<uint64_t, kCounts> CountDigits(std::span<const float> values, Digit digit,
                                          uint32_t prefix) {
  constexpr size_t kTables = 4;
  std::array<std::array<uint32_t, kCounts>, kTables> tables = {};
  const uint32_t mask = (uint32_t{1} << digit.bits) - 1;
  const int above = digit.shift + digit.bits;
  const auto count = [&](float value, std::array<uint32_t, kCounts>& table) {
    const uint32_t bits = MagnitudeBits(value);
    if (bits >> above == prefix) ++table[(bits >> digit.shift) & mask];
  };
  size_t i = 0;
  for (; i + kTables <= values.size(); i += kTables) {
    for (size_t t = 0; t < kTables; ++t) count(values[i + t], tables[t]);
  }
  for (; i < values.size(); ++i) count(values[i], tables[0]);
  std::array<uint64_t, kCounts> counts = {};
  for (const auto& table : tables) {
    for (size_t d = 0; d < kCounts; ++d) counts[d] += table[d];
  }
  return counts;
}

// Sends the largest elements of a tensor: Aji and Heafield 2017, arXiv 1704.05021; with error
// feedback, Stich et al. 2018, arXiv 1809.07599.
class TopK : public Sparsifier {
 public:
  TopK(double ratio, bool keeps_error) : ratio_(ratio), keeps_error_(keeps_error) {}

  std::string form() const override { return "topk(" + ToJson(Value(ratio_)) + ")"; }
  bool keeps_error() const override { return keeps_error_; }
  uint64_t Kept(uint64_t n) const override { return KeptOf(ratio_, n); }
  std::vector<uint32_t> Select(uint64_t n, std::span<const float> values,
                               const CodecRandom&) const override {
    return LargestOf(values, Kept(n));
  }

 private:
  const double ratio_;
  const bool keeps_error_;
};

}  // namespace

uint64_t KeptOf(double ratio, uint64_t n) {
  const double product = ratio * static_cast<double>(n);
  // 0.07 * 100 is a little more than 7 in binary.
  const auto kept = static_cast<uint64_t>(std::ceil(product - 1e-12 * std::max(1.0, product)));
  return std::clamp<uint64_t>(kept, std::min<uint64_t>(1, n), n);
}

std::vector<uint32_t> LargestOf(std::span<const float> values, uint64_t k) {
  // The k-th largest magnitude, digit by digit; `left` of those equal to it are taken.
  uint32_t threshold = 0;
  uint64_t left = std::min<uint64_t>(k, values.size());
  if (left == 0) return {};
  for (const Digit digit : kDigits) {
    const auto counts = CountDigits(values, digit, threshold);
    size_t d = (size_t{1} << digit.bits) - 1;
    for (; counts[d] < left; --d) left -= counts[d];
    threshold = threshold << digit.bits | static_cast<uint32_t>(d);
  }
  if (threshold == 0) left = 0;
  std::vector<uint32_t> positions;
  positions.reserve(k);
  // Few are taken: whole runs are passed over without a look at each.
  constexpr size_t kRun = 16;
  for (size_t begin = 0; begin < values.size(); begin += kRun) {
    const size_t end = std::min(values.size(), begin + kRun);
    uint32_t any = 0;
    for (size_t i = begin; i < end; ++i) any |= MagnitudeBits(values[i]) >= threshold ? 1u : 0u;
    if (any == 0) continue;
    for (size_t i = begin; i < end; ++i) {
      const uint32_t bits = MagnitudeBits(values[i]);
      if (bits > threshold) {
        positions.push_back(static_cast<uint32_t>(i));
      } else if (bits == threshold && left > 0) {
        positions.push_back(static_cast<uint32_t>(i));
        --left;
      }
    }
  }
  return positions;
}

absl::Status RegisterTopK(CodecRegistry& registry) {
  return registry.Register(
      {.name = "topk",
       .summary = "the largest elements of each tensor",
       .source = "Aji and Heafield 2017, arXiv 1704.05021; Stich et al. 2018, arXiv 1809.07599",
       .schema = ParamSchema({{.name = "ratio",
                               .type = ParamSpec::Type::kReal,
                               .required = true,
                               .min = 1e-9,
                               .max = 1,
                               .doc = "elements that are sent, of all; at least one of a tensor"},
                              {.name = "error_feedback",
                               .type = ParamSpec::Type::kBool,
                               .default_value = true,
                               .doc = "add what is lost to the next update"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Codec>> {
        return std::make_shared<TopK>(params.Real("ratio"), params.Bool("error_feedback"));
      });
}

}  // namespace skein
