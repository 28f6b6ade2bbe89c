#include "strategy/how_many.h"

#include <algorithm>

namespace skein {

size_t ShareOf(double fraction, size_t of) {
  // The small addend keeps 0.29 * 100 at 29 in binary floating point.
  return std::max<size_t>(1, static_cast<size_t>(fraction * static_cast<double>(of) + 1e-9));
}

ParamSpec HowMany::CountParam(bool required) {
  return {.name = "count",
          .type = ParamSpec::Type::kInt,
          .default_value = {},
          .required = required,
          .min = 1,
          .max = 1e9,
          .choices = {},
          .doc = "workers a round"};
}

ParamSpec HowMany::FractionParam(const std::string& of) {
  return {.name = "fraction",
          .type = ParamSpec::Type::kReal,
          .default_value = {},
          .min = 1e-9,
          .max = 1,
          .choices = {},
          .doc = "share of " + of + ", in place of a count"};
}

absl::StatusOr<HowMany> HowMany::FromParams(const Params& params, const std::string& selector,
                                            bool required) {
  const bool count = params.Has("count");
  const bool fraction = params.Has("fraction");
  if (count && fraction) {
    return absl::InvalidArgumentError("selector '" + selector +
                                      "': 'count' and 'fraction' exclude each other; give one");
  }
  if (required && !count && !fraction) {
    return absl::InvalidArgumentError("selector '" + selector +
                                      "': 'count' or 'fraction' is required");
  }
  HowMany how_many;
  if (count) how_many.count_ = static_cast<size_t>(params.Int("count"));
  if (fraction) how_many.fraction_ = params.Real("fraction");
  return how_many;
}

}  // namespace skein
