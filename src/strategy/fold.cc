#include "skein/strategy/fold.h"

#include <algorithm>
#include <cstring>

#include "skein/base/status.h"
#include "strategy/elements.h"

namespace skein {
namespace {

constexpr size_t kChunk = 4096;

absl::StatusOr<Manifest> WithTypes(const Manifest& model, DType for_floats, bool ints_too) {
  std::vector<TensorInfo> tensors = model.tensors();
  for (TensorInfo& info : tensors) {
    if (ints_too || IsFloat(info.dtype)) info.dtype = for_floats;
  }
  return Manifest::Create(std::move(tensors));
}

}  // namespace

absl::StatusOr<Manifest> UpdateManifest(const Manifest& model) {
  return WithTypes(model, DType::kFloat32, false);
}

absl::StatusOr<Manifest> PartialManifest(const Manifest& model) {
  return WithTypes(model, DType::kInt64, true);
}

absl::StatusOr<PackedTensors> DeltaOf(const PackedTensors& local, const PackedTensors& base) {
  SKEIN_RETURN_IF_ERROR(base.manifest().ExpectSame(local.manifest()));
  const Manifest& model = base.manifest();
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, UpdateManifest(model));
  PackedTensors delta(std::move(manifest));
  std::vector<double> x(kChunk), y(kChunk);
  for (size_t t = 0; t < model.size(); ++t) {
    const TensorInfo& info = model[t];
    if (!IsFloat(info.dtype)) {
      std::ranges::copy(local.tensor(t), delta.mutable_tensor(t).begin());
      continue;
    }
    const bool difference = info.role == TensorRole::kParameter;
    for (uint64_t at = 0; at < info.NumElements(); at += kChunk) {
      const size_t count = std::min<uint64_t>(kChunk, info.NumElements() - at);
      x.assign(count, 0);
      y.resize(count);
      LoadDoubles(info.dtype, local.tensor(t), at, y);
      if (difference) LoadDoubles(info.dtype, base.tensor(t), at, x);
      // The difference of two float32 rounds once: it is exact in double but for values that
      // differ by more than 29 binary orders, where the smaller one does not matter.
      for (size_t i = 0; i < count; ++i) y[i] -= x[i];
      StoreDoubles(DType::kFloat32, y, delta.mutable_tensor(t), at);
    }
  }
  return delta;
}

}  // namespace skein
