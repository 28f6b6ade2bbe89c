// Codecs of links: an update encoded as its sender does and decoded as its parent does, beside a
// copy. bytes_per_second is of float32 values, `ratio` what is sent of them.

#include <cstring>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "micro/fold_model.h"
#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/builtins/codecs.h"

namespace skein {
namespace {

constexpr size_t kElements = 10'000'000;

// Normal values, none of them twice, which a compressor would find.
PackedTensors Update() {
  PackedTensors update = FloatTensors(kElements, 0);
  const std::span<std::byte> bytes = update.mutable_bytes();
  Rng rng(1);
  for (size_t at = 0; at < bytes.size(); at += sizeof(float)) {
    const auto value = static_cast<float>(0.01 * rng.Normal());
    std::memcpy(bytes.data() + at, &value, sizeof(value));
  }
  return update;
}

std::shared_ptr<const CodecPipeline> Pipeline(const std::vector<PartSpec>& parts) {
  CodecRegistry registry("codec");
  RegisterBuiltinCodecs(registry);
  return *MakePipeline(registry, parts);
}

void BM_Memcpy(benchmark::State& state) { Memcpy(state, kElements); }

void BM_Encode(benchmark::State& state, const std::vector<PartSpec>& parts) {
  const auto pipeline = Pipeline(parts);
  const PackedTensors update = Update();
  BufferPool buffers;
  CodecState errors(update.manifest());
  size_t size = 0;
  CodecContext context;
  for (auto _ : state) {
    ++context.round;
    const auto encoded = pipeline->Encode(update, context, buffers, &errors);
    if (!encoded.ok()) return state.SkipWithError(Message(encoded.status()).c_str());
    size = encoded->bytes.size();
    if (errors.pending()) benchmark::DoNotOptimize(errors.Commit());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kElements * sizeof(float)));
  state.counters["ratio"] = static_cast<double>(size) / (kElements * sizeof(float));
}

void BM_Decode(benchmark::State& state, const std::vector<PartSpec>& parts) {
  const auto pipeline = Pipeline(parts);
  const PackedTensors update = Update();
  BufferPool buffers;
  CodecState errors(update.manifest());
  const auto encoded = pipeline->Encode(update, {}, buffers, &errors);
  if (!encoded.ok()) return state.SkipWithError(Message(encoded.status()).c_str());
  for (auto _ : state) {
    const auto decoded = pipeline->Decode(encoded->bytes, update.manifest(), buffers);
    if (!decoded.ok()) return state.SkipWithError(Message(decoded.status()).c_str());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kElements * sizeof(float)));
}

// Each by the name that specs have for it.
const std::vector<PartSpec> fp16 = {{"fp16"}};
const std::vector<PartSpec> bf16 = {{"bf16"}};
const std::vector<PartSpec> int8 = {{"int8"}};
const std::vector<PartSpec> int4 = {{"int4"}};
const std::vector<PartSpec> topk = {{"topk", {{"ratio", 0.01}}}};
const std::vector<PartSpec> randomk = {{"randomk", {{"ratio", 0.01}}}};
const std::vector<PartSpec> int4_zstd = {{"int4"}, {"zstd"}};
const std::vector<PartSpec> int8_zstd = {{"int8"}, {"zstd"}};
const std::vector<PartSpec> topk_int8_zstd = {{"topk", {{"ratio", 0.01}}}, {"int8"}, {"zstd"}};

BENCHMARK(BM_Memcpy)->UseRealTime();
#define SKEIN_CODEC_BENCH_(parts)                            \
  BENCHMARK_CAPTURE(BM_Encode, parts, parts)->UseRealTime(); \
  BENCHMARK_CAPTURE(BM_Decode, parts, parts)->UseRealTime();
SKEIN_CODEC_BENCH_(fp16)
SKEIN_CODEC_BENCH_(bf16)
SKEIN_CODEC_BENCH_(int8)
SKEIN_CODEC_BENCH_(int4)
SKEIN_CODEC_BENCH_(topk)
SKEIN_CODEC_BENCH_(randomk)
SKEIN_CODEC_BENCH_(int4_zstd)
SKEIN_CODEC_BENCH_(int8_zstd)
SKEIN_CODEC_BENCH_(topk_int8_zstd)
#undef SKEIN_CODEC_BENCH_

}  // namespace
}  // namespace skein
