#ifndef SKEIN_SRC_APP_SWEEP_GRID_H_
#define SKEIN_SRC_APP_SWEEP_GRID_H_

#include <cstddef>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

namespace skein::sweep {

inline constexpr size_t kMostPoints = 10'000;

// A key of the spec with the values that it takes in turn.
struct Axis {
  std::string path;
  std::vector<std::string> values;  // YAML, as written
  friend bool operator==(const Axis&, const Axis&) = default;
};

// One choice of values, one for each axis in their order.
struct Point {
  std::string name;  // of its run directory: "lr=0.05,seed=1"; a function of the grid alone
  std::vector<std::string> values;
};

// "path=a,b,c". Commas within brackets, braces and quotes belong to a value. InvalidArgument.
absl::StatusOr<Axis> ParseAxis(const std::string& text);

// One axis a text; no path twice, and no more than kMostPoints points. InvalidArgument.
absl::StatusOr<std::vector<Axis>> ParseGrid(const std::vector<std::string>& texts);

// The product of the axes; the last one changes from point to point.
std::vector<Point> PointsOf(const std::vector<Axis>& grid);

// A short name for each axis: as much of the end of its path as tells it from the others.
std::vector<std::string> ShortNames(const std::vector<Axis>& grid);

}  // namespace skein::sweep

#endif  // SKEIN_SRC_APP_SWEEP_GRID_H_
