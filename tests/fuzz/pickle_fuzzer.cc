// Pickles as a PyTorch file of a stranger may hold one: the input is the pickle.

#include <cstdint>

#include "fuzz/memory_meter.h"
#include "fuzz/require.h"
#include "tensor/pickled_tensors.h"

namespace skein {
namespace {

// Each opcode makes an object or a tensor of some dimensions; lists grow by doubling.
constexpr size_t kMemoryPerByte = 1024;
constexpr size_t kMemoryForAny = size_t{16} << 10;

// Every element is counted, where they are few: an independent way to say that it lies within.
void CheckTensor(const PickledTensor& tensor) {
  Require(tensor.shape.size() == tensor.strides.size(), "every dimension has a stride");
  uint64_t last = static_cast<uint64_t>(tensor.offset);
  bool empty = false;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    Require(tensor.shape[i] >= 0 && tensor.strides[i] >= 0, "no dimension is negative");
    empty = empty || tensor.shape[i] == 0;
  }
  for (size_t i = 0; i < tensor.shape.size() && !empty; ++i) {
    const auto step = static_cast<unsigned __int128>(tensor.shape[i] - 1) *
                      static_cast<uint64_t>(tensor.strides[i]);
    Require(step <= tensor.storage_elements, "a dimension lies within the storage");
    last += static_cast<uint64_t>(step);
    Require(last < tensor.storage_elements, "a tensor lies within its storage");
  }
  Require(empty ? last <= tensor.storage_elements : last < tensor.storage_elements,
          "a tensor begins within its storage");
}

}  // namespace
}  // namespace skein

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using skein::Require;
  const skein::MemoryMeter meter;
  const auto tensors = skein::ReadPickledTensors(std::as_bytes(std::span(data, size)));
  Require(meter.peak() <= skein::kMemoryForAny + skein::kMemoryPerByte * size,
          "memory for a pickle is bounded by its size");
  if (tensors.ok()) {
    for (const skein::PickledTensor& tensor : *tensors) skein::CheckTensor(tensor);
  } else {
    Require(absl::IsInvalidArgument(tensors.status()), "a bad pickle is InvalidArgument");
    Require(tensors.status().message().size() < 1000, "what is wrong is said shortly");
  }
  return 0;
}
