#include "strategy/passes/pass_holder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/distances.h"
#include "strategy/held/term_sums.h"
#include "strategy/trimmed_mean/kept_values.h"

namespace skein {
namespace {

// Calls visit(piece, at, count, row) for some elements at a time of the pieces of an update, where
// row(k, values) loads those of update k: floats as their bits, or integers.
class Reader {
 public:
  Reader(HeldUpdates::View view, const Manifest& layout)
      : view_(std::move(view)), layout_(layout) {}
  size_t updates() const { return view_.size(); }
  const HeldFrom& from(size_t update) const { return view_.from(update); }

  template <typename Visit>
  void ForEach(const PassScope& scope, Visit visit) {
    for (const PassScope::Piece& piece : scope.pieces()) {
      const size_t width = SizeOf(layout_[piece.tensor].dtype);
      for (uint64_t at = 0; at < piece.count; at += kFoldChunk) {
        const auto count = static_cast<size_t>(std::min<uint64_t>(kFoldChunk, piece.count - at));
        visit(piece, at, count);
        view_.Passed(layout_.offset(piece.tensor) + (at + count) * width);
      }
    }
  }
  std::span<const int32_t> Floats(size_t update, const PassScope::Piece& piece, uint64_t at,
                                  size_t count) {
    floats_.resize(count);
    std::memcpy(floats_.data(), TensorOf(update, piece).data() + at * sizeof(float),
                count * sizeof(float));
    return floats_;
  }
  std::span<const int64_t> Integers(size_t update, const PassScope::Piece& piece, uint64_t at,
                                    size_t count) {
    integers_.resize(count);
    LoadInts(layout_[piece.tensor].dtype, TensorOf(update, piece), at, integers_);
    return integers_;
  }

 private:
  std::span<const std::byte> TensorOf(size_t update, const PassScope::Piece& piece) const {
    return view_.bytes(update).subspan(layout_.offset(piece.tensor),
                                       layout_[piece.tensor].NumBytes());
  }

