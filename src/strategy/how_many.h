#ifndef SKEIN_SRC_STRATEGY_HOW_MANY_H_
#define SKEIN_SRC_STRATEGY_HOW_MANY_H_

#include <string>

#include <absl/status/statusor.h>

#include "skein/strategy/params.h"

namespace skein {

// C of so many, rounded down, as McMahan et al. 2017 have it, and one at least.
size_t ShareOf(double fraction, size_t of);

// A selector's `count` or `fraction`, of which a user gives one.
class HowMany {
 public:
  // Both parameters, optional unless only the count is taken; `of` says of what: "the available
  // workers".
  static ParamSpec CountParam(bool required = false);
  static ParamSpec FractionParam(const std::string& of);
  // InvalidArgument if both are given, or none where `required`; without either it is all of them.
  static absl::StatusOr<HowMany> FromParams(const Params& params, const std::string& selector,
                                            bool required);

  // The count, however many there are, or the share of them.
  size_t Of(size_t there) const { return count_ != 0 ? count_ : ShareOf(fraction_, there); }
  size_t count() const { return count_; }  // 0: a fraction was given
  size_t AtLeast() const { return count_ != 0 ? count_ : 1; }

 private:
  size_t count_ = 0;
  double fraction_ = 1;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_HOW_MANY_H_
