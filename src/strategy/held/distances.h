#ifndef SKEIN_SRC_STRATEGY_HELD_DISTANCES_H_
#define SKEIN_SRC_STRATEGY_HELD_DISTANCES_H_

#include <cstddef>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "strategy/held/held_updates.h"
#include "strategy/held/term_sums.h"

namespace skein {

// Distances between updates: of their float parameters, all of them as one vector, in doubles.
// Buffers and integers are no part of it. Updates are numbered as HeldUpdates::Open gives them; one
// call reads all of them once, front to back.

// Whether a mean is taken of a tensor's elements: all floats but buffers.
bool IsAveraged(const TensorInfo& info);

// A number for every pair of different updates.
class PairDistances {
 public:
  explicit PairDistances(size_t updates) : size_(updates), values_(updates * (updates - 1) / 2) {}
  size_t size() const { return size_; }
  double operator()(size_t a, size_t b) const { return values_[IndexOf(a, b)]; }
  void Add(size_t a, size_t b, double more) { values_[IndexOf(a, b)] += more; }

 private:
  static size_t IndexOf(size_t a, size_t b) {
    return a < b ? b * (b - 1) / 2 + a : a * (a - 1) / 2 + b;
  }
  size_t size_;
  std::vector<double> values_;
};

// Squared Euclidean distances of all pairs. There is at least one update.
absl::StatusOr<PairDistances> SquaredDistances(const HeldUpdates& updates, BufferPool& buffers);

// The squared distance of each to a mean of them.
absl::StatusOr<std::vector<double>> SquaredDistancesToMean(const HeldUpdates& updates,
                                                           const TermMean& mean,
                                                           BufferPool& buffers);

// The same to a point that is given: a value for each element of which a mean is taken (floats but
// buffers), of which parameters count. InvalidArgument if it has another size.
absl::StatusOr<std::vector<double>> SquaredDistancesTo(const HeldUpdates& updates,
                                                       std::span<const double> point,
                                                       BufferPool& buffers);

// The largest magnitude that each has in such elements.
absl::StatusOr<std::vector<double>> LargestAveraged(const HeldUpdates& updates,
                                                    BufferPool& buffers);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_DISTANCES_H_
