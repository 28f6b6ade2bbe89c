#include "skein/strategy/fold.h"

#include <algorithm>
#include <span>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"

namespace skein {
namespace {

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
  std::vector<double> base_values(kFoldChunk);
  for (size_t t = 0; t < model.size(); ++t) {
    const TensorInfo& info = model[t];
    if (!IsFloat(info.dtype)) {
      std::ranges::copy(local.tensor(t), delta.mutable_tensor(t).begin());
      continue;
    }
    const bool difference = info.role == TensorRole::kParameter;
    const std::span<std::byte> out = delta.mutable_tensor(t);
    ForChunks<double>(info, [&](uint64_t at, std::span<double> y) {
      LoadDoubles(info.dtype, local.tensor(t), at, y);
      if (difference) {
        const auto x = std::span(base_values).first(y.size());
        LoadDoubles(info.dtype, base.tensor(t), at, x);
        // For float32 this equals the float32 difference: a double has more than twice its digits
        // and two, so that rounding to double first changes nothing (Figueroa 1995).
        for (size_t i = 0; i < y.size(); ++i) y[i] -= x[i];
      }
      StoreDoubles(DType::kFloat32, y, out, at);
    });
  }
  return delta;
}

}  // namespace skein
