#include "strategy/linear/ring_sums.h"

#include <algorithm>
#include <cmath>

#include "strategy/elements.h"
#include "strategy/linear/linear_checks.h"
#include "tensor/release_pages.h"

namespace skein {
namespace {

using Form = LinearInput::Form;

// Integers that are converted at a time.
constexpr size_t kIntegers = 512;

// Calls visit(offset, values) for elements first .. first + count of a tensor, as int64.
template <typename Visit>
void ForIntegers(DType stored, std::span<const std::byte> tensor, uint64_t first, uint64_t count,
                 Visit visit) {
  std::array<int64_t, kIntegers> room;
  for (uint64_t at = 0; at < count; at += kIntegers) {
    const auto values = std::span(room).first(std::min<uint64_t>(kIntegers, count - at));
    LoadInts(stored, tensor, first + at, values);
    visit(at, values);
  }
}

}  // namespace

RingSums::RingSums(const LinearShape& shape, BufferPool& buffers)
    : shape_(&shape),
      block_(shape.ManifestOf(Form::kSums), buffers),
      // All elements are int64, so the packed block is aligned throughout.
      row_(reinterpret_cast<uint64_t*>(block_.mutable_bytes().data())),
      zeroed_(shape.tiles().size()) {
  ForMaxima([&](const Piece& piece) {
    std::fill_n(row_ + piece.element, piece.count, static_cast<uint64_t>(INT64_MIN));
  });
}

PackedTensors RingSums::TakeAsModel() {
  const PackedTensors sums = std::move(block_);
  const std::span<std::byte> model = bytes();
  ReleasePages({model.data() + model.size(), sums.bytes().size() - model.size()});
  return {shape_->model(), model, sums.owner()};
}

template <typename Visit>
void RingSums::ForMaxima(Visit visit) const {
  for (size_t t = 0; t < shape_->model().size(); ++t) {
    if (shape_->RuleOf(t) != ElementRule::kIntegerMax) continue;
    visit(Piece{t, 0, shape_->model()[t].NumElements(), shape_->tiles().start(t)});
  }
}

const std::byte* RingSums::BytesOf(const Piece& piece, const LinearInput& input) const {
  const Manifest& manifest = shape_->ManifestOf(input.form);
  return input.bytes.data() + manifest.offset(piece.tensor) +
         piece.first * SizeOf(manifest[piece.tensor].dtype);
}

// ---- what adds up ----

RingSums::Offenses RingSums::AddTile(size_t tile, Inputs inputs) {
  Offenses offenses;
  const RunMask refused = CombineTile(tile, inputs, Sign::kAdd);
  for (size_t k = 0; k < inputs.size(); ++k) {
    if ((refused >> k & 1) == 0) continue;
    SubtractTile(tile, *inputs[k]);
    shape_->tiles().ForPieces(tile, [&](const Piece& piece) {
      if (!offenses[k] && shape_->RuleOf(piece.tensor) != ElementRule::kIntegerMax) {
        offenses[k] = FindOffense(piece, *inputs[k]);
      }
    });
  }
  return offenses;
}

void RingSums::SubtractTile(size_t tile, const LinearInput& input) {
  const LinearInput* const inputs[] = {&input};
  CombineTile(tile, inputs, Sign::kSubtract);
}

RunMask RingSums::CombineTile(size_t tile, Inputs inputs, Sign sign) {
  RunMask refused = 0;
  const bool first = zeroed_[tile] == 0;
  zeroed_[tile] = 1;
  shape_->tiles().ForPieces(tile, [&](const Piece& piece) {
    if (shape_->RuleOf(piece.tensor) == ElementRule::kIntegerMax) return;
    // Fresh sums are set to zero a chunk before they are added to, while they are in the cache.
    const uint64_t step = first ? kFoldChunk : piece.count;
    for (uint64_t at = 0; at < piece.count; at += step) {
      const Piece chunk{piece.tensor, piece.first + at, std::min(step, piece.count - at),
                        piece.element + at};
      if (first) std::fill_n(row_ + chunk.element, chunk.count, 0);
      refused |= Combine(chunk, inputs, sign);
    }
  });
  return refused;
}

RunMask RingSums::Combine(const Piece& piece, Inputs inputs, Sign sign) {
  if (inputs[0]->form == Form::kSums) return CombineSums(piece, inputs, sign);
  if (shape_->RuleOf(piece.tensor) == ElementRule::kFloat) {
    return CombineFloats(piece, inputs, sign);
  }
  RunMask refused = 0;
  for (size_t k = 0; k < inputs.size(); ++k) {
    refused |= RunMask{CombineIntegers(piece, *inputs[k], sign)} << k;
  }
  return refused;
}

RunMask RingSums::CombineFloats(const Piece& piece, Inputs inputs, Sign sign) {
  const TensorScale& scale = shape_->plan().scales[piece.tensor];
  const bool scaled = shape_->model()[piece.tensor].role == TensorRole::kParameter;
  std::array<FloatRun, kMaxRuns> runs;
  for (size_t k = 0; k < inputs.size(); ++k) {
    auto factor = static_cast<double>(inputs[k]->weight);
    if (scaled) factor *= inputs[k]->scale;
    runs[k] = {BytesOf(piece, *inputs[k]), std::ldexp(factor, scale.scale_bits)};
  }
  const FoldKernels& kernels = shape_->kernels();
  const bool wide = inputs[0]->form == Form::kSubtree;
  const auto add = wide ? kernels.add_floats_wide : kernels.add_floats;
  const auto subtract = wide ? kernels.subtract_floats_wide : kernels.subtract_floats;
  return (sign == Sign::kAdd ? add : subtract)(std::span(runs).first(inputs.size()),
                                               std::ldexp(1.0f, scale.bound_log2),
                                               {row_ + piece.element, piece.count});
}

RunMask RingSums::CombineSums(const Piece& piece, Inputs inputs, Sign sign) {
  std::array<SumRun, kMaxRuns> runs;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const IntRange allowed = shape_->AllowedSums(piece.tensor, *inputs[k]);
    runs[k] = {BytesOf(piece, *inputs[k]), allowed.low, allowed.high};
  }
  const FoldKernels& kernels = shape_->kernels();
  return (sign == Sign::kAdd ? kernels.add_sums : kernels.subtract_sums)(
      std::span(runs).first(inputs.size()), {row_ + piece.element, piece.count});
}

