// How fast contributions are folded, against what memory allows: everything works on a
// model of 25M elements, far beyond the caches, in memory that has been touched before.
//
// bytes_per_second is in bytes of float32 input for the kernels that read floats, so that it
// compares with BM_Memcpy, which copies as many.

#include <algorithm>
#include <memory>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>

#include "micro/fold_model.h"
#include "skein/base/status.h"
#include "skein/tensor/chunk_codec.h"
#include "strategy/linear/fold_kernels.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

constexpr size_t kElements = 25'000'000;
constexpr double kFactor = 600.0 * (1 << 30);

// Filled once and kept, so that no benchmark pays for the first touch.
template <typename T>
std::vector<T> Touched(size_t elements, T value) {
  return std::vector<T>(elements, value);
}

std::vector<std::vector<float>> Updates(size_t count) {
  std::vector<std::vector<float>> updates;
  for (size_t k = 0; k < count; ++k) {
    updates.push_back(Touched(kElements, 0.001f * static_cast<float>(k + 1)));
  }
  return updates;
}

void CountBytes(benchmark::State& state, size_t bytes) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * bytes));
}

const FoldKernels* Kernels(benchmark::State& state, bool avx2) {
  const FoldKernels* kernels = avx2 ? Avx2FoldKernels() : &PortableFoldKernels();
  if (kernels == nullptr) state.SkipWithError("this processor has no AVX2");
  return kernels;
}

void BM_Memcpy(benchmark::State& state) { Memcpy(state, kElements); }

// Arguments: updates in a pass.
void BM_AddFloats(benchmark::State& state, bool avx2, bool wide) {
  const FoldKernels* kernels = Kernels(state, avx2);
  if (kernels == nullptr) return;
  const auto updates = Updates(static_cast<size_t>(state.range(0)));
  auto acc = Touched(kElements, uint64_t{0});
  std::vector<FloatRun> runs;
  for (const auto& update : updates) {
    runs.push_back({reinterpret_cast<const std::byte*>(update.data()), kFactor});
  }
  const auto add = wide ? kernels->add_floats_wide : kernels->add_floats;
  for (auto _ : state) benchmark::DoNotOptimize(add(runs, 64.0f, acc));
  CountBytes(state, runs.size() * kElements * sizeof(float));
}

// Bytes of int64 sums.
void BM_AddSums(benchmark::State& state, bool avx2) {
  const FoldKernels* kernels = Kernels(state, avx2);
  if (kernels == nullptr) return;
  const std::vector<std::vector<int64_t>> sums(static_cast<size_t>(state.range(0)),
                                               Touched(kElements, int64_t{12345}));
  auto acc = Touched(kElements, uint64_t{0});
  std::vector<SumRun> runs;
  for (const auto& partial : sums) {
    runs.push_back({reinterpret_cast<const std::byte*>(partial.data()), -1000000, 1000000});
  }
  for (auto _ : state) benchmark::DoNotOptimize(kernels->add_sums(runs, acc));
  CountBytes(state, runs.size() * kElements * sizeof(int64_t));
}

// Bytes of int64 sums.
void BM_Means(benchmark::State& state, bool avx2) {
  const FoldKernels* kernels = Kernels(state, avx2);
  if (kernels == nullptr) return;
  const auto acc = Touched(kElements, uint64_t{12345});
  std::vector<double> means(4096);
  for (auto _ : state) {
    for (size_t at = 0; at + means.size() <= kElements; at += means.size()) {
      kernels->means(acc.data() + at, kFactor, means);
      benchmark::DoNotOptimize(means.data());
    }
  }
  CountBytes(state, kElements * sizeof(uint64_t));
}

// ---- the accumulator around the kernels ----

void BM_Add(benchmark::State& state) {
  const auto accumulator = MeanAccumulator(kElements);
  const PackedTensors update = FloatTensors(kElements, 0.001f);
  benchmark::DoNotOptimize(accumulator->Add(SampleHeader(), update));  // touches the sums
  for (auto _ : state) {
    const absl::Status status = accumulator->Add(SampleHeader(), update);
    if (!status.ok()) return state.SkipWithError(Message(status).c_str());
  }
  CountBytes(state, update.bytes().size());
}

