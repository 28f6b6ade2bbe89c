#include "micro/fold_model.h"

#include <cstring>
#include <vector>

#include "strategy/linear/linear_fold.h"

namespace skein {
namespace {

constexpr uint64_t kSamples = 600;

}  // namespace

Manifest FloatModel(size_t elements) {
  auto manifest = Manifest::Create({{"w", DType::kFloat32, {static_cast<int64_t>(elements)}}});
  return manifest.ok() ? *std::move(manifest) : Manifest();
}

PackedTensors FloatTensors(size_t elements, float value) {
  PackedTensors tensors(FloatModel(elements));
  const std::vector<float> values(elements, value);
  std::memcpy(tensors.mutable_bytes().data(), values.data(), tensors.bytes().size());
  return tensors;
}

void Memcpy(benchmark::State& state, size_t elements) {
  const PackedTensors from = FloatTensors(elements, 0.5f);
  PackedTensors to = FloatTensors(elements, 0.25f);
  const std::span<std::byte> out = to.mutable_bytes();
  for (auto _ : state) {
    std::memcpy(out.data(), from.bytes().data(), out.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * out.size()));
}

UpdateHeader SampleHeader() {
  UpdateHeader header;
  header.num_samples = kSamples;
  return header;
}

std::unique_ptr<Accumulator> MeanAccumulator(size_t elements) {
  const auto fold =
      MakeLinearFold({.weight = [](const UpdateHeader& header) { return header.num_samples; },
                      .max_weight = [](uint64_t max_samples) { return max_samples; }});
  const NumericPlan plan{.max_update_weight = kSamples,
                         .max_total_weight = uint64_t{1} << 40,
                         .scales = {{.scale_bits = 16, .bound_log2 = 6}}};
  return fold->NewAccumulator(FloatModel(elements), plan);
}

}  // namespace skein
