// Compiled without contraction into fused multiply-adds: the product v * w is rounded by itself.
// The attribute stands at each function rather than the flag at the file, so that no inline
// function of a header is compiled for AVX2 and then linked into code that must run without.

#include "strategy/linear/fold_kernels.h"

#if defined(__x86_64__)

#include <immintrin.h>

#include <bit>

#include "strategy/linear/magic.h"

#define SKEIN_AVX2 __attribute__((target("avx2")))
#define SKEIN_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace skein {
namespace {

SKEIN_AVX2_INLINE __m256i Bits(uint64_t bits) {
  return _mm256_set1_epi64x(static_cast<int64_t>(bits));
}

SKEIN_AVX2_INLINE __m256i Load(const void* at) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(at));
}

SKEIN_AVX2_INLINE void Store(void* at, __m256i value) {
  _mm256_storeu_si256(static_cast<__m256i*>(at), value);
}

// q of a product, plus kExcess, which is taken off the sum of all runs at once.
struct NarrowRounding {
  static constexpr uint64_t kExcess = kToUnitsBits;
  SKEIN_AVX2_INLINE static __m256i Of(__m256d product) {
    return _mm256_castpd_si256(_mm256_add_pd(product, _mm256_set1_pd(kToUnits)));
  }
};

struct WideRounding {
  static constexpr uint64_t kExcess = (kToBlocksBits << 32) + kToUnitsBits;
  SKEIN_AVX2_INLINE static __m256i Of(__m256d product) {
    const __m256d blocks = _mm256_set1_pd(kToBlocks);
    const __m256d shifted = _mm256_add_pd(product, blocks);
    const __m256d rest = _mm256_sub_pd(product, _mm256_sub_pd(shifted, blocks));
    return _mm256_add_epi64(_mm256_slli_epi64(_mm256_castpd_si256(shifted), 32),
                            NarrowRounding::Of(rest));
  }
};

// All but the last acc.size() % 8 elements.
template <typename Rounding, size_t kRuns, bool kSubtract>
SKEIN_AVX2 RunMask FloatRuns(const FloatRun* runs, float bound, std::span<uint64_t> acc) {
  const __m256i magnitude = _mm256_set1_epi32(INT32_MAX);
  const __m256i most = _mm256_set1_epi32(std::bit_cast<int32_t>(bound));
  const __m256i excess = Bits(kRuns * Rounding::kExcess);
  const std::byte* values[kRuns];
  __m256d factors[kRuns];
  __m256i bad[kRuns];
#pragma GCC unroll 4
  for (size_t k = 0; k < kRuns; ++k) {
    values[k] = runs[k].values;
    factors[k] = _mm256_set1_pd(runs[k].factor);
    bad[k] = _mm256_setzero_si256();
  }
  const size_t whole = acc.size() - acc.size() % 8;
  for (size_t i = 0; i < whole; i += 8) {
    __m256i low = _mm256_setzero_si256();
    __m256i high = _mm256_setzero_si256();
#pragma GCC unroll 4
    for (size_t k = 0; k < kRuns; ++k) {
      const __m256i v = Load(values[k] + i * sizeof(float));
      // As integers, magnitudes order like the floats, with Inf and NaN above all.
      bad[k] = _mm256_or_si256(bad[k], _mm256_cmpgt_epi32(_mm256_and_si256(v, magnitude), most));
      const __m256 floats = _mm256_castsi256_ps(v);
      const __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(floats));
      const __m256d b = _mm256_cvtps_pd(_mm256_extractf128_ps(floats, 1));
      low = _mm256_add_epi64(low, Rounding::Of(_mm256_mul_pd(a, factors[k])));
      high = _mm256_add_epi64(high, Rounding::Of(_mm256_mul_pd(b, factors[k])));
    }
    low = _mm256_sub_epi64(low, excess);
    high = _mm256_sub_epi64(high, excess);
    uint64_t* at = acc.data() + i;
    const __m256i x = Load(at), y = Load(at + 4);
    Store(at, kSubtract ? _mm256_sub_epi64(x, low) : _mm256_add_epi64(x, low));
    Store(at + 4, kSubtract ? _mm256_sub_epi64(y, high) : _mm256_add_epi64(y, high));
  }
  RunMask mask = 0;
  for (size_t k = 0; k < kRuns; ++k) {
    mask |= RunMask{_mm256_testz_si256(bad[k], bad[k]) == 0} << k;
  }
  return mask;
}

using FloatKernel = RunMask (*)(std::span<const FloatRun>, float, std::span<uint64_t>);

template <typename Rounding, bool kSubtract, FloatKernel FoldKernels::*kForTheRest>
RunMask Floats(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc) {
  RunMask mask = 0;
  switch (runs.size()) {
    case 1:
      mask = FloatRuns<Rounding, 1, kSubtract>(runs.data(), bound, acc);
      break;
    case 2:
      mask = FloatRuns<Rounding, 2, kSubtract>(runs.data(), bound, acc);
      break;
    case 3:
      mask = FloatRuns<Rounding, 3, kSubtract>(runs.data(), bound, acc);
      break;
    default:
      mask = FloatRuns<Rounding, 4, kSubtract>(runs.data(), bound, acc);
  }
  const size_t rest = acc.size() % 8;
  if (rest == 0) return mask;
  FloatRun ends[kMaxRuns];
  for (size_t k = 0; k < runs.size(); ++k) {
    ends[k] = {runs[k].values + (acc.size() - rest) * sizeof(float), runs[k].factor};
  }
  return mask | (PortableFoldKernels().*kForTheRest)(std::span(ends).first(runs.size()), bound,
                                                     acc.last(rest));
}