  HeldUpdates::View view_;
  const Manifest& layout_;
  std::vector<int32_t> floats_;
  std::vector<int64_t> integers_;
};

void Store(PackedTensors& answer, size_t tensor, uint64_t at, std::span<const int64_t> values) {
  StoreInts(answer.manifest()[tensor].dtype, values, answer.mutable_tensor(tensor), at);
}

void StoreBits(PackedTensors& answer, size_t tensor, uint64_t at, double value) {
  const auto bits = std::bit_cast<int64_t>(value);
  Store(answer, tensor, at, {&bits, 1});
}

PackedTensors Zeros(Manifest manifest, BufferPool& buffers) {
  PackedTensors tensors(std::move(manifest), buffers);
  std::ranges::fill(tensors.mutable_bytes(), std::byte{0});
  return tensors;
}

}  // namespace

absl::StatusOr<PackedTensors> PassHolder::Introduce(BufferPool& buffers) const {
  const Manifest& layout = updates_.layout();
  PackedTensors answer = Zeros(AnswerLayout(nullptr, layout, workers_), buffers);
  if (updates_.size() == 0) return answer;
  SKEIN_ASSIGN_OR_RETURN(const std::vector<double> largest, LargestAveraged(updates_, buffers));
  const std::vector<HeldFrom> from = updates_.From();
  for (size_t k = 0; k < from.size(); ++k) {
    if (from[k].leaf >= workers_) return absl::InvalidArgumentError("its leaf is not in the tree");
    const std::array<int64_t, 2> of_leaf = {1, static_cast<int64_t>(from[k].samples)};
    Store(answer, kLeaves, from[k].leaf, {of_leaf.data(), 1});
    Store(answer, kSamples, from[k].leaf, {of_leaf.data() + 1, 1});
    StoreBits(answer, kLargest, from[k].leaf, largest[k]);
  }
  return answer;
}

absl::StatusOr<PackedTensors> PassHolder::Answer(const PassQuery& query, BufferPool& buffers) {
  const Manifest& layout = updates_.layout();
  const PassScope scope(layout, query.over);
  PackedTensors answer = Zeros(AnswerLayout(&query, layout, workers_), buffers);
  switch (query.kind) {
    case PassQuery::Kind::kCounts:
      SKEIN_RETURN_IF_ERROR(FollowRanks(query, scope));
      if (updates_.size() > 0) SKEIN_RETURN_IF_ERROR(Count(scope, answer));
      break;
    case PassQuery::Kind::kBetween:
      SKEIN_RETURN_IF_ERROR(FollowRanks(query, scope));
      if (updates_.size() > 0) SKEIN_RETURN_IF_ERROR(AddBetween(query, scope, answer));
      break;
    case PassQuery::Kind::kSums:
      if (query.weights.size() != workers_) {
        return absl::InvalidArgumentError("there is not a weight for each worker");
      }
      if (updates_.size() > 0) SKEIN_RETURN_IF_ERROR(AddSums(query, scope, answer));
      break;
    case PassQuery::Kind::kDistances:
      if (updates_.size() > 0) SKEIN_RETURN_IF_ERROR(Measure(query, answer, buffers));
      break;
  }
  return answer;
}

absl::Status PassHolder::FollowRanks(const PassQuery& query, const PassScope& scope) {
  if (query.begins) {
    prefixes_.emplace(scope.floats(), scope.integers(), query.searches);
    return absl::OkStatus();
  }
  if (!prefixes_ || prefixes_->searches() != query.searches) {
    return absl::InvalidArgumentError("digits come before what they go on from");
  }
  SKEIN_RETURN_IF_ERROR(prefixes_->Extend(query.digits));
  if (prefixes_->complete() == (query.kind == PassQuery::Kind::kBetween)) return absl::OkStatus();
  return absl::InvalidArgumentError("the values between ranks are asked for before or after these");
}

absl::Status PassHolder::Count(const PassScope& scope, PackedTensors& answer) const {
  const Manifest& layout = updates_.layout();
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates_.Open());
  Reader reader(std::move(view), layout);
  const int known = prefixes_->steps();
  const int searches = prefixes_->searches();
  std::vector<uint32_t> counts[2][3];  // as wide as the keys of floats, which are the many
  std::vector<int64_t> stored;
  reader.ForEach(scope, [&](const PassScope::Piece& piece, uint64_t at, size_t count) {
    const int digits = piece.floats ? 1 : 3;
    for (int s = 0; s < searches; ++s) {
      for (int d = 0; d < digits; ++d) counts[s][d].assign(count, 0);
    }
    for (size_t k = 0; k < reader.updates(); ++k) {
      if (piece.floats) {
        const auto values = reader.Floats(k, piece, at, count);
        for (int s = 0; s < searches; ++s) {
          const uint32_t* const prefix = prefixes_->floats(s).data() + piece.first + at;
          uint32_t* const zeros = counts[s][0].data();
          for (size_t i = 0; i < count; ++i) {
            zeros[i] += KeyOf(values[i]) >> (31 - known) == prefix[i] << 1 ? 1u : 0u;
          }
        }
        continue;
      }
      const auto values = reader.Integers(k, piece, at, count);
      for (int s = 0; s < searches; ++s) {
        const uint64_t* const prefix = prefixes_->integers(s).data() + piece.first + at;
        for (size_t i = 0; i < count; ++i) {
          const uint64_t begins = KeyOf(values[i]) >> (62 - 2 * known);
          for (uint64_t d = 0; d < 3; ++d) counts[s][d][i] += begins == prefix[i] * 4 + d ? 1u : 0u;
        }
      }
    }
    for (uint64_t s = 0; s < static_cast<uint64_t>(searches); ++s) {
      for (uint64_t d = 0; d < static_cast<uint64_t>(digits); ++d) {
        const uint64_t row = piece.floats ? s * scope.floats() : (s * 3 + d) * scope.integers();
        stored.assign(counts[s][d].begin(), counts[s][d].end());
        Store(answer, piece.floats ? kFloatCounts : kIntegerCounts, row + piece.first + at, stored);
      }
    }
  });
  return absl::OkStatus();
}

