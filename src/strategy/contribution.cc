#include "skein/strategy/contribution.h"

#include <cmath>

namespace skein {
namespace {

// 2^31 workers of this much stay within the 87 integral bits.
constexpr double kMaxWeighted = 0x1p56;

}  // namespace

void MetricSums::Add(const std::map<std::string, double>& metrics, uint64_t num_samples) {
  const Fixed128 weight = Fixed128::FromDouble(static_cast<double>(num_samples));
  for (const auto& [name, value] : metrics) {
    const double weighted = value * static_cast<double>(num_samples);
    // One diverged worker does not hide the others. Comparison with NaN is false.
    if (!(std::abs(weighted) <= kMaxWeighted)) continue;
    Sum& sum = sums_[name];
    sum.weighted += Fixed128::FromDouble(weighted);
    sum.weight += weight;
  }
}

void MetricSums::Merge(const MetricSums& other) {
  for (const auto& [name, theirs] : other.sums_) {
    Sum& sum = sums_[name];
    sum.weighted += theirs.weighted;
    sum.weight += theirs.weight;
  }
}

std::map<std::string, double> MetricSums::Means() const {
  std::map<std::string, double> means;
  for (const auto& [name, sum] : sums_) {
    const double weight = sum.weight.ToDouble();
    if (weight > 0) means[name] = sum.weighted.ToDouble() / weight;
  }
  return means;
}

}  // namespace skein