// All but the last acc.size() % 4 elements.
template <size_t kRuns, bool kSubtract>
SKEIN_AVX2 RunMask SumRuns(const SumRun* runs, std::span<uint64_t> acc) {
  const std::byte* sums[kRuns];
  __m256i low[kRuns], high[kRuns], bad[kRuns];
#pragma GCC unroll 4
  for (size_t k = 0; k < kRuns; ++k) {
    sums[k] = runs[k].sums;
    low[k] = _mm256_set1_epi64x(runs[k].low);
    high[k] = _mm256_set1_epi64x(runs[k].high);
    bad[k] = _mm256_setzero_si256();
  }
  const size_t whole = acc.size() - acc.size() % 4;
  for (size_t i = 0; i < whole; i += 4) {
    uint64_t* at = acc.data() + i;
    __m256i sum = Load(at);
#pragma GCC unroll 4
    for (size_t k = 0; k < kRuns; ++k) {
      const __m256i v = Load(sums[k] + i * sizeof(int64_t));
      const __m256i outside =
          _mm256_or_si256(_mm256_cmpgt_epi64(low[k], v), _mm256_cmpgt_epi64(v, high[k]));
      bad[k] = _mm256_or_si256(bad[k], outside);
      sum = kSubtract ? _mm256_sub_epi64(sum, v) : _mm256_add_epi64(sum, v);
    }
    Store(at, sum);
  }
  RunMask mask = 0;
  for (size_t k = 0; k < kRuns; ++k) {
    mask |= RunMask{_mm256_testz_si256(bad[k], bad[k]) == 0} << k;
  }
  return mask;
}

using SumKernel = RunMask (*)(std::span<const SumRun>, std::span<uint64_t>);

template <bool kSubtract, SumKernel FoldKernels::*kForTheRest>
RunMask Sums(std::span<const SumRun> runs, std::span<uint64_t> acc) {
  RunMask mask = 0;
  switch (runs.size()) {
    case 1:
      mask = SumRuns<1, kSubtract>(runs.data(), acc);
      break;
    case 2:
      mask = SumRuns<2, kSubtract>(runs.data(), acc);
      break;
    case 3:
      mask = SumRuns<3, kSubtract>(runs.data(), acc);
      break;
    default:
      mask = SumRuns<4, kSubtract>(runs.data(), acc);
  }
  const size_t rest = acc.size() % 4;
  if (rest == 0) return mask;
  SumRun ends[kMaxRuns];
  for (size_t k = 0; k < runs.size(); ++k) {
    ends[k] = runs[k];
    ends[k].sums += (acc.size() - rest) * sizeof(int64_t);
  }
  return mask |
         (PortableFoldKernels().*kForTheRest)(std::span(ends).first(runs.size()), acc.last(rest));
}

SKEIN_AVX2 void Means(const uint64_t* acc, double denominator, std::span<double> means) {
  const __m256d divisor = _mm256_set1_pd(denominator);
  const __m256d excess = _mm256_set1_pd(kHalvesExcess);
  const size_t whole = means.size() - means.size() % 4;
  for (size_t i = 0; i < whole; i += 4) {
    const __m256i x = Load(acc + i);
    const __m256i high = _mm256_xor_si256(_mm256_srli_epi64(x, 32), Bits(kHighHalfBits));
    const __m256i low = _mm256_blend_epi32(x, Bits(kLowHalfBits), 0b10101010);
    const __m256d value =
        _mm256_add_pd(_mm256_sub_pd(_mm256_castsi256_pd(high), excess), _mm256_castsi256_pd(low));
    _mm256_storeu_pd(means.data() + i, _mm256_div_pd(value, divisor));
  }
  PortableFoldKernels().means(acc + whole, denominator, means.subspan(whole));
}

constexpr FoldKernels kAvx2 = {
    .name = "avx2",
    .add_floats = Floats<NarrowRounding, false, &FoldKernels::add_floats>,
    .subtract_floats = Floats<NarrowRounding, true, &FoldKernels::subtract_floats>,
    .add_floats_wide = Floats<WideRounding, false, &FoldKernels::add_floats_wide>,
    .subtract_floats_wide = Floats<WideRounding, true, &FoldKernels::subtract_floats_wide>,
    .add_sums = Sums<false, &FoldKernels::add_sums>,
    .subtract_sums = Sums<true, &FoldKernels::subtract_sums>,
    .means = Means};

}  // namespace

const FoldKernels* Avx2FoldKernels() { return __builtin_cpu_supports("avx2") ? &kAvx2 : nullptr; }

}  // namespace skein

#else

namespace skein {

const FoldKernels* Avx2FoldKernels() { return nullptr; }

}  // namespace skein

#endif
