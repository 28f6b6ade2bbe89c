#include "strategy/linear/linear_intake.h"

#include <algorithm>
#include <string>

#include "skein/base/status.h"

namespace skein {

absl::Status LinearSums::CheckTotal(int64_t more) const {
  if (more > shape.max_total_weight() - total_weight) {
    return absl::InvalidArgumentError("with its weight of " + std::to_string(more) +
                                      " the total weight would exceed its bound, " +
                                      std::to_string(shape.max_total_weight()));
  }
  return absl::OkStatus();
}

LinearIntake::LinearIntake(LinearSums& sums, const LinearInput& input)
    : sums_(sums), input_(input) {
  sums_.queue.Open();
}

LinearIntake::~LinearIntake() {
  if (completed_) return;
  // What still waits to be added is added first: there is one way for a tile to be settled.
  sums_.queue.Settle(input_);
  for (size_t tile = 0; tile < next_tile_; ++tile) {
    if (std::ranges::count(input_.refused, tile) == 0) sums_.queue.Subtract(tile, input_);
  }
  sums_.queue.Settle(input_);
  sums_.queue.Close();
}

absl::Status LinearIntake::Advance(uint64_t received) {
  if (completed_) return absl::OkStatus();
  return FoldTiles(received);
}

absl::Status LinearIntake::Complete() {
  if (completed_) return absl::FailedPreconditionError("the contribution is already counted");
  // Others may have been completed since this one was begun.
  SKEIN_RETURN_IF_ERROR(sums_.CheckTotal(input_.input.weight));
  const std::optional<Offense> of_maxima = sums_.ring.CheckMaxima(input_.input);
  FoldTiles(input_.input.bytes.size()).IgnoreError();
  sums_.queue.Settle(input_);
  const std::optional<Offense> offense = sums_.queue.OffenseOf(input_);
  if (offense && (!of_maxima || offense->element < of_maxima->element)) return offense->status;
  if (of_maxima) return of_maxima->status;
  sums_.ring.ApplyMaxima(input_.input);
  sums_.total_weight += input_.input.weight;
  for (size_t i = 0; i < sums_.scalars.size(); ++i) sums_.scalars[i] += input_.input.scalars[i];
  completed_ = true;
  sums_.queue.Close();
  return absl::OkStatus();
}

absl::Status LinearIntake::FoldTiles(uint64_t received) {
  const ElementTiles& tiles = sums_.shape.tiles();
  const Manifest& manifest = sums_.shape.ManifestOf(input_.input.form);
  for (; next_tile_ < tiles.size(); ++next_tile_) {
    SKEIN_RETURN_IF_ERROR(Found());
    if (tiles.EndInBytes(next_tile_, manifest) > received) break;
    sums_.queue.Add(next_tile_, input_);
  }
  return Found();
}

absl::Status LinearIntake::Found() const {
  const std::optional<Offense> offense = sums_.queue.OffenseOf(input_);
  return offense ? offense->status : absl::OkStatus();
}

}  // namespace skein