absl::Status PassHolder::AddBetween(const PassQuery& query, const PassScope& scope,
                                    PackedTensors& answer) const {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates_.Open());
  Reader reader(std::move(view), updates_.layout());
  const int last = prefixes_->searches() - 1;
  reader.ForEach(scope, [&](const PassScope::Piece& piece, uint64_t at, size_t count) {
    const uint64_t first = piece.first + at;
    std::vector<int64_t> sums(count);
    std::vector<int64_t> high(count);
    std::vector<int64_t> counts(count);
    if (piece.floats) {
      const auto low_keys = prefixes_->floats(0).subspan(first, count);
      const auto high_keys = prefixes_->floats(last).subspan(first, count);
      std::vector<double> factors(count);
      for (size_t i = 0; i < count; ++i) {
        factors[i] = std::ldexp(
            1.0, KeptScaleBits(FloatOfKey(low_keys[i]), FloatOfKey(high_keys[i]), query.kept));
      }
      for (size_t k = 0; k < reader.updates(); ++k) {
        const auto values = reader.Floats(k, piece, at, count);
        for (size_t i = 0; i < count; ++i) {
          const uint32_t key = KeyOf(values[i]);
          if (key <= low_keys[i] || key >= high_keys[i]) continue;
          sums[i] += TermOf(std::bit_cast<float>(values[i]), factors[i]);
          ++counts[i];
        }
      }
      Store(answer, kBetweenSums, first, sums);
      return Store(answer, kBetweenCounts, first, counts);
    }
    const auto low_keys = prefixes_->integers(0).subspan(first, count);
    const auto high_keys = prefixes_->integers(last).subspan(first, count);
    for (size_t k = 0; k < reader.updates(); ++k) {
      const auto values = reader.Integers(k, piece, at, count);
      for (size_t i = 0; i < count; ++i) {
        const uint64_t key = KeyOf(values[i]);
        if (key <= low_keys[i] || key >= high_keys[i]) continue;
        sums[i] += values[i] & 0xffffffff;
        high[i] += values[i] >> 32;
        ++counts[i];
      }
    }
    Store(answer, kBetweenLow, first, sums);
    Store(answer, kBetweenHigh, first, high);
    Store(answer, kBetweenIntegers, first, counts);
  });
  return absl::OkStatus();
}

absl::Status PassHolder::AddSums(const PassQuery& query, const PassScope& scope,
                                 PackedTensors& answer) const {
  SKEIN_ASSIGN_OR_RETURN(HeldUpdates::View view, updates_.Open());
  Reader reader(std::move(view), updates_.layout());
  std::vector<double> factors;
  for (size_t k = 0; k < reader.updates(); ++k) {
    factors.push_back(std::ldexp(query.weights[reader.from(k).leaf], query.scale_bits));
  }
  reader.ForEach(scope, [&](const PassScope::Piece& piece, uint64_t at, size_t count) {
    if (!piece.floats) return;
    std::vector<int64_t> sums(count);
    for (size_t k = 0; k < reader.updates(); ++k) {
      AddTerms(reader.Floats(k, piece, at, count), factors[k], sums);
    }
    Store(answer, 0, piece.first + at, sums);
  });
  return absl::OkStatus();
}

absl::Status PassHolder::Measure(const PassQuery& query, PackedTensors& answer,
                                 BufferPool& buffers) const {
  SKEIN_ASSIGN_OR_RETURN(const std::vector<double> distances,
                         SquaredDistancesTo(updates_, query.point, buffers));
  const std::vector<HeldFrom> from = updates_.From();
  for (size_t k = 0; k < from.size(); ++k) StoreBits(answer, 0, from[k].leaf, distances[k]);
  return absl::OkStatus();
}

}  // namespace skein
