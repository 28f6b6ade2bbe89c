#include "skein/tensor/buffer_pool.h"

#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {
namespace {

TEST(BufferPool, HandsABlockOutAgain) {
  BufferPool pool;
  std::shared_ptr<std::byte> block = pool.Take(100'000);
  const std::byte* const memory = block.get();
  std::memset(block.get(), 7, 100'000);
  EXPECT_EQ(pool.idle_bytes(), 0u);
  block.reset();
  EXPECT_GE(pool.idle_bytes(), 100'000u);
  block = pool.Take(99'000);  // nearly the same size
  EXPECT_EQ(block.get(), memory);
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BufferPool, NeverSharesABlock) {
  BufferPool pool;
  const auto a = pool.Take(1000);
  const auto b = pool.Take(1000);
  EXPECT_NE(a.get(), b.get());
  EXPECT_NE(pool.Take(0).get(), nullptr);
}

TEST(BufferPool, AlignsSmallAndHugeBlocks) {
  BufferPool pool;
  for (const uint64_t bytes : {1ull, 65ull, 100'000ull, 9ull << 20}) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(pool.Take(bytes).get()) % 64, 0u) << bytes;
  }
}

TEST(BufferPool, KeepsNoMoreThanAllowed) {
  BufferPool pool(1 << 20);
  std::vector<std::shared_ptr<std::byte>> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(pool.Take(512 << 10));
  blocks.clear();
  EXPECT_EQ(pool.idle_bytes(), 1u << 20);
  pool.Trim();
  EXPECT_EQ(pool.idle_bytes(), 0u);
}

TEST(BufferPool, BlocksOutliveIt) {
  auto pool = std::make_unique<BufferPool>();
  const std::shared_ptr<std::byte> block = pool->Take(1 << 20);
  pool.reset();
  std::memset(block.get(), 1, 1 << 20);
}

TEST(BufferPool, ServesManyThreads) {
  BufferPool pool;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 500; ++i) {
        const auto block = pool.Take(4096);
        std::memset(block.get(), t, 4096);
        for (int k = 0; k < 4096; ++k) ASSERT_EQ(block.get()[k], static_cast<std::byte>(t));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(pool.idle_bytes(), 4u * (64 << 10));
}

TEST(BufferPool, ATensorsBlockIsWritableAndReturns) {
  BufferPool pool;
  const Manifest manifest =
      *Manifest::Create({{"w", DType::kFloat32, {1000}, TensorRole::kParameter}});
  {
    PackedTensors tensors(manifest, pool);
    ASSERT_EQ(tensors.mutable_bytes().size(), 4000u);
    const PackedTensors copy = tensors;
    EXPECT_EQ(tensors.mutable_bytes().data(), nullptr);
  }
  EXPECT_GE(pool.idle_bytes(), 4000u);
}

}  // namespace
}  // namespace skein