// An update in chunks, broken off after the last and so taken out again.
void BM_AdvanceAndBreakOff(benchmark::State& state) {
  const auto accumulator = MeanAccumulator(kElements);
  const PackedTensors update = FloatTensors(kElements, 0.001f);
  benchmark::DoNotOptimize(accumulator->Add(SampleHeader(), update));
  for (auto _ : state) {
    auto intake = accumulator->Begin(SampleHeader(), update);
    if (!intake.ok()) return state.SkipWithError(Message(intake.status()).c_str());
    for (uint64_t at = 0; at < update.bytes().size(); at += 256 * 1024) {
      (*intake)->Advance(at).IgnoreError();
    }
  }
  CountBytes(state, update.bytes().size());
}

// The first update: its sums are fresh memory, which the system has to provide.
void BM_AddToNew(benchmark::State& state) {
  const PackedTensors update = FloatTensors(kElements, 0.001f);
  for (auto _ : state) {
    const auto accumulator = MeanAccumulator(kElements);
    const absl::Status status = accumulator->Add(SampleHeader(), update);
    if (!status.ok()) return state.SkipWithError(Message(status).c_str());
  }
  CountBytes(state, update.bytes().size());
}

// Updates that arrive on several threads, all at the same tiles.
void BM_AdvanceOnThreads(benchmark::State& state) {
  const auto accumulator = MeanAccumulator(kElements);
  const PackedTensors update = FloatTensors(kElements, 0.001f);
  benchmark::DoNotOptimize(accumulator->Add(SampleHeader(), update));
  const auto threads = static_cast<size_t>(state.range(0));
  for (auto _ : state) {
    std::vector<std::unique_ptr<Intake>> intakes;
    for (size_t k = 0; k < threads; ++k) {
      auto intake = accumulator->Begin(SampleHeader(), update);
      if (!intake.ok()) return state.SkipWithError(Message(intake.status()).c_str());
      intakes.push_back(*std::move(intake));
    }
    std::vector<std::thread> receiving;
    for (const auto& intake : intakes) {
      receiving.emplace_back([&] {
        const uint64_t bytes = update.bytes().size();
        for (uint64_t at = 0; at < bytes; at += kDefaultChunkBytes) {
          intake->Advance(std::min(bytes, at + kDefaultChunkBytes)).IgnoreError();
        }
      });
    }
    for (std::thread& thread : receiving) thread.join();
    for (const auto& intake : intakes) {
      const absl::Status status = intake->Complete();
      if (!status.ok()) return state.SkipWithError(Message(status).c_str());
    }
  }
  CountBytes(state, threads * update.bytes().size());
}

// Bytes of the float32 model, which takes the place of the sums.
void BM_Finish(benchmark::State& state) {
  const auto accumulator = MeanAccumulator(kElements);
  const PackedTensors base = FloatTensors(kElements, 0.5f);
  testing::PlainStep step;
  for (auto _ : state) {
    state.PauseTiming();  // Finish empties the sums
    const absl::Status added = accumulator->Add(SampleHeader(), base);
    if (!added.ok()) return state.SkipWithError(Message(added).c_str());
    state.ResumeTiming();
    const auto model = accumulator->Finish(base, step);
    if (!model.ok()) return state.SkipWithError(Message(model.status()).c_str());
  }
  CountBytes(state, base.bytes().size());
}

BENCHMARK(BM_Memcpy)->UseRealTime();
BENCHMARK_CAPTURE(BM_AddFloats, portable, false, false)->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK_CAPTURE(BM_AddFloats, avx2, true, false)->DenseRange(1, 4)->UseRealTime();
BENCHMARK_CAPTURE(BM_AddFloats, portable_wide, false, true)->Arg(1)->UseRealTime();
BENCHMARK_CAPTURE(BM_AddFloats, avx2_wide, true, true)->Arg(1)->UseRealTime();
BENCHMARK_CAPTURE(BM_AddSums, portable, false)->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK_CAPTURE(BM_AddSums, avx2, true)->Arg(1)->Arg(4)->UseRealTime();
BENCHMARK_CAPTURE(BM_Means, portable, false)->UseRealTime();
BENCHMARK_CAPTURE(BM_Means, avx2, true)->UseRealTime();
BENCHMARK(BM_Add)->UseRealTime();
BENCHMARK(BM_AdvanceAndBreakOff)->UseRealTime();
BENCHMARK(BM_AddToNew)->UseRealTime();
BENCHMARK(BM_AdvanceOnThreads)->Arg(1)->Arg(2)->Arg(8)->UseRealTime();
BENCHMARK(BM_Finish)->UseRealTime();

}  // namespace
}  // namespace skein
