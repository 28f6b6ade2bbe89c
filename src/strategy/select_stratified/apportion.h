#ifndef SKEIN_SRC_STRATEGY_SELECT_STRATIFIED_APPORTION_H_
#define SKEIN_SRC_STRATEGY_SELECT_STRATIFIED_APPORTION_H_

#include <cstddef>
#include <vector>

namespace skein {

// Seats for groups in proportion to their sizes, one at least for each: groups that would get less
// than one get one, the others share what is left by largest remainders (Hamilton), the first of
// equals. No group gets more seats than it has members. Sizes are 1 or more; `seats` is from the
// number of groups to the sum of the sizes.
std::vector<size_t> Apportion(const std::vector<size_t>& sizes, size_t seats);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_STRATIFIED_APPORTION_H_
