#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_INTAKE_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_INTAKE_H_

#include <cstdint>
#include <vector>

#include "skein/strategy/fold.h"
#include "strategy/linear/ring_sums.h"
#include "strategy/linear/tile_queue.h"

namespace skein {

// What the contributions to one accumulator are folded into.
struct LinearSums {
  LinearSums(const LinearShape& of, size_t num_scalars, BufferPool& buffers)
      : shape(of), ring(of, buffers), queue(ring, of.tiles().size()), scalars(num_scalars) {}
  const LinearShape& shape;
  RingSums ring;
  TileQueue queue;
  // Of what is there as a whole; the owner's thread only.
  int64_t total_weight = 0;
  std::vector<Fixed128> scalars;

  // InvalidArgument if so much more would exceed the bound on the total.
  absl::Status CheckTotal(int64_t more) const;
};

// Folds a contribution tile by tile while it arrives, and takes the tiles out again if it does not
// come to its end.
class LinearIntake : public Intake {
 public:
  LinearIntake(LinearSums& sums, const LinearInput& input);
  ~LinearIntake() override;

  absl::Status Advance(uint64_t received) override;
  absl::Status Complete() override;

 private:
  // Folds the tiles that end within `received` bytes, until one is found to be refused.
  absl::Status FoldTiles(uint64_t received);
  absl::Status Found() const;

  LinearSums& sums_;
  FoldingInput input_;
  size_t next_tile_ = 0;  // those before it have been given to the queue
  bool completed_ = false;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_INTAKE_H_
