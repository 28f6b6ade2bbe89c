#include "strategy/krum/krum_select.h"

#include <algorithm>
#include <numeric>

namespace skein {
namespace {

std::vector<size_t> AllOf(const PairDistances& distances) {
  std::vector<size_t> all(distances.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

}  // namespace

std::vector<double> KrumScores(const PairDistances& distances, std::span<const size_t> among,
                               size_t f) {
  const size_t n = among.size();
  const size_t wanted = n > f + 3 ? n - f - 2 : 1;
  const size_t nearest = std::min(wanted, n - 1);
  std::vector<double> scores;
  std::vector<double> others;
  for (const size_t a : among) {
    others.clear();
    for (const size_t b : among) {
      if (a != b) others.push_back(distances(a, b));
    }
    std::ranges::partial_sort(others, others.begin() + static_cast<std::ptrdiff_t>(nearest));
    scores.push_back(std::accumulate(others.begin(),
                                     others.begin() + static_cast<std::ptrdiff_t>(nearest), 0.0));
  }
  return scores;
}

std::vector<size_t> MultiKrumSelect(const PairDistances& distances, size_t f, size_t m) {
  std::vector<size_t> order = AllOf(distances);
  const std::vector<double> scores = KrumScores(distances, order, f);
  std::ranges::stable_sort(order, {}, [&](size_t vector) { return scores[vector]; });
  order.resize(m);
  return order;
}

std::vector<size_t> RepeatedKrumSelect(const PairDistances& distances, size_t f, size_t count) {
  std::vector<size_t> left = AllOf(distances);
  std::vector<size_t> taken;
  while (taken.size() < count) {
    const std::vector<double> scores = KrumScores(distances, left, f);
    const auto best = std::ranges::min_element(scores) - scores.begin();  // the first of equals
    taken.push_back(left[static_cast<size_t>(best)]);
    left.erase(left.begin() + best);
  }
  return taken;
}

}  // namespace skein
