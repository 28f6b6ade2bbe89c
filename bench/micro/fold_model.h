#ifndef SKEIN_BENCH_MICRO_FOLD_MODEL_H_
#define SKEIN_BENCH_MICRO_FOLD_MODEL_H_

#include <cstddef>
#include <memory>

#include <benchmark/benchmark.h>

#include "skein/strategy/fold.h"

namespace skein {

// What the benchmarks fold: a model of one float32 tensor, and the exact mean of its updates.

Manifest FloatModel(size_t elements);
// Of FloatModel, every element `value`.
PackedTensors FloatTensors(size_t elements, float value);
// Copies as many between two blocks that have been touched, to set other figures against.
void Memcpy(benchmark::State& state, size_t elements);
// The header of an update that MeanAccumulator takes.
UpdateHeader SampleHeader();
// With room for any number of such updates of small values.
std::unique_ptr<Accumulator> MeanAccumulator(size_t elements);

}  // namespace skein

#endif  // SKEIN_BENCH_MICRO_FOLD_MODEL_H_
