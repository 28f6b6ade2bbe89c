#include "strategy/trimmed_mean/trim.h"

#include <cmath>

#include "skein/base/value.h"

namespace skein {
namespace {

// 0.29 * 100 is a little less than 29 in binary.
constexpr double kSlack = 1e-9;

}  // namespace

size_t Trim::Of(size_t contributions) const {
  if (beta == 0) return static_cast<size_t>(count);
  return static_cast<size_t>(std::floor(beta * static_cast<double>(contributions) + kSlack));
}

int Trim::Least() const {
  if (beta == 0) return 2 * count + 1;
  return static_cast<int>(std::ceil((1 - kSlack) / beta));
}

std::string Trim::Why() const {
  if (beta == 0) return "2 trim + 1 with trim = " + std::to_string(count);
  return "so that beta = " + ToJson(Value(beta)) + " cuts off one at either end";
}

}  // namespace skein
