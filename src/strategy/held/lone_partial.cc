#include "strategy/held/lone_partial.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/linear/integers.h"

namespace skein {
namespace {

constexpr int kMaxScaleBits = 512;
constexpr double kLargest = 0x1p62;

absl::Status Bad(const TensorInfo& info, uint64_t index, const std::string& what) {
  return absl::InvalidArgumentError("tensor '" + info.name + "' has " + what + " at index " +
                                    std::to_string(index));
}

// It arrives over the wire.
absl::Status CheckPlan(const NumericPlan& plan, const Manifest& model) {
  bool sound = plan.scales.size() == model.size() && plan.max_update_weight > 0;
  for (size_t t = 0; sound && t < model.size(); ++t) {
    sound = std::abs(plan.scales[t].scale_bits) <= kMaxScaleBits;
  }
  if (sound) return absl::OkStatus();
  return absl::InvalidArgumentError("the model's numeric plan does not fit its tensors");
}

int ScaleBits(const NumericPlan& plan, size_t tensor) {
  return plan.scales[tensor].scale_bits + std::bit_width(plan.max_update_weight) - 1;
}

}  // namespace

absl::StatusOr<PackedTensors> EncodeLone(std::span<const std::byte> update, const Manifest& model,
                                         const NumericPlan& plan, BufferPool& buffers) {
  SKEIN_RETURN_IF_ERROR(CheckPlan(plan, model));
  SKEIN_ASSIGN_OR_RETURN(const Manifest layout, UpdateManifest(model));
  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, PartialManifest(model));
  PackedTensors partial(std::move(manifest), buffers);
  std::vector<double> floats(kFoldChunk);
  for (size_t t = 0; t < model.size(); ++t) {
    const TensorInfo& info = layout[t];
    const auto from = update.subspan(layout.offset(t), info.NumBytes());
    const double scale = std::ldexp(1.0, IsFloat(info.dtype) ? ScaleBits(plan, t) : 0);
    ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
      if (!IsFloat(info.dtype)) {
        LoadInts(info.dtype, from, at, values);
      } else {
        const auto chunk = std::span(floats).first(values.size());
        LoadDoubles(info.dtype, from, at, chunk);
        for (size_t i = 0; i < values.size(); ++i) {
          const double scaled = std::nearbyint(chunk[i] * scale);
          values[i] = static_cast<int64_t>(std::clamp(scaled, -kLargest, kLargest));
        }
      }
      StoreInts(DType::kInt64, values, partial.mutable_tensor(t), at);
    });
  }
  return partial;
}

absl::StatusOr<PackedTensors> DecodeLone(const PackedTensors& partial, const Manifest& model,
                                         const NumericPlan& plan, BufferPool& buffers) {
  SKEIN_RETURN_IF_ERROR(CheckPlan(plan, model));
  SKEIN_ASSIGN_OR_RETURN(const Manifest expected, PartialManifest(model));
  SKEIN_RETURN_IF_ERROR(expected.ExpectSame(partial.manifest()));
  SKEIN_ASSIGN_OR_RETURN(Manifest layout, UpdateManifest(model));
  PackedTensors update(std::move(layout), buffers);
  std::vector<double> floats(kFoldChunk);
  absl::Status status;
  for (size_t t = 0; t < model.size(); ++t) {
    const TensorInfo& info = update.manifest()[t];
    const double unit = std::ldexp(1.0, IsFloat(info.dtype) ? -ScaleBits(plan, t) : 0);
    const IntRange allowed = RangeOf(info.dtype);
    ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
      LoadInts(DType::kInt64, partial.tensor(t), at, values);
      if (IsFloat(info.dtype)) {
        const auto chunk = std::span(floats).first(values.size());
        for (size_t i = 0; i < values.size(); ++i) {
          chunk[i] = static_cast<double>(values[i]) * unit;
        }
        return StoreDoubles(info.dtype, chunk, update.mutable_tensor(t), at);
      }
      for (size_t i = 0; i < values.size() && status.ok(); ++i) {
        if (allowed.Contains(values[i])) continue;
        status = Bad(info, at + i, std::to_string(values[i]) + ", beyond its type,");
      }
      StoreInts(info.dtype, values, update.mutable_tensor(t), at);
    });
  }
  SKEIN_RETURN_IF_ERROR(status);
  return update;
}

}  // namespace skein
