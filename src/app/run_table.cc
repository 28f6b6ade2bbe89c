#include "app/run_table.h"

#include <algorithm>
#include <array>

#include "skein/base/value.h"

namespace skein {
namespace {

Value ToValue(const RunInfo& run) {
  const SubmissionRecord& record = run.record;
  return ValueMap{{"run", record.run_id},
                  {"name", record.name},
                  {"status", record.status},
                  {"reason", record.reason},
                  {"waits", run.waits},
                  {"nodes", record.nodes},
                  {"rounds", record.rounds},
                  {"submitted", record.submitted},
                  {"started", record.started},
                  {"ended", record.ended},
                  {"model_digest", record.model_digest}};
}

}  // namespace

std::string ToJson(const RunInfo& run) { return ToJson(ToValue(run)); }

std::string ToJson(const std::vector<RunInfo>& runs) {
  ValueList list;
  for (const RunInfo& run : runs) list.push_back(ToValue(run));
  return ToJson(Value(std::move(list)));
}

std::string ToTable(const std::vector<RunInfo>& runs) {
  using Row = std::array<std::string, 6>;
  std::vector<Row> rows = {{"run", "status", "rounds", "nodes", "submitted", ""}};
  for (const RunInfo& run : runs) {
    const SubmissionRecord& record = run.record;
    rows.push_back({record.run_id, record.status, std::to_string(record.rounds),
                    std::to_string(record.nodes), record.submitted,
                    run.waits.empty() ? record.reason : run.waits});
  }
  std::array<size_t, 6> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const bool number = i == 2 || i == 3;
      const std::string pad(widths[i] - row[i].size(), ' ');
      line += (i == 0 ? "" : "  ") + (number ? pad + row[i] : row[i] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
  return text;
}

}  // namespace skein
