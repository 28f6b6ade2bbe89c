#include "tensor/release_pages.h"

#include <sys/mman.h>

#include <cstdint>

namespace skein {
namespace {

// Less is not worth the system's work to give it again.
constexpr size_t kMuch = size_t{64} << 20;
constexpr uintptr_t kHugePage = uintptr_t{2} << 20;  // not to break any

}  // namespace

void ReleasePages(std::span<std::byte> end) {
  if (end.size() < kMuch) return;
  const auto begin = reinterpret_cast<uintptr_t>(end.data());
  const uintptr_t first = (begin + kHugePage - 1) / kHugePage * kHugePage;
  const uintptr_t last = (begin + end.size()) / kHugePage * kHugePage;
  madvise(end.data() + (first - begin), last - first, MADV_DONTNEED);  // only a hint
}

}  // namespace skein
