#include "conditions/trace.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <string_view>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

constexpr char kTaskHeader[] = "worker,task,seconds";
constexpr char kPresenceHeader[] = "worker,from_s,to_s";
constexpr size_t kMaxBytes = size_t{1} << 30;

template <typename T>
bool ParseAll(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

absl::StatusOr<double> SecondsOf(std::string_view text) {
  double seconds = 0;
  if (ParseAll(text, seconds) && std::isfinite(seconds) && seconds >= 0 && seconds <= 1e9) {
    return seconds;
  }
  return absl::InvalidArgumentError(QuoteName(text) + " is no number of seconds from 0 to 1e9");
}

// A line: a worker and two more fields.
struct Line {
  NodeId worker;
  std::string_view second;
  std::string_view third;
  size_t number = 0;
};

// Every line after the header. Errors begin with `name` and the number of the line.
absl::Status ForEachLine(const std::string& text, const std::string& name,
                         const std::string& header,
                         const std::function<absl::Status(const Line&)>& take) {
  size_t number = 0;
  bool begun = false;
  const auto bad = [&](const std::string& what) {
    return absl::InvalidArgumentError(name + ":" + std::to_string(number) + ": " + what);
  };
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    begin = end + 1;
    ++number;
    if (line.empty()) continue;
    if (!begun) {
      if (line != header) return bad("the first line must be " + header);
      begun = true;
      continue;
    }
    const size_t first = line.find(',');
    const size_t second = first == line.npos ? line.npos : line.find(',', first + 1);
    if (second == line.npos || line.find(',', second + 1) != line.npos || first == 0) {
      return bad("not of the form " + header);
    }
    const absl::Status status =
        take({NodeId(line.substr(0, first)), line.substr(first + 1, second - first - 1),
              line.substr(second + 1), number});
    if (!status.ok()) return bad(Message(status));
  }
  return absl::OkStatus();
}

absl::Status AddTask(const Line& line, TaskTraces& traces) {
  uint64_t task = 0;
  if (!ParseAll(line.second, task)) {
    return absl::InvalidArgumentError(QuoteName(line.second) + " is no number of a task");
  }
  SKEIN_ASSIGN_OR_RETURN(const double seconds, SecondsOf(line.third));
  std::vector<double>& trace = traces[line.worker];
  if (task != trace.size()) {
    return absl::InvalidArgumentError(
        "task " + std::to_string(task) + " of worker " + QuoteName(line.worker) + " where " +
        std::to_string(trace.size()) +
        " is due: number the tasks of each worker from 0, without a gap");
  }
  trace.push_back(seconds);
  return absl::OkStatus();
}

absl::Status AddPresence(const Line& line, PresenceTraces& traces) {
  Presence presence{.line = line.number};
  SKEIN_ASSIGN_OR_RETURN(const double from, SecondsOf(line.second));
  presence.from = FromSeconds(from);
  presence.to = kNever;
  if (line.third != "inf") {
    SKEIN_ASSIGN_OR_RETURN(const double to, SecondsOf(line.third));
    presence.to = FromSeconds(to);
  }
  const std::string who = "worker " + QuoteName(line.worker);
  if (presence.to <= presence.from) {
    return absl::InvalidArgumentError(who + " is there until " + std::string(line.third) +
                                      " s, which is no later than from " +
                                      std::string(line.second) + " s");
  }
  std::vector<Presence>& trace = traces[line.worker];
  if (!trace.empty() && presence.from < trace.back().to) {
    return absl::InvalidArgumentError(
        who + " is there from " + std::string(line.second) + " s, before the time of line " +
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
  SKEIN_RETURN_IF_ERROR(ForEachLine(text, name, kTaskHeader,
                                    [&](const Line& line) { return AddTask(line, traces); }));
  if (traces.empty()) return absl::InvalidArgumentError(name + ": has no tasks");
  return traces;
}

absl::StatusOr<PresenceTraces> ParsePresenceTraces(const std::string& text,
                                                   const std::string& name) {
  PresenceTraces traces;
  SKEIN_RETURN_IF_ERROR(ForEachLine(text, name, kPresenceHeader,
                                    [&](const Line& line) { return AddPresence(line, traces); }));
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
