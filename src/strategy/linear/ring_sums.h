#ifndef SKEIN_SRC_STRATEGY_LINEAR_RING_SUMS_H_
#define SKEIN_SRC_STRATEGY_LINEAR_RING_SUMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <absl/status/status.h>

#include "strategy/linear/linear_shape.h"

namespace skein {

// An element that is not allowed: its number in the row of all elements, and what to say of it.
struct Offense {
  uint64_t element = 0;
  absl::Status status;
};

// The sums of an accumulator in the ring of 64-bit integers, 8 bytes an element, and the arithmetic
// on them. What adds up is worked on by tiles: one thread at a time for each, different tiles at
// the same time. Maxima cannot be taken out again; they are kept apart, for one thread.
class RingSums {
 public:
  enum class Sign { kAdd, kSubtract };
  using Offenses = std::array<std::optional<Offense>, kMaxRuns>;

  // Takes the block, whose tiles are set to zero when they are first added to; `shape` must outlive
  // this.
  RingSums(const LinearShape& shape, BufferPool& buffers);

  // Adds the tile's part of 1 to kMaxRuns contributions of one form. Of those with an offense, the
  // first of the tile is returned, and nothing is added.
  Offenses AddTile(size_t tile, std::span<const LinearInput* const> inputs);

  // Takes out again what AddTile added.
  void SubtractTile(size_t tile, const LinearInput& input);

  // The first element of a contribution that no maximum can be; ApplyMaxima only without one.
  std::optional<Offense> CheckMaxima(const LinearInput& input) const;
  void ApplyMaxima(const LinearInput& input);

  // A tensor's sums; unspecified in tiles to which nothing was ever added.
  const uint64_t* sums(size_t tensor) const { return row_ + shape_->tiles().start(tensor); }

  // The block, laid out as a partial's tensors; nothing else may be called after that.
  PackedTensors Take() { return std::move(block_); }

  // The block, to be written over by the next model: its tensors take no more than their sums and
  // lie where these do or before them. Then it is taken as that, and nothing else may be called.
  std::span<std::byte> bytes() {
    return {reinterpret_cast<std::byte*>(row_), shape_->model().total_bytes()};
  }
  PackedTensors TakeAsModel();

 private:
  using Piece = ElementTiles::Piece;
  using Inputs = std::span<const LinearInput* const>;

  RunMask CombineTile(size_t tile, Inputs inputs, Sign sign);
  RunMask Combine(const Piece& piece, Inputs inputs, Sign sign);
  RunMask CombineFloats(const Piece& piece, Inputs inputs, Sign sign);
  RunMask CombineSums(const Piece& piece, Inputs inputs, Sign sign);
  bool CombineIntegers(const Piece& piece, const LinearInput& input, Sign sign);
  // The bytes of a piece's tensor from its first element on.
  const std::byte* BytesOf(const Piece& piece, const LinearInput& input) const;
  std::optional<Offense> FindOffense(const Piece& piece, const LinearInput& input) const;
  // Calls visit(Piece) for the whole of each tensor whose elements keep the maximum.
  template <typename Visit>
  void ForMaxima(Visit visit) const;

  const LinearShape* shape_;
  PackedTensors block_;
  uint64_t* row_;                // the block as one row of elements
  std::vector<uint8_t> zeroed_;  // for each tile: whether its sums have been set to zero
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_RING_SUMS_H_
