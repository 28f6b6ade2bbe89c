#include "testing/fold_samples.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "skein/base/status.h"
#include "strategy/elements.h"

namespace skein::testing {
namespace {

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "a sample for tests is wrong: %s\n", Message(value.status()).c_str());
    std::abort();
  }
  return *std::move(value);
}

absl::StatusOr<Partial> FoldSubtree(const Fold& fold, const Manifest& model,
                                    const NumericPlan& plan, std::vector<SampleUpdate> updates,
                                    int depth, Rng& rng) {
  rng.Shuffle(updates);
  auto accumulator = fold.NewAccumulator(model, plan);
  if (depth == 1) {
    for (const SampleUpdate& update : updates) {
      SKEIN_RETURN_IF_ERROR(accumulator->Add(update.header, update.tensors));
    }
    return accumulator->TakePartial();
  }
  // Some children may stay without updates; they have nothing to say.
  std::vector<std::vector<SampleUpdate>> children(1 + rng.Below(4));
  for (SampleUpdate& update : updates) {
    children[rng.Below(children.size())].push_back(std::move(update));
  }
  for (const auto& child : children) {
    if (child.empty()) continue;
    SKEIN_ASSIGN_OR_RETURN(const Partial partial,
                           FoldSubtree(fold, model, plan, child, depth - 1, rng));
    SKEIN_RETURN_IF_ERROR(accumulator->Merge(HeaderOf(partial, child), partial.sums));
  }
  return accumulator->TakePartial();
}

}  // namespace

Manifest MakeManifest(std::vector<TensorInfo> tensors) {
  return OrDie(Manifest::Create(std::move(tensors)));
}

Manifest MixedManifest() {
  using enum DType;
  constexpr auto kBuffer = TensorRole::kBuffer;
  return MakeManifest({{"mask", kBool, {3}, kBuffer},
                       {"conv.weight", kFloat32, {5, 3, 2}},
                       {"levels", kUint8, {5}, kBuffer},
                       {"conv.bias", kFloat32, {}},
                       {"steps", kInt64, {}, kBuffer},
                       {"signs", kInt8, {3}, kBuffer},
                       {"running_mean", kFloat32, {7}, kBuffer},
                       {"half", kFloat16, {9}},
                       {"brain", kBFloat16, {5}},
                       {"nothing", kFloat32, {0, 4}},
                       {"counts16", kInt16, {2, 2}, kBuffer},
                       {"double", kFloat64, {11}},
                       {"double_buffer", kFloat64, {2}, kBuffer},
                       {"counts32", kInt32, {3}, kBuffer},
                       {"fc.weight", kFloat32, {2, 4999}}});
}

double ValueAt(const PackedTensors& tensors, size_t tensor, uint64_t index) {
  const DType dtype = tensors.manifest()[tensor].dtype;
  if (IsFloat(dtype)) {
    double value = 0;
    LoadDoubles(dtype, tensors.tensor(tensor), index, {&value, 1});
    return value;
  }
  int64_t value = 0;
  LoadInts(dtype, tensors.tensor(tensor), index, {&value, 1});
  return static_cast<double>(value);
}

void SetValue(PackedTensors& tensors, size_t tensor, uint64_t index, double value) {
  const DType dtype = tensors.manifest()[tensor].dtype;
  if (IsFloat(dtype)) {
    StoreDoubles(dtype, {&value, 1}, tensors.mutable_tensor(tensor), index);
    return;
  }
  const auto integer = static_cast<int64_t>(value);
  StoreInts(dtype, {&integer, 1}, tensors.mutable_tensor(tensor), index);
}

PackedTensors Filled(const Manifest& manifest,
                     const std::function<double(size_t, uint64_t)>& value) {
  PackedTensors tensors(manifest);
  for (size_t t = 0; t < manifest.size(); ++t) {
    for (uint64_t i = 0; i < manifest[t].NumElements(); ++i) SetValue(tensors, t, i, value(t, i));
  }
  return tensors;
}

PackedTensors Copied(const PackedTensors& tensors) {
  PackedTensors copy(tensors.manifest());
  std::ranges::copy(tensors.bytes(), copy.mutable_bytes().begin());
  return copy;
}

bool SameBytes(const PackedTensors& a, const PackedTensors& b) {
  return a.manifest() == b.manifest() && std::ranges::equal(a.bytes(), b.bytes());
}

PackedTensors RandomModel(const Manifest& manifest, double spread, Rng& rng) {
  return Filled(manifest, [&](size_t t, uint64_t) {
    const DType dtype = manifest[t].dtype;
    if (dtype == DType::kBool) return static_cast<double>(rng.Below(2));
    return IsFloat(dtype) ? spread * rng.Normal() : static_cast<double>(rng.Below(100));
  });
}

std::vector<SampleUpdate> RandomUpdates(const PackedTensors& base, size_t count,
                                        uint64_t max_samples, double spread, Rng& rng) {
  std::vector<SampleUpdate> updates;
  for (size_t k = 0; k < count; ++k) {
    PackedTensors local = RandomModel(base.manifest(), spread, rng);
    for (size_t t = 0; t < base.manifest().size(); ++t) {
      const TensorInfo& info = base.manifest()[t];
      if (!IsFloat(info.dtype)) continue;
      for (uint64_t i = 0; i < info.NumElements(); ++i) {
        SetValue(local, t, i, ValueAt(base, t, i) + ValueAt(local, t, i));
      }
    }
    UpdateHeader header;
    header.leaf = static_cast<LeafIndex>(k);
    header.seq = k + 1;
    header.num_samples = 1 + rng.Below(max_samples);
    updates.push_back({header, OrDie(DeltaOf(local, base))});
  }
  return updates;
}

PartialHeader HeaderOf(const Partial& partial, const std::vector<SampleUpdate>& updates) {
  PartialHeader header;
  header.total_weight = partial.total_weight;
  header.scalars = partial.scalars;
  std::vector<LeafIndex> leaves;
  for (const SampleUpdate& update : updates) {
    leaves.push_back(update.header.leaf);
    header.num_samples += update.header.num_samples;
  }
  header.roster = Roster::Of(std::move(leaves));
  header.updates = updates.size();
  return header;
}

absl::StatusOr<Partial> FoldInRandomTree(const Fold& fold, const Manifest& model,
                                         const NumericPlan& plan,
                                         const std::vector<SampleUpdate>& updates, int depth,
                                         Rng& rng) {
  return FoldSubtree(fold, model, plan, updates, depth, rng);
}

}  // namespace skein::testing
