#include "app/plot/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace skein::plot {
namespace {

constexpr double kLargest = 1e200;    // differences of what is plotted stay finite
constexpr double kSmallest = 1e-200;  // less is as good as 0
constexpr double kSlack = 1e-9;       // of a step, for rounding

// 1, 2, 2.5 or 5 times a power of ten.
double RoundStep(double least) {
  const double unit = std::pow(10, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0}) {
    if (factor * unit >= least * (1 - kSlack)) return factor * unit;
  }
  return 10 * unit;
}

std::string WithCommas(std::string digits) {
  const size_t first = digits[0] == '-' ? 1 : 0;
  const size_t point = std::min(digits.find('.'), digits.size());
  for (size_t at = point; at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace

Axis::Axis(double low, double high, double begin, double end, int max_ticks, bool to_ticks)
    : low_(std::clamp(low, -kLargest, kLargest)),
      high_(std::clamp(high, -kLargest, kLargest)),
      begin_(begin),
      end_(end) {
  // Values that are all but equal would have ticks that no label tells apart.
  const double size = std::max(std::abs(low_), std::abs(high_));
  const double least = size > kSmallest ? size * 1e-4 : 1;
  if (high_ - low_ < least) {
    const double middle = low_ + (high_ - low_) / 2;
    low_ = low_ >= 0 ? std::max(0.0, middle - least / 2) : middle - least / 2;
    high_ = low_ + least;
  }
  step_ = RoundStep((high_ - low_) / max_ticks);
  if (to_ticks) {
    low_ = step_ * std::floor(low_ / step_ + kSlack);
    high_ = step_ * std::ceil(high_ / step_ - kSlack);
  }
  const double last = std::floor(high_ / step_ + kSlack);
  for (double tick = std::ceil(low_ / step_ - kSlack); tick <= last; ++tick) {
    ticks_.push_back(tick * step_);
  }
}

double Axis::At(double value) const {
  return begin_ + (std::clamp(value, low_, high_) - low_) / (high_ - low_) * (end_ - begin_);
}

std::string Axis::Label(double tick) const {
  const double largest = std::max(std::abs(low_), std::abs(high_));
  char text[64];
  if (largest >= 1e9 || step_ < 1e-6) {
    std::snprintf(text, sizeof(text), "%.7g", tick);
    return text;
  }
  int decimals = std::max(0, -static_cast<int>(std::floor(std::log10(step_) + kSlack)));
  const double shown = step_ * std::pow(10, decimals);
  if (std::abs(shown - std::round(shown)) > 1e-6) ++decimals;  // 0.25
  std::snprintf(text, sizeof(text), "%.*f", decimals, tick == 0 ? 0.0 : tick);
  return WithCommas(text);
}

Unit TimeUnit(double seconds_max) {
  if (seconds_max <= 600) return {"s", 1};
  if (seconds_max <= 4 * 3600) return {"min", 60};
  if (seconds_max <= 72 * 3600) return {"h", 3600};
  return {"days", 86400};
}

Unit ByteUnit(double bytes_max) {
  Unit unit{"B", 1};
  for (const char* name : {"kB", "MB", "GB", "TB", "PB"}) {
    if (bytes_max < 1000 * unit.size) break;
    unit = {name, unit.size * 1000};
  }
  return unit;
}

}  // namespace skein::plot
