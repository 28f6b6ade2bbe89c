// Compiled without contraction into fused multiply-adds: the product v * w is rounded by itself.

#include <algorithm>
#include <bit>
#include <cstring>

#include "strategy/linear/fold_kernels.h"
#include "strategy/linear/magic.h"

namespace skein {
namespace {

// The scale is a power of two, so multiplying by weight * 2^S at once rounds like multiplying by
// the weight. Not-a-number and too large values convert to something, the same each time.
uint64_t Narrow(double product) {
  return std::bit_cast<uint64_t>(product + kToUnits) - kToUnitsBits;
}

uint64_t Wide(double product) {
  const double shifted = product + kToBlocks;
  const double rest = product - (shifted - kToBlocks);
  return ((std::bit_cast<uint64_t>(shifted) - kToBlocksBits) << 32) + Narrow(rest);
}

template <uint64_t (*kRound)(double), bool kSubtract>
bool Float(const FloatRun& run, int32_t bound_bits, std::span<uint64_t> acc) {
  int32_t bad = 0;
  for (size_t i = 0; i < acc.size(); ++i) {
    float v;
    std::memcpy(&v, run.values + i * sizeof(v), sizeof(v));
    // As integers, magnitudes order like the floats, with Inf and NaN above all.
    bad |= (std::bit_cast<int32_t>(v) & INT32_MAX) > bound_bits ? 1 : 0;
    const uint64_t q = kRound(static_cast<double>(v) * run.factor);
    acc[i] = kSubtract ? acc[i] - q : acc[i] + q;
  }
  return bad != 0;
}

// One run after another, in pieces that stay in the cache, so that memory is passed once.
constexpr size_t kPiece = 1024;

template <uint64_t (*kRound)(double), bool kSubtract>
RunMask Floats(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc) {
  RunMask bad = 0;
  for (size_t at = 0; at < acc.size(); at += kPiece) {
    const auto piece = acc.subspan(at, std::min(kPiece, acc.size() - at));
    for (size_t k = 0; k < runs.size(); ++k) {
      const FloatRun run{runs[k].values + at * sizeof(float), runs[k].factor};
      const bool refused = Float<kRound, kSubtract>(run, std::bit_cast<int32_t>(bound), piece);
      bad |= RunMask{refused} << k;
    }
  }
  return bad;
}

template <bool kSubtract>
bool Sum(const SumRun& run, size_t at, std::span<uint64_t> acc) {
  bool bad = false;
  for (size_t i = 0; i < acc.size(); ++i) {
    int64_t v;
    std::memcpy(&v, run.sums + (at + i) * sizeof(v), sizeof(v));
    bad |= v < run.low || v > run.high;
    const auto q = static_cast<uint64_t>(v);
    acc[i] = kSubtract ? acc[i] - q : acc[i] + q;
  }
  return bad;
}

template <bool kSubtract>
RunMask Sums(std::span<const SumRun> runs, std::span<uint64_t> acc) {
  RunMask bad = 0;
  for (size_t at = 0; at < acc.size(); at += kPiece) {
    const auto piece = acc.subspan(at, std::min(kPiece, acc.size() - at));
    for (size_t k = 0; k < runs.size(); ++k) {
      bad |= RunMask{Sum<kSubtract>(runs[k], at, piece)} << k;
    }
  }
  return bad;
}

void Means(const uint64_t* acc, double denominator, std::span<double> means) {
  for (size_t i = 0; i < means.size(); ++i) {
    means[i] = static_cast<double>(static_cast<int64_t>(acc[i])) / denominator;
  }
}

constexpr FoldKernels kPortable = {.name = "portable",
                                   .add_floats = Floats<Narrow, false>,
                                   .subtract_floats = Floats<Narrow, true>,
                                   .add_floats_wide = Floats<Wide, false>,
                                   .subtract_floats_wide = Floats<Wide, true>,
                                   .add_sums = Sums<false>,
                                   .subtract_sums = Sums<true>,
                                   .means = Means};

}  // namespace

const FoldKernels& PortableFoldKernels() { return kPortable; }

const FoldKernels& BestFoldKernels() {
  const FoldKernels* avx2 = Avx2FoldKernels();
  return avx2 != nullptr ? *avx2 : kPortable;
}

}  // namespace skein
