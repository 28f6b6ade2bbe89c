// What it costs to verify tensors, by itself and together with the one copy that receiving them
// takes. bytes_per_second is of tensor bytes and compares with BM_Memcpy.

#include <algorithm>
#include <vector>

#include <benchmark/benchmark.h>

#include "micro/fold_model.h"
#include "skein/base/status.h"
#include "skein/tensor/chunk_codec.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

constexpr size_t kElements = 25'000'000;

void CountBytes(benchmark::State& state, const PackedTensors& tensors) {
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * tensors.bytes().size()));
}

void BM_Memcpy(benchmark::State& state) { Memcpy(state, kElements); }

void BM_Checksum(benchmark::State& state) {
  const PackedTensors model = FloatTensors(kElements, 0.5f);
  for (auto _ : state) benchmark::DoNotOptimize(Checksum(model.bytes()));
  CountBytes(state, model);
}

void BM_TransferDigest(benchmark::State& state) {
  const PackedTensors model = FloatTensors(kElements, 0.5f);
  for (auto _ : state) benchmark::DoNotOptimize(TransferDigest(model.bytes()));
  CountBytes(state, model);
}

// SHA-256: of a model that is stored, not of one that travels.
void BM_ModelDigest(benchmark::State& state) {
  const PackedTensors model = FloatTensors(kElements, 0.5f);
  for (auto _ : state) benchmark::DoNotOptimize(ModelDigest(model));
  CountBytes(state, model);
}

// Chunks of a model, in pieces as a socket gives them, copied into a block while they are summed.
// Argument: bytes of a piece.
void BM_CopyAndChecksum(benchmark::State& state) {
  const PackedTensors model = FloatTensors(kElements, 0.5f);
  const auto piece_bytes = static_cast<size_t>(state.range(0));
  std::vector<uint64_t> sums;
  for (ChunkEncoder encoder(model); !encoder.done();) {
    sums.push_back(Checksum(encoder.Next().bytes));
  }
  for (auto _ : state) {
    state.PauseTiming();
    ChunkDecoder decoder(FloatTensors(kElements, 0.25f));  // the block has been touched before
    state.ResumeTiming();
    auto sum = sums.begin();
    for (ChunkEncoder encoder(model); !encoder.done();) {
      const TensorChunk chunk = encoder.Next();
      std::vector<std::span<const std::byte>> pieces;
      for (size_t at = 0; at < chunk.bytes.size(); at += piece_bytes) {
        pieces.push_back(chunk.bytes.subspan(at, std::min(piece_bytes, chunk.bytes.size() - at)));
      }
      const absl::Status status = decoder.Add(chunk.offset, pieces, *sum++);
      if (!status.ok()) return state.SkipWithError(Message(status).c_str());
    }
  }
  CountBytes(state, model);
}

BENCHMARK(BM_Memcpy)->UseRealTime();
BENCHMARK(BM_Checksum)->UseRealTime();
BENCHMARK(BM_TransferDigest)->UseRealTime();
BENCHMARK(BM_ModelDigest)->UseRealTime();
BENCHMARK(BM_CopyAndChecksum)->Arg(8191)->Arg(65536)->UseRealTime();

}  // namespace
}  // namespace skein
