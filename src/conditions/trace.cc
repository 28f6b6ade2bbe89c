#include "conditions/trace.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "base/csv_lines.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

constexpr char kTaskHeader[] = "worker,task,seconds";
constexpr char kPresenceHeader[] = "worker,from_s,to_s";
constexpr size_t kMaxBytes = size_t{1} << 30;

absl::StatusOr<double> SecondsOf(std::string_view text) {
  double seconds = 0;
  if (ParseNumber(text, seconds) && std::isfinite(seconds) && seconds >= 0 && seconds <= 1e9) {
    return seconds;
  }
  return absl::InvalidArgumentError(QuoteName(text) + " is no number of seconds from 0 to 1e9");
}

absl::Status AddTask(const CsvLine& line, TaskTraces& traces) {
  uint64_t task = 0;
  if (!ParseNumber(line.fields[1], task)) {
    return absl::InvalidArgumentError(QuoteName(line.fields[1]) + " is no number of a task");
  }
  SKEIN_ASSIGN_OR_RETURN(const double seconds, SecondsOf(line.fields[2]));
  std::vector<double>& trace = traces[NodeId(line.fields[0])];
  if (task != trace.size()) {
    return absl::InvalidArgumentError(
        "task " + std::to_string(task) + " of worker " + QuoteName(line.fields[0]) + " where " +
        std::to_string(trace.size()) +
        " is due: number the tasks of each worker from 0, without a gap");
  }
  trace.push_back(seconds);
  return absl::OkStatus();
}

absl::Status AddPresence(const CsvLine& line, PresenceTraces& traces) {
  Presence presence{.line = line.number};
  SKEIN_ASSIGN_OR_RETURN(const double from, SecondsOf(line.fields[1]));
  presence.from = FromSeconds(from);
  presence.to = kNever;
  if (line.fields[2] != "inf") {
    SKEIN_ASSIGN_OR_RETURN(const double to, SecondsOf(line.fields[2]));
    presence.to = FromSeconds(to);
  }
  const std::string who = "worker " + QuoteName(line.fields[0]);
  if (presence.to <= presence.from) {
    return absl::InvalidArgumentError(who + " is there until " + std::string(line.fields[2]) +
                                      " s, which is no later than from " +
                                      std::string(line.fields[1]) + " s");
  }
  std::vector<Presence>& trace = traces[NodeId(line.fields[0])];
  if (!trace.empty() && presence.from < trace.back().to) {
    return absl::InvalidArgumentError(
        who + " is there from " + std::string(line.fields[1]) + " s, before the time of line " +
        std::to_string(trace.back().line) + " is over: put its lines in order, without an overlap");
  }
  trace.push_back(presence);
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadTrace(const std::string& path) {
  auto text = ReadTextFile(path, kMaxBytes);
  if (!text.ok()) return Annotate(text.status(), "cannot read the trace");
  return text;
}

}  // namespace

absl::StatusOr<TaskTraces> ParseTaskTraces(const std::string& text, const std::string& name) {
  TaskTraces traces;
  SKEIN_RETURN_IF_ERROR(ForEachCsvLine(text, name, kTaskHeader,
                                       [&](const CsvLine& line) { return AddTask(line, traces); }));
  if (traces.empty()) return absl::InvalidArgumentError(name + ": has no tasks");
  return traces;
}

absl::StatusOr<PresenceTraces> ParsePresenceTraces(const std::string& text,
                                                   const std::string& name) {
  PresenceTraces traces;
  SKEIN_RETURN_IF_ERROR(ForEachCsvLine(
      text, name, kPresenceHeader, [&](const CsvLine& line) { return AddPresence(line, traces); }));
  if (traces.empty()) return absl::InvalidArgumentError(name + ": has no times");
  return traces;
}

absl::StatusOr<TaskTraces> ReadTaskTraces(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTrace(path));
  return ParseTaskTraces(text, path);
}

absl::StatusOr<PresenceTraces> ReadPresenceTraces(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTrace(path));
  return ParsePresenceTraces(text, path);
}

}  // namespace skein
