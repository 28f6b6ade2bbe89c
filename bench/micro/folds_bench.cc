// Every fold by the name that specs have for it: what an update costs to add and to finish, in
// bytes of float32 updates, beside a copy of as many; and what folds that hold their updates take
// of memory for more than they may hold.

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "micro/fold_model.h"
#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/builtins/strategies.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

constexpr size_t kElements = 1'000'000;
constexpr size_t kUpdates = 16;
constexpr size_t kManyElements = 10'000'000;
constexpr size_t kManyUpdates = 64;

const StrategyRegistries& Strategies() {
  static const StrategyRegistries registries = [] {
    StrategyRegistries all;
    RegisterBuiltinStrategies(all);
    return all;
  }();
  return registries;
}

PackedTensors Normal(size_t elements, uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values(elements);
  for (float& value : values) value = static_cast<float>(0.01 * rng.Normal());
  PackedTensors tensors(FloatModel(elements));
  std::memcpy(tensors.mutable_bytes().data(), values.data(), tensors.bytes().size());
  return tensors;
}

UpdateHeader HeaderOf(size_t k) {
  UpdateHeader header = SampleHeader();
  header.leaf = static_cast<LeafIndex>(k);
  header.metrics = {{"initial_loss", 1.5}, {"steps", 1}};
  return header;
}

absl::StatusOr<std::unique_ptr<Accumulator>> NewSums(const PartSpec& spec,
                                                     const PackedTensors& base, size_t updates) {
  SKEIN_ASSIGN_OR_RETURN(const auto fold, Strategies().folds.Create(spec));
  SKEIN_ASSIGN_OR_RETURN(const NumericPlan plan,
                         MakeNumericPlan(base, fold->MaxUpdateWeight(SampleHeader().num_samples),
                                         updates, fold->MinBound()));
  return fold->NewAccumulator(base.manifest(), plan);
}

void BM_Memcpy(benchmark::State& state) { Memcpy(state, kUpdates * kElements); }

void BM_Fold(benchmark::State& state, const PartSpec& spec) {
  const PackedTensors base = Normal(kElements, 99);
  std::vector<PackedTensors> updates;
  for (size_t k = 0; k < kUpdates; ++k) updates.push_back(Normal(kElements, k));
  const auto sums = NewSums(spec, base, kUpdates);
  if (!sums.ok()) return state.SkipWithError(Message(sums.status()).c_str());
  testing::PlainStep step;
  for (auto _ : state) {
    absl::Status status;
    for (size_t k = 0; k < kUpdates && status.ok(); ++k) {
      status = (*sums)->Add(HeaderOf(k), updates[k]);
    }
    if (status.ok()) status = (*sums)->Finish(base, step).status();
    if (!status.ok()) return state.SkipWithError(Message(status).c_str());
  }
  state.SetBytesProcessed(
      static_cast<int64_t>(state.iterations() * kUpdates * kElements * sizeof(float)));
}

// All passes over two nodes with half of the updates each. Bytes of the updates, as above, though
// each pass reads them all.
void BM_FoldInPasses(benchmark::State& state, const PartSpec& spec) {
  const PackedTensors base = Normal(kElements, 99);
  std::vector<PackedTensors> updates;
  for (size_t k = 0; k < kUpdates; ++k) updates.push_back(Normal(kElements, k));
  const auto fold = Strategies().folds.Create(spec);
  if (!fold.ok()) return state.SkipWithError(Message(fold.status()).c_str());
  NumericPlan plan;
  plan.max_update_weight = SampleHeader().num_samples;
  const auto buffers = std::make_shared<BufferPool>();
  const auto fold_all = [&]() -> absl::Status {
    const auto above = (*fold)->NewPassAccumulator(base.manifest(), plan, kUpdates, buffers);
    const auto below = (*fold)->NewPassAccumulator(base.manifest(), plan, kUpdates, buffers);
    for (size_t k = 0; k < kUpdates; ++k) {
      SKEIN_RETURN_IF_ERROR((k % 2 == 0 ? above : below)->Add(HeaderOf(k), updates[k]));
    }
    PartialHeader header;
    header.roster = Roster::Range(0, kUpdates);
    header.updates = kUpdates / 2;
    for (;;) {
      SKEIN_ASSIGN_OR_RETURN(const Partial answer, below->TakePartial());
      SKEIN_RETURN_IF_ERROR(above->Merge(header, answer.sums));
      SKEIN_ASSIGN_OR_RETURN(const auto question, above->NextPass());
      if (!question) break;
      SKEIN_RETURN_IF_ERROR(below->BeginPass(*question));
    }
    testing::PlainStep step;
    return above->Finish(base, step).status();
  };
  for (auto _ : state) {
    const absl::Status status = fold_all();
    if (!status.ok()) return state.SkipWithError(Message(status).c_str());
  }
  state.SetBytesProcessed(
      static_cast<int64_t>(state.iterations() * kUpdates * kElements * sizeof(float)));
}

