#ifndef SKEIN_TENSOR_BUFFER_POOL_H_
#define SKEIN_TENSOR_BUFFER_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>

namespace skein {

// Memory for tensors that is used again. The system hands out fresh pages at a fraction of the
// speed of memory, so what a round has used is kept for the next one instead of being given back.
//
// A block returns to the pool when its last holder lets go, also after the pool itself is gone
// (then it is freed). Thread-safe. Shared by the nodes of a process.
class BufferPool {
 public:
  // `max_idle_bytes`: what is kept unused at most; blocks beyond that are freed.
  explicit BufferPool(uint64_t max_idle_bytes = uint64_t{1} << 40);
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // At least `bytes` bytes of unspecified content, 64-byte aligned; never null.
  std::shared_ptr<std::byte> Take(uint64_t bytes);

  // Frees what is unused.
  void Trim();
  uint64_t idle_bytes() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_BUFFER_POOL_H_
