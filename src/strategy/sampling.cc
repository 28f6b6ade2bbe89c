#include "strategy/sampling.h"

#include "skein/base/random.h"

namespace skein {
namespace {

constexpr uint64_t kPurpose = 0x53454c;  // separates this stream from others of the run's seed

}  // namespace

absl::StatusOr<Roster> SampleUniformly(const SelectionInput& input, size_t count) {
  std::vector<LeafIndex> leaves = input.available->Leaves();
  if (leaves.empty() || leaves.size() < count) {
    return absl::FailedPreconditionError(std::to_string(count) +
                                         " workers are to be selected and " +
                                         std::to_string(leaves.size()) + " are available");
  }
  Rng rng(DeriveSeed(input.seed, {kPurpose, input.round}));
  for (size_t i = 0; i < count; ++i) {
    std::swap(leaves[i], leaves[i + rng.Below(leaves.size() - i)]);
  }
  leaves.resize(count);
  return Roster::Of(std::move(leaves));
}

}  // namespace skein
