#ifndef SKEIN_SRC_TENSOR_RELEASE_PAGES_H_
#define SKEIN_SRC_TENSOR_RELEASE_PAGES_H_

#include <cstddef>
#include <span>

namespace skein {

// The end of a BufferPool's block that will not be used before the block is taken again: if it is
// much, its memory goes back to the system, and what is read there from then on is unspecified.
void ReleasePages(std::span<std::byte> end);

}  // namespace skein

#endif  // SKEIN_SRC_TENSOR_RELEASE_PAGES_H_
