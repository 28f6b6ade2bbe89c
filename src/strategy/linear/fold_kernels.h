#ifndef SKEIN_SRC_STRATEGY_LINEAR_FOLD_KERNELS_H_
#define SKEIN_SRC_STRATEGY_LINEAR_FOLD_KERNELS_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace skein {

// A run of one update's float32 elements, which may lie unaligned. An element v stands for
// q(v) = round_half_even(double(v) * factor), with factor = weight * 2^S.
struct FloatRun {
  const std::byte* values = nullptr;
  double factor = 0;
};

// A run of one partial's int64 sums, which may lie unaligned; each should be in [low, high].
struct SumRun {
  const std::byte* sums = nullptr;
  int64_t low = 0;
  int64_t high = 0;
};

// Runs that one pass takes.
inline constexpr size_t kMaxRuns = 4;

// Bit k stands for run k.
using RunMask = uint32_t;

// The inner loops of the exact sums (docs/architecture.md, "Exact sums") for one kind of processor.
// Immutable; which one a fold uses is chosen once and passed to it, and all give the same bits for
// any input.
//
// `acc` are sums modulo 2^64, so order cannot matter. Adding takes 1 to kMaxRuns runs of acc.size()
// elements in one pass, which checks them too: it returns which runs hold an element that is not
// allowed (NaN, Inf, beyond its bound). Those are added all the same, as some number that is a
// function of the element alone; subtracting the run takes out just that.
struct FoldKernels {
  const char* name = "";

  // acc[i] += or -= q(v). Right for |q| <= 2^50. Elements should be at most `bound` in magnitude.
  RunMask (*add_floats)(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc);
  RunMask (*subtract_floats)(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc);

  // The same, right for |q| <= 2^62, which the weight of a whole subtree makes; slower.
  RunMask (*add_floats_wide)(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc);
  RunMask (*subtract_floats_wide)(std::span<const FloatRun> runs, float bound,
                                  std::span<uint64_t> acc);

  // acc[i] += or -= the partials' sums.
  RunMask (*add_sums)(std::span<const SumRun> runs, std::span<uint64_t> acc);
  RunMask (*subtract_sums)(std::span<const SumRun> runs, std::span<uint64_t> acc);

  // means[i] = double(acc[i] as signed) / denominator, both rounded to nearest even.
  void (*means)(const uint64_t* acc, double denominator, std::span<double> means);
};

// Runs anywhere.
const FoldKernels& PortableFoldKernels();

// Null where the processor has no AVX2.
const FoldKernels* Avx2FoldKernels();

// The fastest that this processor runs.
const FoldKernels& BestFoldKernels();

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_FOLD_KERNELS_H_
