#include "conditions/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

constexpr char kHeader[] = "worker,task,seconds";
constexpr size_t kMaxBytes = size_t{1} << 30;

template <typename T>
bool ParseAll(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

absl::Status AddLine(std::string_view line, const std::string& where, TaskTraces& traces) {
  const auto bad = [&](const std::string& what) {
    return absl::InvalidArgumentError(where + ": " + what);
  };
  const size_t first = line.find(',');
  const size_t second = first == line.npos ? line.npos : line.find(',', first + 1);
  if (second == line.npos || line.find(',', second + 1) != line.npos || first == 0) {
    return bad("not of the form " + std::string(kHeader));
  }
  const std::string_view task_text = line.substr(first + 1, second - first - 1);
  const std::string_view seconds_text = line.substr(second + 1);
  uint64_t task = 0;
  double seconds = 0;
  if (!ParseAll(task_text, task)) return bad(QuoteName(task_text) + " is no number of a task");
  if (!ParseAll(seconds_text, seconds) || !std::isfinite(seconds) || seconds < 0 || seconds > 1e9) {
    return bad(QuoteName(seconds_text) + " is no number of seconds from 0 to 1e9");
  }
  const std::string worker(line.substr(0, first));
  std::vector<double>& trace = traces[worker];
  if (task != trace.size()) {
    return bad("task " + std::to_string(task) + " of worker " + QuoteName(worker) + " where " +
               std::to_string(trace.size()) +
               " is due: number the tasks of each worker from 0, without a gap");
  }
  trace.push_back(seconds);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<TaskTraces> ParseTaskTraces(const std::string& text, const std::string& name) {
  TaskTraces traces;
  size_t number = 0;
  bool header = false;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    begin = end + 1;
    ++number;
    if (line.empty()) continue;
    const std::string where = name + ":" + std::to_string(number);
    if (!header) {
      if (line != kHeader) {
        return absl::InvalidArgumentError(where + ": the first line must be " + kHeader);
      }
      header = true;
      continue;
    }
    SKEIN_RETURN_IF_ERROR(AddLine(line, where, traces));
  }
  if (traces.empty()) return absl::InvalidArgumentError(name + ": has no tasks");
  return traces;
}

absl::StatusOr<TaskTraces> ReadTaskTraces(const std::string& path) {
  const auto text = ReadTextFile(path, kMaxBytes);
  if (!text.ok()) return Annotate(text.status(), "cannot read the trace");
  return ParseTaskTraces(*text, path);
}

}  // namespace skein
