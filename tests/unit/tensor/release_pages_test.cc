#include "tensor/release_pages.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "skein/tensor/buffer_pool.h"

namespace skein {
namespace {

constexpr size_t kBytes = size_t{160} << 20;

// Pages of the block that are in memory.
int64_t PagesOf(std::byte* block) {
  std::vector<unsigned char> there(kBytes / 4096);
  EXPECT_EQ(mincore(block, kBytes, there.data()), 0);
  return std::count_if(there.begin(), there.end(), [](unsigned char c) { return (c & 1) != 0; });
}

TEST(ReleasePages, LeavesTheRestOfTheBlockAsItIs) {
  constexpr size_t kUsed = kBytes / 4 + 12345;
  BufferPool pool;
  const auto block = pool.Take(kBytes);
  std::memset(block.get(), 7, kBytes);
  const int64_t all = PagesOf(block.get());
  ReleasePages({block.get() + kUsed, kBytes - kUsed});
  EXPECT_LT(PagesOf(block.get()), all / 3);
  EXPECT_TRUE(
      std::all_of(block.get(), block.get() + kUsed, [](std::byte b) { return b == std::byte{7}; }));
  std::memset(block.get(), 8, kBytes);  // and all of it can be used again
  EXPECT_EQ(PagesOf(block.get()), all);
}

TEST(ReleasePages, KeepsALittle) {
  BufferPool pool;
  const auto block = pool.Take(kBytes);
  std::memset(block.get(), 7, kBytes);
  const int64_t all = PagesOf(block.get());
  ReleasePages({block.get() + kBytes / 2, size_t{8} << 20});
  EXPECT_EQ(PagesOf(block.get()), all);
}

}  // namespace
}  // namespace skein