bool RingSums::CombineIntegers(const Piece& piece, const LinearInput& input, Sign sign) {
  const Manifest& manifest = shape_->ManifestOf(input.form);
  const IntRange allowed = shape_->AllowedIntegers(piece.tensor);
  // In the ring, taking out is adding with the negated weight.
  const auto weight = static_cast<uint64_t>(sign == Sign::kAdd ? input.weight : -input.weight);
  const auto tensor = input.bytes.subspan(manifest.offset(piece.tensor));
  bool refused = false;
  ForIntegers(manifest[piece.tensor].dtype, tensor, piece.first, piece.count,
              [&](uint64_t at, std::span<const int64_t> values) {
                uint64_t* sums = row_ + piece.element + at;
                for (size_t i = 0; i < values.size(); ++i) {
                  refused |= !allowed.Contains(values[i]);
                  sums[i] += static_cast<uint64_t>(values[i]) * weight;
                }
              });
  return refused;
}

std::optional<Offense> RingSums::FindOffense(const Piece& piece, const LinearInput& input) const {
  const Manifest& manifest = shape_->ManifestOf(input.form);
  const TensorInfo& stored = manifest[piece.tensor];
  const auto tensor = input.bytes.subspan(manifest.offset(piece.tensor), stored.NumBytes());
  const ElementRange range{piece.first, piece.count};
  std::optional<BadElement> bad;
  if (input.form == Form::kSums) {
    bad = FindBadInteger(stored, tensor, range, shape_->AllowedSums(piece.tensor, input),
                         "beyond what its weight allows");
  } else if (shape_->RuleOf(piece.tensor) == ElementRule::kFloat) {
    bad = FindBadFloat(stored, tensor, range, shape_->plan().scales[piece.tensor].bound_log2);
  } else {
    bad = FindBadInteger(stored, tensor, range, shape_->AllowedIntegers(piece.tensor),
                         "more than can be averaged");
  }
  if (!bad) return std::nullopt;
  return Offense{shape_->tiles().start(piece.tensor) + bad->index, bad->status};
}

// ---- maxima ----

std::optional<Offense> RingSums::CheckMaxima(const LinearInput& input) const {
  std::optional<Offense> offense;
  if (input.form != Form::kSums) return offense;  // an update's types hold nothing else
  ForMaxima([&](const Piece& piece) {
    if (!offense) offense = FindOffense(piece, input);
  });
  return offense;
}

void RingSums::ApplyMaxima(const LinearInput& input) {
  const Manifest& manifest = shape_->ManifestOf(input.form);
  ForMaxima([&](const Piece& piece) {
    const auto tensor = input.bytes.subspan(manifest.offset(piece.tensor));
    ForIntegers(manifest[piece.tensor].dtype, tensor, 0, piece.count,
                [&](uint64_t at, std::span<const int64_t> values) {
                  uint64_t* sums = row_ + piece.element + at;
                  for (size_t i = 0; i < values.size(); ++i) {
                    const int64_t largest = std::max(static_cast<int64_t>(sums[i]), values[i]);
                    sums[i] = static_cast<uint64_t>(largest);
                  }
                });
  });
}

}  // namespace skein
