#include "strategy/held/finite_check.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "strategy/elements.h"

namespace skein {
namespace {

constexpr uint32_t kExponent = 0x7f800000;  // all ones: no finite number
constexpr uint32_t kFraction = 0x007fffff;

uint32_t BitsAt(std::span<const std::byte> tensor, uint64_t index) {
  uint32_t bits = 0;
  std::memcpy(&bits, tensor.data() + index * sizeof(bits), sizeof(bits));
  return bits;
}

bool IsFinite(uint32_t bits) { return (bits & kExponent) != kExponent; }

// Without a branch for each element: bad ones are rare.
bool AllFinite(std::span<const std::byte> tensor, uint64_t begin, uint64_t end) {
  uint32_t bad = 0;
  for (uint64_t i = begin; i < end; ++i) bad |= IsFinite(BitsAt(tensor, i)) ? 0u : 1u;
  return bad == 0;
}

}  // namespace

absl::Status FiniteCheck::Advance(uint64_t received) {
  const Manifest& manifest = update_.manifest();
  for (; tensor_ < manifest.size(); ++tensor_, element_ = 0) {
    const TensorInfo& info = manifest[tensor_];
    const uint64_t begin = manifest.offset(tensor_);
    if (received <= begin) return absl::OkStatus();
    const uint64_t here = std::min(info.NumElements(), (received - begin) / SizeOf(info.dtype));
    if (IsFloat(info.dtype)) {
      const std::span<const std::byte> tensor = update_.tensor(tensor_);
      while (element_ < here) {
        const uint64_t end = std::min(here, element_ + kFoldChunk);
        if (!AllFinite(tensor, element_, end)) {
          while (IsFinite(BitsAt(tensor, element_))) ++element_;
          const bool nan = (BitsAt(tensor, element_) & kFraction) != 0;
          return absl::InvalidArgumentError("tensor '" + info.name + "' has " +
                                            (nan ? "NaN" : "Inf") + " at index " +
                                            std::to_string(element_));
        }
        element_ = end;
      }
    }
    element_ = here;
    if (here < info.NumElements()) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace skein
