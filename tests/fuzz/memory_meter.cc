#include "fuzz/memory_meter.h"

#include <algorithm>

#include <sanitizer/allocator_interface.h>

namespace skein {
namespace {

thread_local MemoryMeter* meter = nullptr;

void OnMalloc(const volatile void*, size_t size) {
  if (meter != nullptr) meter->Add(size);
}

void OnFree(const volatile void* memory) {
  if (meter == nullptr || memory == nullptr) return;
  meter->Remove(__sanitizer_get_allocated_size(const_cast<const void*>(memory)));
}

}  // namespace

MemoryMeter::MemoryMeter() {
  [[maybe_unused]] static const int installed =
      __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);
  meter = this;
}

MemoryMeter::~MemoryMeter() { meter = nullptr; }

void MemoryMeter::Add(size_t bytes) {
  held_ += bytes;
  peak_ = std::max(peak_, held_);
}

// Memory from before the meter may be freed while it is there.
void MemoryMeter::Remove(size_t bytes) { held_ -= std::min(held_, bytes); }

}  // namespace skein
