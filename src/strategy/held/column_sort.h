#ifndef SKEIN_SRC_STRATEGY_HELD_COLUMN_SORT_H_
#define SKEIN_SRC_STRATEGY_HELD_COLUMN_SORT_H_

#include <algorithm>
#include <cstddef>
#include <span>

namespace skein {

// Sorts every column of a matrix of `count` rows of `width` values, which lie one after another.
// By a network (merge exchange, Knuth, TAOCP 3, 5.2.2 M): the same exchanges whatever the values,
// each over two whole rows, so that many columns are sorted at once, without a branch.
template <typename T>
void SortColumns(std::span<T> rows, size_t count, size_t width) {
  const auto exchange = [&](size_t low, size_t high) {
    T* const a = rows.data() + low * width;
    T* const b = rows.data() + high * width;
    for (size_t i = 0; i < width; ++i) {
      const T smaller = std::min(a[i], b[i]);
      b[i] = std::max(a[i], b[i]);
      a[i] = smaller;
    }
  };
  if (count < 2) return;
  size_t top = 1;
  while (top * 2 < count) top *= 2;
  for (size_t p = top; p > 0; p /= 2) {
    size_t q = top;
    size_t r = 0;
    for (size_t d = p;; d = q - p, q /= 2, r = p) {
      for (size_t i = 0; i + d < count; ++i) {
        if ((i & p) == r) exchange(i, i + d);
      }
      if (q == p) break;
    }
  }
}

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HELD_COLUMN_SORT_H_
