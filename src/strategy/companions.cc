#include "strategy/companions.h"

#include <algorithm>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"

namespace skein {
namespace {

// How many tensors stand in front of the companions.
size_t CountOwn(const Manifest& manifest) {
  size_t count = manifest.size();
  while (count > 0 && manifest[count - 1].role == TensorRole::kCompanion) --count;
  return count;
}

PackedTensors CopyOf(const PackedTensors& tensors) {
  PackedTensors copy(tensors.manifest());
  std::ranges::copy(tensors.bytes(), copy.mutable_bytes().begin());
  return copy;
}

}  // namespace

std::string CompanionName(const std::string& term, const std::string& parameter) {
  return term + ".c/" + parameter;
}

absl::StatusOr<PackedTensors> WithCompanions(const PackedTensors& model,
                                             const std::vector<NamedTerm>& terms) {
  std::vector<TensorInfo> tensors = model.manifest().tensors();
  for (const NamedTerm& named : terms) {
    if (!named.term->has_companion) continue;
    for (const TensorInfo& info : model.manifest().tensors()) {
      if (info.role != TensorRole::kParameter || !IsFloat(info.dtype)) continue;
      tensors.push_back({CompanionName(named.name, info.name), DType::kFloat32, info.shape,
                         TensorRole::kCompanion});
    }
  }
  if (tensors.size() == model.manifest().size()) return model;
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, Manifest::Create(std::move(tensors)));
  PackedTensors result(std::move(manifest));
  const std::span<std::byte> bytes = result.mutable_bytes();
  std::fill(std::ranges::copy(model.bytes(), bytes.begin()).out, bytes.end(), std::byte{0});
  return result;
}

PackedTensors WithoutCompanions(const PackedTensors& tensors) {
  const Manifest& manifest = tensors.manifest();
  const size_t own = CountOwn(manifest);
  if (own == manifest.size()) return tensors;
  const auto& all = manifest.tensors();
  auto front = Manifest::Create({all.begin(), all.begin() + static_cast<std::ptrdiff_t>(own)});
  const uint64_t bytes = front->total_bytes();
  return PackedTensors(*std::move(front), tensors.bytes().first(bytes), tensors.owner());
}

absl::StatusOr<PackedTensors> WithCompanionShare(const PackedTensors& base, PackedTensors next,
                                                 double share) {
  SKEIN_RETURN_IF_ERROR(base.manifest().ExpectSame(next.manifest()));
  const size_t own = CountOwn(base.manifest());
  if (own == base.manifest().size() || share == 1) return next;
  if (next.mutable_bytes().empty()) next = CopyOf(next);
  std::vector<double> before(kFoldChunk);
  for (size_t t = own; t < base.manifest().size(); ++t) {
    const TensorInfo& info = base.manifest()[t];
    const std::span<std::byte> out = next.mutable_tensor(t);
    ForChunks<double>(info, [&](uint64_t at, std::span<double> c) {
      const auto x = std::span(before).first(c.size());
      LoadDoubles(info.dtype, base.tensor(t), at, x);
      LoadDoubles(info.dtype, out, at, c);
      for (size_t i = 0; i < c.size(); ++i) c[i] = x[i] + share * (c[i] - x[i]);
      StoreDoubles(info.dtype, c, out, at);
    });
  }
  return next;
}

}  // namespace skein
