#ifndef SKEIN_SRC_STRATEGY_TRIMMED_MEAN_TRIM_H_
#define SKEIN_SRC_STRATEGY_TRIMMED_MEAN_TRIM_H_

#include <cstddef>
#include <string>

namespace skein {

// How many values the trimmed mean cuts off at either end.
struct Trim {
  int count = 0;    // unless there is a fraction
  double beta = 0;  // of all

  size_t Of(size_t contributions) const;
  // A fraction of so few that none would be cut off is no trimmed mean.
  int Least() const;
  std::string Why() const;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TRIMMED_MEAN_TRIM_H_
