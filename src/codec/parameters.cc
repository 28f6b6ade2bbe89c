#include "codec/parameters.h"

#include <algorithm>
#include <cstring>

#include "strategy/elements.h"

namespace skein {
namespace {

// Doubles for a piece of a tensor at a time.
template <typename Visit>
void ForPieces(size_t count, Visit visit) {
  double piece[256];
  for (size_t at = 0; at < count; at += std::size(piece)) {
    visit(at, std::span(piece).first(std::min(std::size(piece), count - at)));
  }
}

template <typename T>
void SubtractWords(std::span<const std::byte> model, std::span<const std::byte> base,
                   std::span<std::byte> out) {
  const size_t count = model.size() / sizeof(T);
  for (size_t i = 0; i < count; ++i) {
    T x = 0, y = 0;
    std::memcpy(&y, model.data() + i * sizeof(T), sizeof(T));
    std::memcpy(&x, base.data() + i * sizeof(T), sizeof(T));
    const auto difference = static_cast<T>(y - x);
    for (size_t b = 0; b < sizeof(T); ++b) {
      out[b * count + i] = static_cast<std::byte>(difference >> (8 * b));
    }
  }
}

template <typename T>
void AddWords(std::span<const std::byte> difference, std::span<std::byte> model) {
  const size_t count = model.size() / sizeof(T);
  for (size_t i = 0; i < count; ++i) {
    T x = 0;
    std::memcpy(&x, model.data() + i * sizeof(T), sizeof(T));
    T sum = 0;
    for (size_t b = 0; b < sizeof(T); ++b) {
      sum |= static_cast<T>(static_cast<T>(difference[b * count + i]) << (8 * b));
    }
    sum = static_cast<T>(sum + x);
    std::memcpy(model.data() + i * sizeof(T), &sum, sizeof(T));
  }
}

}  // namespace

void LoadParameters(DType dtype, std::span<const std::byte> tensor, uint64_t at,
                    std::span<float> out) {
  if (dtype == DType::kFloat32) return LoadFloats(tensor, at, out);
  ForPieces(out.size(), [&](size_t i, std::span<double> x) {
    LoadDoubles(dtype, tensor, at + i, x);
    std::ranges::transform(x, out.begin() + static_cast<ptrdiff_t>(i),
                           [](double v) { return static_cast<float>(v); });
  });
}

void LoadDifferences(DType dtype, std::span<const std::byte> model, std::span<const std::byte> base,
                     uint64_t at, std::span<float> out) {
  if (dtype == DType::kFloat32) {
    for (size_t i = 0; i < out.size(); ++i) {
      float x = 0, y = 0;
      std::memcpy(&y, model.data() + (at + i) * sizeof(float), sizeof(float));
      std::memcpy(&x, base.data() + (at + i) * sizeof(float), sizeof(float));
      out[i] = y - x;
    }
    return;
  }
  double of_base[256];
  ForPieces(out.size(), [&](size_t i, std::span<double> y) {
    const auto x = std::span(of_base).first(y.size());
    LoadDoubles(dtype, model, at + i, y);
    LoadDoubles(dtype, base, at + i, x);
    for (size_t k = 0; k < y.size(); ++k) out[i + k] = static_cast<float>(y[k] - x[k]);
  });
}

void StoreParameters(DType dtype, std::span<const float> values, std::span<std::byte> tensor,
                     uint64_t at) {
  if (dtype == DType::kFloat32) {
    std::memcpy(tensor.data() + at * sizeof(float), values.data(), values.size_bytes());
    return;
  }
  ForPieces(values.size(), [&](size_t i, std::span<double> x) {
    std::ranges::copy(values.subspan(i, x.size()), x.begin());
    StoreDoubles(dtype, x, tensor, at + i);
  });
}

void AddDifferences(DType dtype, std::span<const float> values, std::span<std::byte> tensor,
                    uint64_t at) {
  if (dtype == DType::kFloat32) {
    for (size_t i = 0; i < values.size(); ++i) {
      float x = 0;
      std::memcpy(&x, tensor.data() + (at + i) * sizeof(float), sizeof(float));
      x += values[i];
      std::memcpy(tensor.data() + (at + i) * sizeof(float), &x, sizeof(float));
    }
    return;
  }
  ForPieces(values.size(), [&](size_t i, std::span<double> x) {
    LoadDoubles(dtype, tensor, at + i, x);
    for (size_t k = 0; k < x.size(); ++k) x[k] += values[i + k];
    StoreDoubles(dtype, x, tensor, at + i);
  });
}

void SubtractBits(size_t element, std::span<const std::byte> model, std::span<const std::byte> base,
                  std::span<std::byte> out) {
  switch (element) {
    case 1:
      return SubtractWords<uint8_t>(model, base, out);
    case 2:
      return SubtractWords<uint16_t>(model, base, out);
    case 4:
      return SubtractWords<uint32_t>(model, base, out);
    default:
      return SubtractWords<uint64_t>(model, base, out);
  }
}

void AddBits(size_t element, std::span<const std::byte> difference, std::span<std::byte> model) {
  switch (element) {
    case 1:
      return AddWords<uint8_t>(difference, model);
    case 2:
      return AddWords<uint16_t>(difference, model);
    case 4:
      return AddWords<uint32_t>(difference, model);
    default:
      return AddWords<uint64_t>(difference, model);
  }
}

bool AllZero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace skein
