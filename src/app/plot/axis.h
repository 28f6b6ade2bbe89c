#ifndef SKEIN_SRC_APP_PLOT_AXIS_H_
#define SKEIN_SRC_APP_PLOT_AXIS_H_

#include <string>
#include <vector>

namespace skein::plot {

// Maps values to positions on a line, with ticks at round values. A value.
class Axis {
 public:
  // From `low` to `high`, which may be equal, at positions `begin` to `end`; not many more than
  // `max_ticks` ticks. `to_ticks`: the ends are moved outward to ticks. All numbers are finite.
  Axis(double low, double high, double begin, double end, int max_ticks, bool to_ticks);

  double At(double value) const;  // the nearer end for a value beyond it
  const std::vector<double>& ticks() const { return ticks_; }
  // With as many decimals as tell ticks apart: "0.25", "1,500".
  std::string Label(double tick) const;

 private:
  double low_;
  double high_;
  double begin_;
  double end_;
  double step_;
  std::vector<double> ticks_;
};

// A unit that makes numbers of a plot short: "min", of 60 seconds.
struct Unit {
  std::string name;
  double size = 1;
};
Unit TimeUnit(double seconds_max);
Unit ByteUnit(double bytes_max);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_AXIS_H_
