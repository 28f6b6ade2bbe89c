#include "codec/qsgd/qsgd_kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace skein {

float MaxMagnitudeOf(std::span<const float> values) {
  // As integers, magnitudes order like the floats.
  int32_t most = 0;
  for (const float v : values) {
    const int32_t magnitude = std::bit_cast<int32_t>(v) & INT32_MAX;
    most = most > magnitude ? most : magnitude;
  }
  return std::bit_cast<float>(most);
}

double NormOf(std::span<const float> values) {
  constexpr size_t kLanes = 8;
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes) {
    for (size_t k = 0; k < kLanes; ++k) {
      const double v = values[i + k];
      lanes[k] += v * v;
    }
  }
  for (size_t k = 0; i < values.size(); ++i, ++k) {
    const double v = values[i];
    lanes[k] += v * v;
  }
  double sum = 0;
  for (const double lane : lanes) sum += lane;
  return std::sqrt(sum);
}

float StepOf(double norm, int levels) {
  auto step = static_cast<float>(norm / levels);
  if (static_cast<double>(step) * levels < norm) {
    step = std::nextafter(step, std::numeric_limits<float>::infinity());
  }
  return step;
}

void DrawThresholds(const CodecRandom& random, uint64_t first, std::span<int32_t> thresholds) {
  const size_t n = thresholds.size();
  size_t i = 0;
  if (first % 2 == 1 && n > 0) {
    thresholds[0] = static_cast<int32_t>(random.Half(first) >> 1);
    i = 1;
  }
  for (; i + 1 < n; i += 2) {
    const uint64_t word = random.At((first + i) / 2);
    thresholds[i] = static_cast<int32_t>(static_cast<uint32_t>(word) >> 1);
    thresholds[i + 1] = static_cast<int32_t>(word >> 33);
  }
  if (i < n) thresholds[i] = static_cast<int32_t>(random.Half(first + i) >> 1);
}

void RoundToLevels(std::span<const float> values, float step, std::span<const int32_t> thresholds,
                   std::span<int8_t> levels) {
  int32_t wide[kQsgdRun];
  const size_t n = std::min(values.size(), kQsgdRun);
  for (size_t i = 0; i < n; ++i) {
    const float ratio = std::fabs(values[i]) / step;
    const auto whole = static_cast<int32_t>(ratio);
    // The rest is exact, and below 1 by 2^-24 at least, so that it fits.
    const auto rest = static_cast<int32_t>((ratio - static_cast<float>(whole)) * 0x1p31f);
    const int32_t level = whole + (rest > thresholds[i] ? 1 : 0);
    const int32_t sign = std::bit_cast<int32_t>(values[i]) >> 31;  // 0 or -1
    wide[i] = (level ^ sign) - sign;
  }
  for (size_t i = 0; i < n; ++i) levels[i] = static_cast<int8_t>(wide[i]);
}

void PackNibbles(std::span<const int8_t> levels, std::span<std::byte> out) {
  const size_t pairs = levels.size() / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const int low = levels[2 * i] & 0xf;
    const int high = levels[2 * i + 1] & 0xf;
    out[i] = static_cast<std::byte>(low | high << 4);
  }
  if (levels.size() % 2 == 1) out[pairs] = static_cast<std::byte>(levels.back() & 0xf);
}

void UnpackNibbles(std::span<const std::byte> in, std::span<int8_t> levels) {
  // Bit 3 is the sign.
  const auto widen = [](int nibble) { return static_cast<int8_t>((nibble ^ 8) - 8); };
  const size_t pairs = levels.size() / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const int byte = static_cast<int>(in[i]);
    levels[2 * i] = widen(byte & 0xf);
    levels[2 * i + 1] = widen(byte >> 4);
  }
  if (levels.size() % 2 == 1) levels.back() = widen(static_cast<int>(in[pairs]) & 0xf);
}

}  // namespace skein
