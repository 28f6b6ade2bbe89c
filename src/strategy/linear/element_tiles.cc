#include "strategy/linear/element_tiles.h"

namespace skein {

ElementTiles::ElementTiles(const Manifest& model, uint64_t tile_elements)
    : tile_elements_(tile_elements) {
  uint64_t element = 0;
  for (const TensorInfo& info : model.tensors()) {
    starts_.push_back(element);
    element += info.NumElements();
  }
  starts_.push_back(element);
}

uint64_t ElementTiles::EndInBytes(size_t tile, const Manifest& manifest) const {
  const uint64_t last = EndInElements(tile) - 1;
  const size_t tensor = TensorOf(last);
  return manifest.offset(tensor) + (last + 1 - starts_[tensor]) * SizeOf(manifest[tensor].dtype);
}

size_t ElementTiles::TensorOf(uint64_t element) const {
  // The last that starts at or before it: empty tensors share the start of the next one.
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, element);
  return static_cast<size_t>(after - starts_.begin()) - 1;
}

}  // namespace skein
