#ifndef SKEIN_SRC_APP_SWEEP_SWEEP_TABLE_H_
#define SKEIN_SRC_APP_SWEEP_SWEEP_TABLE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/sweep/grid.h"
#include "skein/base/value.h"
#include "skein/federation/federation.h"

namespace skein::sweep {

// What became of a point.
struct Row {
  // As in result.json; or "cut": its directory has no result; or "pending": it has not begun.
  std::string status = "pending";
  std::string reason;
  uint64_t rounds = 0;
  double wall_s = 0;
  std::optional<double> loss;
  std::optional<double> accuracy;
  std::string digest;

  bool completed() const { return status == "completed"; }
};

Row RowOf(const RunResult& result);

// A sweep as it stands: a row for each point, in their order. Writers are functions of it alone.
struct Table {
  std::string directory;
  std::vector<Axis> grid;
  std::vector<Point> points;
  std::vector<Row> rows;

  size_t completed() const;
};

// For a person: a line a point, then one that counts them.
std::string ToText(const Table& table);
// For a spreadsheet: the columns point, the path of each axis, status, rounds, loss, accuracy,
// wall_s, digest, reason.
std::string ToCsv(const Table& table);
// One JSON document.
std::string ToJson(const Table& table);

}  // namespace skein::sweep

#endif  // SKEIN_SRC_APP_SWEEP_SWEEP_TABLE_H_
