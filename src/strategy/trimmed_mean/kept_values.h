#ifndef SKEIN_SRC_STRATEGY_TRIMMED_MEAN_KEPT_VALUES_H_
#define SKEIN_SRC_STRATEGY_TRIMMED_MEAN_KEPT_VALUES_H_

#include <cstddef>
#include <cstdint>

namespace skein {

// What the trimmed mean keeps of one element: the values from `low` to `high`, of which there are
// `count`. Its mean is made of terms as large as these two allow (term_sums.h), so that it does not
// matter where which of them are added.

// By which power of two the values are multiplied; see ScaleBits.
int KeptScaleBits(float low, float high, uint64_t count);
// The mean of values whose terms have this sum.
double KeptMean(int64_t sum, int scale_bits, uint64_t count, float high);
// The same of integers, half to even; the sum may be wider than an element.
int64_t KeptMean(__int128 sum, uint64_t count);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_TRIMMED_MEAN_KEPT_VALUES_H_
