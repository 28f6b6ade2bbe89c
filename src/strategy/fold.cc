#include "skein/strategy/fold.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/delta_in_place.h"
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

// The common case without the way through doubles, whose digits would change nothing: a double has
// more than twice those of a float and two, so that rounding to it first is innocuous (Figueroa
// 1995). Tensors may lie unaligned.
void FloatDelta(std::span<const std::byte> local, std::span<const std::byte> base,
                std::span<std::byte> out) {
  for (size_t at = 0; at < out.size(); at += sizeof(float)) {
    float y = 0;
    float x = 0;
    std::memcpy(&y, local.data() + at, sizeof(float));
    std::memcpy(&x, base.data() + at, sizeof(float));
    y -= x;
    std::memcpy(out.data() + at, &y, sizeof(float));
  }
}

// The update's tensors into `delta`. It may lie over the local model's, no tensor behind its own.
void WriteDelta(const TensorViews& local, const PackedTensors& base, const Manifest& update,
                std::span<std::byte> delta) {
  const Manifest& model = base.manifest();
  std::vector<double> base_values(kFoldChunk);
  for (size_t t = 0; t < model.size(); ++t) {
    const TensorInfo& info = model[t];
    const std::span<std::byte> out = delta.subspan(update.offset(t), update[t].NumBytes());
    const bool difference = IsFloat(info.dtype) && info.role != TensorRole::kBuffer;
    if (!difference && info.dtype == update[t].dtype) {
      std::ranges::copy(local.tensor(t), out.begin());
      continue;
    }
    if (info.dtype == DType::kFloat32) {
      FloatDelta(local.tensor(t), base.tensor(t), out);
      continue;
    }
    ForChunks<double>(info, [&](uint64_t at, std::span<double> y) {
      LoadDoubles(info.dtype, local.tensor(t), at, y);
      if (difference) {
        const auto x = std::span(base_values).first(y.size());
        LoadDoubles(info.dtype, base.tensor(t), at, x);
        for (size_t i = 0; i < y.size(); ++i) y[i] -= x[i];
      }
      StoreDoubles(DType::kFloat32, y, out, at);
    });
  }
}

// Folds at once when everything is there.
template <typename Header>
class WholeIntake : public Intake {
 public:
  using Fold = absl::Status (Accumulator::*)(const Header&, const PackedTensors&);
  WholeIntake(Accumulator& accumulator, Fold fold, const Header& header,
              const PackedTensors& staged)
      : accumulator_(accumulator), fold_(fold), header_(header), staged_(staged) {}

  absl::Status Advance(uint64_t) override { return absl::OkStatus(); }
  absl::Status Complete() override {
    if (std::exchange(completed_, true)) {
      return absl::FailedPreconditionError("the contribution is already counted");
    }
    return (accumulator_.*fold_)(header_, staged_);
  }

 private:
  Accumulator& accumulator_;
  const Fold fold_;
  const Header header_;
  const PackedTensors& staged_;  // a copy would share the block, which is still being written
  bool completed_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Intake>> Accumulator::Begin(const UpdateHeader& header,
                                                           const PackedTensors& staged) {
  return std::make_unique<WholeIntake<UpdateHeader>>(*this, &Accumulator::Add, header, staged);
}

absl::StatusOr<std::unique_ptr<Intake>> Accumulator::Begin(const PartialHeader& header,
                                                           const PackedTensors& staged) {
  return std::make_unique<WholeIntake<PartialHeader>>(*this, &Accumulator::Merge, header, staged);
}

absl::StatusOr<Manifest> Accumulator::PartialLayout() const {
  return absl::UnimplementedError("this aggregation makes no passes");
}

absl::Status Accumulator::BeginPass(const PackedTensors&) {
  return absl::UnimplementedError("this aggregation makes no passes");
}

std::unique_ptr<Accumulator> Fold::NewPassAccumulator(const Manifest&, const NumericPlan&, uint64_t,
                                                      std::shared_ptr<BufferPool>) const {
  return nullptr;
}

absl::StatusOr<Partial> Accumulator::TakeFirst() {
  return absl::UnimplementedError("the fold does not keep what was added apart");
}

absl::StatusOr<Manifest> UpdateManifest(const Manifest& model) {
  return WithTypes(model, DType::kFloat32, false);
}

absl::StatusOr<Manifest> PartialManifest(const Manifest& model) {
  return WithTypes(model, DType::kInt64, true);
}

absl::StatusOr<PackedTensors> Fold::Mix(const PackedTensors& current,
                                        std::span<const MixPart> parts,
                                        ServerOptimizer& optimizer) const {
  if (parts.size() == 1 && parts[0].base == nullptr && parts[0].coefficient == 1) {
    return parts[0].sums->Finish(current, optimizer);
  }
  return absl::UnimplementedError("the fold cannot mix updates of different bases");
}

absl::StatusOr<PackedTensors> DeltaOf(const TensorViews& local, const PackedTensors& base) {
  BufferPool buffers;
  return DeltaOf(local, base, buffers);
}

absl::StatusOr<PackedTensors> DeltaOf(const TensorViews& local, const PackedTensors& base,
                                      BufferPool& buffers) {
  SKEIN_RETURN_IF_ERROR(base.manifest().ExpectSame(local.manifest()));
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, UpdateManifest(base.manifest()));
  PackedTensors delta(std::move(manifest), buffers);
  WriteDelta(local, base, delta.manifest(), delta.mutable_bytes());
  return delta;
}

absl::StatusOr<PackedTensors> DeltaInPlace(TensorViews local, const PackedTensors& base,
                                           std::shared_ptr<std::byte> block) {
  SKEIN_RETURN_IF_ERROR(base.manifest().ExpectSame(local.manifest()));
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, UpdateManifest(base.manifest()));
  const std::span<std::byte> bytes(block.get(), manifest.total_bytes());
  WriteDelta(local, base, manifest, bytes);
  return PackedTensors(std::move(manifest), bytes, std::move(block));
}

}  // namespace skein
