#include "strategy/passes/rank_search.h"

#include <array>
#include <span>
#include <utility>

#include "skein/base/status.h"
#include "strategy/elements.h"

namespace skein {
namespace {

// A row of an answer, some elements at a time.
class CountReader {
 public:
  CountReader(const PackedTensors& answer, size_t tensor)
      : dtype_(answer.manifest()[tensor].dtype),
        bytes_(answer.tensor(tensor)),
        elements_(answer.manifest()[tensor].NumElements()) {}

  uint64_t operator[](uint64_t at) {
    if (at < begin_ || at >= begin_ + chunk_.size()) {
      begin_ = at;
      chunk_.resize(std::min<uint64_t>(kFoldChunk, elements_ - at));
      LoadInts(dtype_, bytes_, at, chunk_);
    }
    return static_cast<uint64_t>(chunk_[at - begin_]);
  }

 private:
  const DType dtype_;
  const std::span<const std::byte> bytes_;
  const uint64_t elements_;
  uint64_t begin_ = 0;
  std::vector<int64_t> chunk_;
};

// Goes on with the part of the group that begins with the digit in which the place lies. False if
// the counts are not of the group.
bool Narrow(RankSearch::Group& group, std::span<const uint64_t> counts, unsigned& digit) {
  uint64_t rest = group.size;
  for (digit = 0; digit < counts.size(); ++digit) {
    if (counts[digit] > rest) return false;
    if (group.place < counts[digit]) {
      group.size = static_cast<uint32_t>(counts[digit]);
      return true;
    }
    group.place -= static_cast<uint32_t>(counts[digit]);
    rest -= counts[digit];
  }
  group.size = static_cast<uint32_t>(rest);
  return group.place < group.size;
}

}  // namespace

RankSearch::RankSearch(const PassScope& scope, PassOver over, uint64_t contributions,
                       std::vector<uint64_t> ranks)
    : over_(over),
      contributions_(contributions),
      prefixes_(scope.floats(), scope.integers(), static_cast<int>(ranks.size())) {
  for (size_t s = 0; s < ranks.size(); ++s) {
    const Group all{static_cast<uint32_t>(contributions), static_cast<uint32_t>(ranks[s])};
    floats_[s].assign(scope.floats(), all);
    integers_[s].assign(scope.integers(), all);
  }
}

PassQuery RankSearch::First() const {
  return {.kind = PassQuery::Kind::kCounts,
          .over = over_,
          .contributions = contributions_,
          .searches = prefixes_.searches(),
          .begins = true};
}

absl::StatusOr<std::optional<PassQuery>> RankSearch::Next(const PackedTensors& answer) {
  DigitWriter digits;
  bool sound = true;
  for (int s = 0; s < prefixes_.searches(); ++s) {
    const uint64_t floats = floats_[s].size();
    CountReader zeros(answer, kFloatCounts);
    for (uint64_t i = 0; i < floats; ++i) {
      unsigned digit = 0;
      const std::array count = {zeros[static_cast<uint64_t>(s) * floats + i]};
      sound = Narrow(floats_[s][i], count, digit) && sound;
      digits.Put(digit, 1);
    }
    const uint64_t integers = integers_[s].size();
    std::array<CountReader, 3> readers = {CountReader(answer, kIntegerCounts),
                                          CountReader(answer, kIntegerCounts),
                                          CountReader(answer, kIntegerCounts)};
    for (uint64_t i = 0; i < integers; ++i) {
      unsigned digit = 0;
      std::array<uint64_t, 3> counts{};
      for (uint64_t d = 0; d < 3; ++d) {
        counts[d] = readers[d][(static_cast<uint64_t>(s) * 3 + d) * integers + i];
      }
      sound = Narrow(integers_[s][i], counts, digit) && sound;
      digits.Put(digit, 2);
    }
  }
  if (!sound) {
    return absl::InvalidArgumentError("a subtree has counted values that are not there");
  }
  digits_ = digits.Take();
  SKEIN_RETURN_IF_ERROR(prefixes_.Extend(digits_));
  if (prefixes_.complete()) return std::nullopt;
  PassQuery next = First();
  next.begins = false;
  next.digits = TakeDigits();
  return next;
}

}  // namespace skein
