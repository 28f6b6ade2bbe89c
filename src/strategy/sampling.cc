#include "strategy/sampling.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace skein {
namespace {

constexpr uint64_t kPurpose = 0x53454c;  // separates this stream from others of the run's seed

}  // namespace

absl::StatusOr<Roster> SampleUniformly(const SelectionInput& input, size_t count) {
  std::vector<LeafIndex> leaves = input.available->Leaves();
  if (leaves.empty() || leaves.size() < count) return TooFew(count, leaves.size());
  Rng rng(DeriveSeed(input.seed, {kPurpose, input.round}));
  return Roster::Of(DrawUniformly(std::move(leaves), count, rng));
}

Rng SelectionRng(const SelectionInput& input, uint64_t part) {
  return Rng(DeriveSeed(input.seed, {kPurpose, input.round, part}));
}

std::vector<LeafIndex> DrawUniformly(std::vector<LeafIndex> leaves, size_t count, Rng& rng) {
  count = std::min(count, leaves.size());
  for (size_t i = 0; i < count; ++i) {
    std::swap(leaves[i], leaves[i + rng.Below(leaves.size() - i)]);
  }
  leaves.resize(count);
  return leaves;
}

// The smallest of exponential variates, each of the weight's rate, come in that order (Efraimidis
// and Spirakis 2006).
std::vector<LeafIndex> DrawByWeight(const std::vector<LeafIndex>& leaves,
                                    const std::function<double(LeafIndex)>& weight, size_t count,
                                    Rng& rng) {
  std::vector<std::pair<double, LeafIndex>> times;
  times.reserve(leaves.size());
  for (const LeafIndex leaf : leaves) {
    const double rate = weight(leaf);
    const double unit = -std::log(1 - rng.Uniform());  // one draw each, whatever the weights
    times.emplace_back(rate > 0 ? unit / rate : std::numeric_limits<double>::infinity(), leaf);
  }
  count = std::min(count, times.size());
  std::partial_sort(times.begin(), times.begin() + static_cast<ptrdiff_t>(count), times.end());
  std::vector<LeafIndex> drawn;
  for (size_t i = 0; i < count; ++i) drawn.push_back(times[i].second);
  return drawn;
}

absl::Status TooFew(size_t wanted, size_t available, const std::string& what) {
  return absl::FailedPreconditionError(std::to_string(wanted) + " workers are to be selected and " +
                                       std::to_string(available) + " are " + what);
}

}  // namespace skein
