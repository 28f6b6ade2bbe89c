#include "skein/tensor/buffer_pool.h"

#include <sys/mman.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <new>

namespace skein {
namespace {

// Large blocks are asked for in huge pages, which come at several times the speed of small ones.
constexpr uint64_t kHugePage = uint64_t{2} << 20;
// Block sizes are multiples of this, so that tensors of nearly the same size share blocks.
constexpr uint64_t kGrain = uint64_t{64} << 10;

uint64_t Capacity(uint64_t bytes) {
  const uint64_t grain = bytes < kGrain ? 64 : kGrain;
  return std::max<uint64_t>((bytes + grain - 1) / grain * grain, 64);
}

std::align_val_t Alignment(uint64_t capacity) {
  return std::align_val_t{capacity >= 2 * kHugePage ? kHugePage : 64};
}

std::byte* Allocate(uint64_t capacity) {
  auto* block = static_cast<std::byte*>(::operator new(capacity, Alignment(capacity)));
  if (capacity >= 2 * kHugePage) madvise(block, capacity, MADV_HUGEPAGE);  // only a hint
  return block;
}

void Free(std::byte* block, uint64_t capacity) { ::operator delete(block, Alignment(capacity)); }

}  // namespace

struct BufferPool::State {
  explicit State(uint64_t max_idle) : max_idle_bytes(max_idle) {}
  ~State() { FreeAll(); }

  std::byte* Reuse(uint64_t capacity) {
    std::lock_guard lock(mutex);
    const auto it = idle.find(capacity);
    if (it == idle.end()) return nullptr;
    std::byte* block = it->second;
    idle.erase(it);
    idle_bytes -= capacity;
    return block;
  }

  void Return(std::byte* block, uint64_t capacity) {
    {
      std::lock_guard lock(mutex);
      if (open && idle_bytes + capacity <= max_idle_bytes) {
        idle.emplace(capacity, block);
        idle_bytes += capacity;
        return;
      }
    }
    Free(block, capacity);
  }

  void FreeAll() {
    std::multimap<uint64_t, std::byte*> blocks;
    {
      std::lock_guard lock(mutex);
      blocks.swap(idle);
      idle_bytes = 0;
    }
    for (const auto& [capacity, block] : blocks) Free(block, capacity);
  }

  const uint64_t max_idle_bytes;
  std::mutex mutex;
  bool open = true;                          // until the pool is gone
  std::multimap<uint64_t, std::byte*> idle;  // by capacity
  uint64_t idle_bytes = 0;
};

BufferPool::BufferPool(uint64_t max_idle_bytes) : state_(std::make_shared<State>(max_idle_bytes)) {}

BufferPool::~BufferPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->open = false;
  }
  state_->FreeAll();
}

std::shared_ptr<std::byte> BufferPool::Take(uint64_t bytes) {
  const uint64_t capacity = Capacity(bytes);
  std::byte* block = state_->Reuse(capacity);
  if (block == nullptr) block = Allocate(capacity);
  return {block,
          [state = state_, capacity](std::byte* memory) { state->Return(memory, capacity); }};
}

void BufferPool::Trim() { state_->FreeAll(); }

uint64_t BufferPool::idle_bytes() const {
  std::lock_guard lock(state_->mutex);
  return state_->idle_bytes;
}

}  // namespace skein
