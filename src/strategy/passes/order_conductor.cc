#include "strategy/passes/order_conductor.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/step_writer.h"
#include "strategy/held/term_sums.h"
#include "strategy/passes/medians.h"
#include "strategy/passes/rank_search.h"
#include "strategy/trimmed_mean/kept_values.h"

namespace skein {
namespace {

class MedianConductor : public PassConductor {
 public:
  explicit MedianConductor(const Manifest& update) : scope_(update, PassOver::kAll) {}

  absl::StatusOr<std::optional<PassQuery>> Begin(const PassCast& cast) override {
    search_.emplace(scope_, PassOver::kAll, cast.members.size(), MiddleRanks(cast.members.size()));
    return search_->First();
  }
  absl::StatusOr<std::optional<PassQuery>> Next(const PackedTensors& answer) override {
    return search_->Next(answer);
  }
  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base, ServerOptimizer& optimizer,
                                       BufferPool& buffers) const override {
    StepWriter step(base, optimizer, buffers);
    for (const PassScope::Piece& piece : scope_.pieces()) WriteMedians(*search_, piece, step);
    return step.Take();
  }

 private:
  const PassScope scope_;
  std::optional<RankSearch> search_;
};

class TrimmedConductor : public PassConductor {
 public:
  TrimmedConductor(const Trim& trim, const Manifest& update)
      : trim_(trim), scope_(update, PassOver::kAll) {}

  absl::StatusOr<std::optional<PassQuery>> Begin(const PassCast& cast) override {
    contributions_ = cast.members.size();
    cut_ = trim_.Of(contributions_);
    std::vector<uint64_t> ranks = {cut_};
    if (contributions_ - 1 - cut_ != cut_) ranks.push_back(contributions_ - 1 - cut_);
    search_.emplace(scope_, PassOver::kAll, contributions_, std::move(ranks));
    return search_->First();
  }
  absl::StatusOr<std::optional<PassQuery>> Next(const PackedTensors& answer) override {
    if (searched_) {
      between_ = answer;
      return std::nullopt;
    }
    SKEIN_ASSIGN_OR_RETURN(std::optional<PassQuery> next, search_->Next(answer));
    if (next) return next;
    searched_ = true;
    PassQuery between = search_->First();
    between.kind = PassQuery::Kind::kBetween;
    between.begins = false;
    between.kept = kept();
    between.digits = search_->TakeDigits();
    return between;
  }
  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base, ServerOptimizer& optimizer,
                                       BufferPool& buffers) const override {
    StepWriter step(base, optimizer, buffers);
    for (const PassScope::Piece& piece : scope_.pieces()) {
      for (uint64_t at = 0; at < piece.count; at += kFoldChunk) {
        const auto count = static_cast<size_t>(std::min<uint64_t>(kFoldChunk, piece.count - at));
        SKEIN_RETURN_IF_ERROR(piece.floats ? WriteFloats(piece, at, count, step)
                                           : WriteIntegers(piece, at, count, step));
      }
    }
    return step.Take();
  }

 private:
  uint64_t kept() const { return contributions_ - 2 * cut_; }

  std::vector<int64_t> Between(size_t tensor, uint64_t at, size_t count) const {
    std::vector<int64_t> values(count);
    LoadInts(between_.manifest()[tensor].dtype, between_.tensor(tensor), at, values);
    return values;
  }

  // How many of the values that equal the lower one are kept, and of those that equal the higher.
  struct AtEnds {
    uint64_t low = 0;
    uint64_t high = 0;
  };
  absl::StatusOr<AtEnds> EndsOf(RankSearch::Group low, bool same, int64_t between) const {
    if (same) return AtEnds{kept(), 0};
    const uint64_t of_low = low.size - low.place;
    const uint64_t inside = of_low + static_cast<uint64_t>(between);
    if (inside > kept()) {
      return absl::InvalidArgumentError("a subtree has counted values that are not there");
    }
    return AtEnds{of_low, kept() - inside};
  }

  absl::Status WriteFloats(const PassScope::Piece& piece, uint64_t at, size_t count,
                           StepWriter& step) const {
    const uint64_t first = piece.first + at;
    const std::vector<int64_t> sums = Between(kBetweenSums, first, count);
    const std::vector<int64_t> counts = Between(kBetweenCounts, first, count);
    std::vector<double> means(count);
    for (size_t i = 0; i < count; ++i) {
      const float low = search_->Float(0, first + i);
      const float high = search_->Float(1, first + i);
      const bool same = std::signbit(low) == std::signbit(high) && low == high;
      SKEIN_ASSIGN_OR_RETURN(const AtEnds ends,
                             EndsOf(search_->FloatGroup(0, first + i), same, counts[i]));
      const int bits = KeptScaleBits(low, high, kept());
      const double factor = std::ldexp(1.0, bits);
      const int64_t sum = sums[i] + static_cast<int64_t>(ends.low) * TermOf(low, factor) +
                          static_cast<int64_t>(ends.high) * TermOf(high, factor);
      means[i] = KeptMean(sum, bits, kept(), high);
    }
    step.Floats(piece.tensor, at, means);
    return absl::OkStatus();
  }

  absl::Status WriteIntegers(const PassScope::Piece& piece, uint64_t at, size_t count,
                             StepWriter& step) const {
    const uint64_t first = piece.first + at;
    const std::vector<int64_t> lows = Between(kBetweenLow, first, count);
    const std::vector<int64_t> highs = Between(kBetweenHigh, first, count);
    const std::vector<int64_t> counts = Between(kBetweenIntegers, first, count);
    std::vector<int64_t> means(count);
    for (size_t i = 0; i < count; ++i) {
      const int64_t low = search_->Integer(0, first + i);
      const int64_t high = search_->Integer(1, first + i);
      SKEIN_ASSIGN_OR_RETURN(const AtEnds ends,
                             EndsOf(search_->IntegerGroup(0, first + i), low == high, counts[i]));
      const __int128 sum = (static_cast<__int128>(highs[i]) << 32) + lows[i] +
                           static_cast<__int128>(ends.low) * low +
                           static_cast<__int128>(ends.high) * high;
      means[i] = KeptMean(sum, kept());
    }
    step.Integers(piece.tensor, at, means);
    return absl::OkStatus();
  }

  const Trim trim_;
  const PassScope scope_;
  uint64_t contributions_ = 0;
  uint64_t cut_ = 0;
  std::optional<RankSearch> search_;
  bool searched_ = false;
  PackedTensors between_;
};

}  // namespace

std::unique_ptr<PassConductor> MakeMedianConductor(const Manifest& update) {
  return std::make_unique<MedianConductor>(update);
}

std::unique_ptr<PassConductor> MakeTrimmedConductor(const Trim& trim, const Manifest& update) {
  return std::make_unique<TrimmedConductor>(trim, update);
}

}  // namespace skein
