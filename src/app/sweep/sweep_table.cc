#include "app/sweep/sweep_table.h"

#include <algorithm>
#include <utility>

#include "app/formatted.h"
#include "app/text_table.h"
#include "topology/yaml_reader.h"

namespace skein::sweep {
namespace {

constexpr size_t kDigestShown = 12;   // enough to tell models apart; the files have all of it
constexpr size_t kWidestColumn = 40;  // of what the user wrote

std::optional<double> Metric(const RunResult& result, const std::string& name) {
  const auto it = result.metrics.find(name);
  return it == result.metrics.end() ? std::nullopt : std::optional(it->second);
}

// ---- text ----

std::string Shortened(const std::string& text) {
  return text.size() <= kWidestColumn ? text : text.substr(0, kWidestColumn - 3) + "...";
}

std::string Number(const char* format, const std::optional<double>& value) {
  return value ? Formatted(format, *value) : "-";
}

std::vector<TextColumn> ColumnsOf(const Table& table) {
  std::vector<TextColumn> columns;
  const std::vector<std::string> names = ShortNames(table.grid);
  for (size_t axis = 0; axis < table.grid.size(); ++axis) {
    TextColumn& column = columns.emplace_back();
    column.cells.push_back(names[axis]);
    for (const Point& point : table.points) column.cells.push_back(Shortened(point.values[axis]));
  }
  TextColumn status{false, {"status"}}, rounds{true, {"rounds"}}, loss{true, {"loss"}};
  TextColumn accuracy{true, {"accuracy"}}, wall{true, {"wall_s"}}, digest{false, {"digest"}};
  for (const Row& row : table.rows) {
    const bool ran = row.status != "pending" && row.status != "cut";
    status.cells.push_back(row.status);
    rounds.cells.push_back(ran ? std::to_string(row.rounds) : "-");
    loss.cells.push_back(Number("%.4f", row.loss));
    accuracy.cells.push_back(Number("%.4f", row.accuracy));
    wall.cells.push_back(ran ? Formatted("%.1f", row.wall_s) : "-");
    digest.cells.push_back(row.digest.empty() ? "-" : row.digest.substr(0, kDigestShown));
  }
  for (TextColumn* column : {&status, &rounds, &loss, &accuracy, &wall, &digest}) {
    columns.push_back(std::move(*column));
  }
  return columns;
}

// ---- CSV ----

std::string CsvField(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string CsvNumber(const std::optional<double>& value) {
  return value ? ToJson(Value(*value)) : "";
}

// ---- JSON ----

// A setting as the YAML that it is: a number is a number.
Value Setting(const std::string& text) {
  const auto document = YamlDocument::Parse(text, "value");
  if (!document.ok()) return text;
  auto value = ToValue(*document, document->root());
  return value.ok() ? *std::move(value) : Value(text);
}

Value OrNull(const std::optional<double>& value) { return value ? Value(*value) : Value(); }

}  // namespace

Row RowOf(const RunResult& result) {
  return {.status = result.status,
          .reason = result.reason,
          .rounds = result.rounds,
          .wall_s = result.wall_s,
          .loss = Metric(result, "loss"),
          .accuracy = Metric(result, "accuracy"),
          .digest = result.model_digest};
}

size_t Table::completed() const {
  return static_cast<size_t>(std::ranges::count_if(rows, &Row::completed));
}

std::string ToText(const Table& table) {
  std::string out = TextTable(ColumnsOf(table));
  out += std::to_string(table.completed()) + " of " + std::to_string(table.points.size()) +
         " points completed; " + table.directory + "/sweep.csv\n";
  return out;
}

std::string ToCsv(const Table& table) {
  std::string out = "point";
  for (const Axis& axis : table.grid) out += ',' + CsvField(axis.path);
  out += ",status,rounds,loss,accuracy,wall_s,digest,reason\n";
  for (size_t i = 0; i < table.points.size(); ++i) {
    const Row& row = table.rows[i];
    out += CsvField(table.points[i].name);
    for (const std::string& value : table.points[i].values) out += ',' + CsvField(value);
    out += ',' + row.status + ',' + std::to_string(row.rounds) + ',' + CsvNumber(row.loss) + ',' +
           CsvNumber(row.accuracy) + ',' + CsvNumber(row.wall_s) + ',' + row.digest + ',' +
           CsvField(row.reason) + '\n';
  }
  return out;
}

std::string ToJson(const Table& table) {
  ValueList points;
  for (size_t i = 0; i < table.points.size(); ++i) {
    const Row& row = table.rows[i];
    ValueMap settings;
    for (size_t axis = 0; axis < table.grid.size(); ++axis) {
      settings[table.grid[axis].path] = Setting(table.points[i].values[axis]);
    }
    points.push_back(ValueMap{{"point", table.points[i].name},
                              {"directory", table.directory + '/' + table.points[i].name},
                              {"settings", std::move(settings)},
                              {"status", row.status},
                              {"reason", row.reason},
                              {"rounds", row.rounds},
                              {"loss", OrNull(row.loss)},
                              {"accuracy", OrNull(row.accuracy)},
                              {"wall_s", row.wall_s},
                              {"digest", row.digest}});
  }
  return ToJson(ValueMap{{"directory", table.directory},
                         {"completed", uint64_t{table.completed()}},
                         {"points", std::move(points)}}) +
         '\n';
}

}  // namespace skein::sweep
