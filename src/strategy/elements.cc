#include "strategy/elements.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace skein {
namespace {

template <typename T>
T At(std::span<const std::byte> tensor, uint64_t index) {
  T value;
  std::memcpy(&value, tensor.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void Put(std::span<std::byte> tensor, uint64_t index, T value) {
  std::memcpy(tensor.data() + index * sizeof(T), &value, sizeof(T));
}

template <typename T, typename Out, typename Convert>
void Load(std::span<const std::byte> tensor, uint64_t offset, std::span<Out> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) out[i] = convert(At<T>(tensor, offset + i));
}

template <typename T, typename Convert>
void Store(std::span<const double> in, std::span<std::byte> tensor, uint64_t offset,
           Convert convert) {
  for (size_t i = 0; i < in.size(); ++i) Put<T>(tensor, offset + i, convert(in[i]));
}

template <typename T>
void StoreClamped(std::span<const int64_t> in, std::span<std::byte> tensor, uint64_t offset) {
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t low = std::numeric_limits<T>::min();
    const int64_t high = static_cast<int64_t>(std::numeric_limits<T>::max());
    Put<T>(tensor, offset + i, static_cast<T>(std::clamp(in[i], low, high)));
  }
}

}  // namespace

void LoadFloats(std::span<const std::byte> tensor, uint64_t offset, std::span<float> out) {
  std::memcpy(out.data(), tensor.data() + offset * sizeof(float), out.size_bytes());
}

void LoadDoubles(DType dtype, std::span<const std::byte> tensor, uint64_t offset,
                 std::span<double> out) {
  switch (dtype) {
    case DType::kFloat16:
      return Load<uint16_t>(tensor, offset, out, FloatFromHalf);
    case DType::kBFloat16:
      return Load<uint16_t>(tensor, offset, out, FloatFromBFloat16);
    case DType::kFloat32:
      return Load<float>(tensor, offset, out, [](float v) { return v; });
    case DType::kFloat64:
      return Load<double>(tensor, offset, out, [](double v) { return v; });
    default:
      std::ranges::fill(out, 0.0);
  }
}

void LoadInts(DType dtype, std::span<const std::byte> tensor, uint64_t offset,
              std::span<int64_t> out) {
  switch (dtype) {
    case DType::kBool:
      return Load<uint8_t>(tensor, offset, out, [](uint8_t v) { return v != 0 ? 1 : 0; });
    case DType::kUint8:
      return Load<uint8_t>(tensor, offset, out, [](uint8_t v) { return v; });
    case DType::kInt8:
      return Load<int8_t>(tensor, offset, out, [](int8_t v) { return v; });
    case DType::kInt16:
      return Load<int16_t>(tensor, offset, out, [](int16_t v) { return v; });
    case DType::kInt32:
      return Load<int32_t>(tensor, offset, out, [](int32_t v) { return v; });
    case DType::kInt64:
      return Load<int64_t>(tensor, offset, out, [](int64_t v) { return v; });
    default:
      std::ranges::fill(out, 0);
  }
}

void StoreDoubles(DType dtype, std::span<const double> in, std::span<std::byte> tensor,
                  uint64_t offset) {
  switch (dtype) {
    case DType::kFloat16:
      return Store<uint16_t>(in, tensor, offset,
                             [](double v) { return HalfFromFloat(static_cast<float>(v)); });
    case DType::kBFloat16:
      return Store<uint16_t>(in, tensor, offset,
                             [](double v) { return BFloat16FromFloat(static_cast<float>(v)); });
    case DType::kFloat32:
      return Store<float>(in, tensor, offset, [](double v) { return static_cast<float>(v); });
    default:
      return Store<double>(in, tensor, offset, [](double v) { return v; });
  }
}

void StoreInts(DType dtype, std::span<const int64_t> in, std::span<std::byte> tensor,
               uint64_t offset) {
  switch (dtype) {
    case DType::kBool:
      for (size_t i = 0; i < in.size(); ++i) Put<uint8_t>(tensor, offset + i, in[i] != 0);
      break;
    case DType::kUint8:
      return StoreClamped<uint8_t>(in, tensor, offset);
    case DType::kInt8:
      return StoreClamped<int8_t>(in, tensor, offset);
    case DType::kInt16:
      return StoreClamped<int16_t>(in, tensor, offset);
    case DType::kInt32:
      return StoreClamped<int32_t>(in, tensor, offset);
    default:
      return StoreClamped<int64_t>(in, tensor, offset);
  }
}

float FloatFromBFloat16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t BFloat16FromFloat(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((u >> 16) | 0x40);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

float FloatFromHalf(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t fraction = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | (fraction << 13));
  if (exponent == 0) {
    const float value = std::ldexp(static_cast<float>(fraction), -24);
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

uint16_t HalfFromFloat(float value) {
  const uint32_t u = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((u >> 16) & 0x8000);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return sign | 0x7e00;
  if (magnitude >= 65520.0f) return sign | 0x7c00;  // rounds to infinity
  if (magnitude < 0x1p-14f) {
    // Subnormal: a multiple of 2^-24; nearbyint rounds half to even.
    return sign | static_cast<uint16_t>(std::nearbyint(std::ldexp(magnitude, 24)));
  }
  const uint32_t bits = std::bit_cast<uint32_t>(magnitude);
  const uint32_t rounded = bits + 0xfff + ((bits >> 13) & 1);
  return sign | static_cast<uint16_t>((rounded >> 13) - (112u << 10));
}

}  // namespace skein
