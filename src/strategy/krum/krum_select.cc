#include "strategy/krum/krum_select.h"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace skein {
namespace {

std::vector<size_t> AllOf(const PairDistances& distances) {
  std::vector<size_t> all(distances.size());
  std::iota(all.begin(), all.end(), size_t{0});
  return all;
}

// To how many others, of so many vectors, the distances count.
size_t Nearest(size_t vectors, size_t f) {
  const size_t wanted = vectors > f + 3 ? vectors - f - 2 : 1;
  return std::min(wanted, vectors - 1);
}

}  // namespace

std::vector<double> KrumScores(const PairDistances& distances, size_t f) {
  const size_t nearest = Nearest(distances.size(), f);
  std::vector<double> scores;
  std::vector<double> others;
  for (size_t a = 0; a < distances.size(); ++a) {
    others.clear();
    for (size_t b = 0; b < distances.size(); ++b) {
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
  const std::vector<double> scores = KrumScores(distances, f);
  std::ranges::stable_sort(order, {}, [&](size_t vector) { return scores[vector]; });
  order.resize(m);
  return order;
}

// Everyone's others are sorted once, the nearest first, and lose those that are taken. So the sums
// are made of the same terms in the same order as if they were sorted anew.
std::vector<size_t> RepeatedKrumSelect(const PairDistances& distances, size_t f, size_t count) {
  const size_t all = distances.size();
  std::vector<std::vector<uint32_t>> others(all);
  for (size_t a = 0; a < all; ++a) {
    for (uint32_t b = 0; b < all; ++b) {
      if (a != b) others[a].push_back(b);
    }
    std::ranges::sort(others[a], {}, [&](uint32_t b) { return distances(a, b); });
  }
  std::vector<bool> is_taken(all);
  std::vector<size_t> taken;
  while (taken.size() < count) {
    const size_t nearest = Nearest(all - taken.size(), f);
    size_t best = all;
    double lowest = 0;
    for (size_t a = 0; a < all; ++a) {
      if (is_taken[a]) continue;
      std::erase_if(others[a], [&](uint32_t b) { return is_taken[b]; });
      double score = 0;
      for (size_t k = 0; k < nearest; ++k) score += distances(a, others[a][k]);
      if (best != all && score >= lowest) continue;  // the first of equals
      best = a;
      lowest = score;
    }
    is_taken[best] = true;
    taken.push_back(best);
  }
  return taken;
}

}  // namespace skein
