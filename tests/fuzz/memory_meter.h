#ifndef SKEIN_TESTS_FUZZ_MEMORY_METER_H_
#define SKEIN_TESTS_FUZZ_MEMORY_METER_H_

#include <cstddef>

namespace skein {

// What the thread takes from the heap, at most, while a meter is there; what is freed meanwhile
// does not count. One meter a thread at a time. Needs the address sanitizer.
class MemoryMeter {
 public:
  MemoryMeter();
  ~MemoryMeter();
  MemoryMeter(const MemoryMeter&) = delete;
  MemoryMeter& operator=(const MemoryMeter&) = delete;
  size_t peak() const { return peak_; }

  void Add(size_t bytes);
  void Remove(size_t bytes);

 private:
  size_t held_ = 0;
  size_t peak_ = 0;
};

}  // namespace skein

#endif  // SKEIN_TESTS_FUZZ_MEMORY_METER_H_
