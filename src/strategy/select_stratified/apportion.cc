#include "strategy/select_stratified/apportion.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace skein {

std::vector<size_t> Apportion(const std::vector<size_t>& sizes, size_t seats) {
  std::vector<size_t> given(sizes.size(), 0);
  size_t members = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
  // What the small ones get beyond their share lowers that of the others, some of which may then
  // be small. In a pass all are judged by the same share.
  for (bool settled = true; settled;) {
    settled = false;
    const size_t seats_before = seats;
    const size_t members_before = members;
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (given[i] != 0 || seats_before * sizes[i] >= members_before) continue;
      given[i] = 1;
      --seats;
      members -= sizes[i];
      settled = true;
    }
  }
  std::vector<std::pair<size_t, size_t>> remainders;
  size_t left = seats;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (given[i] != 0) continue;
    given[i] = seats * sizes[i] / members;
    left -= given[i];
    remainders.emplace_back(seats * sizes[i] % members, i);
  }
  std::stable_sort(remainders.begin(), remainders.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  for (size_t i = 0; i < left; ++i) ++given[remainders[i].second];
  return given;
}

}  // namespace skein