// MB that the process has had in memory at most since ForgetPeak; 0 where the system does not say.
double PeakMb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) * 1024 / 1e6;
  }
  return 0;
}
void ForgetPeak() { std::ofstream("/proc/self/clear_refs") << "5"; }

// Far more updates than memory_mb has room for, one after another as they would arrive.
void BM_FoldInBudget(benchmark::State& state, PartSpec spec) {
  spec.params["memory_mb"] = int64_t{256};
  const PackedTensors base = Normal(kManyElements, 99);
  const PackedTensors update = Normal(kManyElements, 1);
  testing::PlainStep step;
  for (auto _ : state) {
    ForgetPeak();
    const double before = PeakMb();
    const auto sums = NewSums(spec, base, kManyUpdates);
    absl::Status status = sums.status();
    for (size_t k = 0; k < kManyUpdates && status.ok(); ++k) {
      PackedTensors arrived(update.manifest());
      std::memcpy(arrived.mutable_bytes().data(), update.bytes().data(), update.bytes().size());
      arrived.mutable_bytes()[k] = std::byte{static_cast<uint8_t>(k)};
      status = (*sums)->Add(HeaderOf(k), arrived);
    }
    if (status.ok()) status = (*sums)->Finish(base, step).status();
    if (!status.ok()) return state.SkipWithError(Message(status).c_str());
    state.counters["taken_mb"] = PeakMb() - before;
  }
  state.counters["updates_mb"] = kManyUpdates * static_cast<double>(update.bytes().size()) / 1e6;
  state.counters["model_mb"] = static_cast<double>(update.bytes().size()) / 1e6;
}

const PartSpec fedavg = {"fedavg", {}};
const PartSpec fedsgd = {"fedsgd", {}};
const PartSpec mean = {"mean", {}};
const PartSpec fednova = {"fednova", {}};
const PartSpec qfedavg = {"qfedavg", {{"lr", 0.1}}};
const PartSpec clipped_mean = {"clipped-mean", {{"clip", 5.0}}};
const PartSpec signsgd = {"signsgd", {}};
const PartSpec median = {"median", {}};
const PartSpec trimmed_mean = {"trimmed-mean", {{"beta", 0.2}}};
const PartSpec krum = {"krum", {{"f", 3}}};
const PartSpec multi_krum = {"multi-krum", {{"f", 3}}};
const PartSpec bulyan = {"bulyan", {{"f", 3}}};
const PartSpec geometric_median = {"geometric-median", {}};
const PartSpec centered_clipping = {"centered-clipping", {{"clip", 1}}};

BENCHMARK(BM_Memcpy)->UseRealTime();
#define SKEIN_FOLD_BENCH_(spec) \
  BENCHMARK_CAPTURE(BM_Fold, spec, spec)->UseRealTime()->Unit(benchmark::kMillisecond);
#define SKEIN_PASSES_BENCH_(spec) \
  BENCHMARK_CAPTURE(BM_FoldInPasses, spec, spec)->UseRealTime()->Unit(benchmark::kMillisecond);
#define SKEIN_BUDGET_BENCH_(spec)                \
  BENCHMARK_CAPTURE(BM_FoldInBudget, spec, spec) \
      ->UseRealTime()                            \
      ->Iterations(1)                            \
      ->Unit(benchmark::kSecond);
SKEIN_FOLD_BENCH_(fedavg)
SKEIN_FOLD_BENCH_(fedsgd)
SKEIN_FOLD_BENCH_(mean)
SKEIN_FOLD_BENCH_(fednova)
SKEIN_FOLD_BENCH_(qfedavg)
SKEIN_FOLD_BENCH_(clipped_mean)
SKEIN_FOLD_BENCH_(signsgd)
SKEIN_FOLD_BENCH_(median)
SKEIN_FOLD_BENCH_(trimmed_mean)
SKEIN_FOLD_BENCH_(krum)
SKEIN_FOLD_BENCH_(multi_krum)
SKEIN_FOLD_BENCH_(bulyan)
SKEIN_FOLD_BENCH_(geometric_median)
SKEIN_FOLD_BENCH_(centered_clipping)
SKEIN_PASSES_BENCH_(median)
SKEIN_PASSES_BENCH_(trimmed_mean)
SKEIN_PASSES_BENCH_(geometric_median)
SKEIN_PASSES_BENCH_(centered_clipping)
SKEIN_BUDGET_BENCH_(median)
SKEIN_BUDGET_BENCH_(trimmed_mean)
SKEIN_BUDGET_BENCH_(krum)
SKEIN_BUDGET_BENCH_(multi_krum)
SKEIN_BUDGET_BENCH_(bulyan)
SKEIN_BUDGET_BENCH_(geometric_median)
SKEIN_BUDGET_BENCH_(centered_clipping)
#undef SKEIN_FOLD_BENCH_
#undef SKEIN_PASSES_BENCH_
#undef SKEIN_BUDGET_BENCH_

}  // namespace
}  // namespace skein
