#ifndef SKEIN_SRC_STRATEGY_LINEAR_ELEMENT_TILES_H_
#define SKEIN_SRC_STRATEGY_LINEAR_ELEMENT_TILES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "skein/tensor/manifest.h"

namespace skein {

// All elements of a model's tensors as one row, cut into tiles of a fixed number of elements: what
// is folded at a time. A tile may begin and end within tensors and span many. Tiles are cut by
// elements and not by bytes, so they are the same for updates and partials and cut no element in
// two, wherever its bytes lie. Immutable.
class ElementTiles {
 public:
  // Elements first .. first + count of a tensor; the first of them is number `element` of the row.
  struct Piece {
    size_t tensor = 0;
    uint64_t first = 0;
    uint64_t count = 0;
    uint64_t element = 0;
  };

  ElementTiles(const Manifest& model, uint64_t tile_elements);

  size_t size() const { return (elements() + tile_elements_ - 1) / tile_elements_; }
  uint64_t elements() const { return starts_.back(); }

  // Where a tensor's elements begin in the row.
  uint64_t start(size_t tensor) const { return starts_[tensor]; }

  // Where the bytes of a tile end in a block packed as `manifest` says, which has the model's
  // tensors in any types.
  uint64_t EndInBytes(size_t tile, const Manifest& manifest) const;

  // Calls visit(Piece) for the parts of a tile, in order.
  template <typename Visit>
  void ForPieces(size_t tile, Visit visit) const {
    uint64_t element = tile * tile_elements_;
    const uint64_t end = EndInElements(tile);
    for (size_t t = TensorOf(element); element < end; ++t) {
      const uint64_t count = std::min(end, starts_[t + 1]) - element;
      if (count == 0) continue;
      visit(Piece{t, element - starts_[t], count, element});
      element += count;
    }
  }

 private:
  uint64_t EndInElements(size_t tile) const {
    return std::min((tile + 1) * tile_elements_, elements());
  }
  // The tensor that holds an element of the row.
  size_t TensorOf(uint64_t element) const;

  uint64_t tile_elements_;
  std::vector<uint64_t> starts_;  // of each tensor, and the end of the last
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_ELEMENT_TILES_H_
