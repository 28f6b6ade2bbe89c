#include "strategy/passes/rank_prefixes.h"

namespace skein {

RankPrefixes::RankPrefixes(uint64_t floats, uint64_t integers, int searches) : searches_(searches) {
  for (int s = 0; s < searches; ++s) {
    floats_[s].resize(floats);
    integers_[s].resize(integers);
  }
}

absl::Status RankPrefixes::Extend(std::span<const uint8_t> digits) {
  const uint64_t bits =
      static_cast<uint64_t>(searches_) * (floats_[0].size() + 2 * integers_[0].size());
  if (complete() || digits.size() != (bits + 7) / 8) {
    return absl::InvalidArgumentError("these are not the digits that come next");
  }
  size_t at = 0;
  unsigned byte = 0;
  const auto next = [&] {
    byte = at % 8 == 0 ? digits[at / 8] : byte >> 1;
    ++at;
    return byte & 1;
  };
  for (int s = 0; s < searches_; ++s) {
    for (uint32_t& prefix : floats_[s]) prefix = prefix << 1 | next();
    for (uint64_t& prefix : integers_[s]) {
      const unsigned low = next();
      prefix = prefix << 2 | next() << 1 | low;
    }
  }
  ++steps_;
  return absl::OkStatus();
}

}  // namespace skein
