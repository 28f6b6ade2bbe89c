#include "app/run_watch.h"

#include <utility>

#include "app/plot/event_log.h"
#include "observe/event_fields.h"
#include "skein/base/status.h"

namespace skein {

absl::StatusOr<WatchEnd> WatchRun(RunsClient& client, const std::string& run, uint64_t from,
                                  bool follow, RunsClient::Watcher watcher,
                                  const std::function<bool()>& pause) {
  WatchEnd end;
  std::string id = run;  // the same run, when another of that name has come meanwhile
  uint64_t next = from;
  bool seen = false;
  absl::Status broken;
  RunsClient::Watcher inner;
  inner.on_waits = watcher.on_waits;
  inner.on_run = [&](const std::string& run_id) {
    id = run_id;
    if (!std::exchange(seen, true)) watcher.on_run(run_id);
  };
  inner.on_line = [&](uint64_t number, const std::string& line) {
    next = number + 1;
    watcher.on_line(number, line);
    const absl::StatusOr<Event> event = plot::ParseEvent(line);
    if (!event.ok() || event->type != event::kRunEnded) return;
    end = {TextField(event->fields, "status"), TextField(event->fields, "reason")};
  };
  while (true) {
    const absl::Status status = client.Watch(id, next, follow, inner);
    const bool lost = absl::IsUnavailable(status) && seen && follow;
    if (absl::IsCancelled(status)) return end;
    if (!lost && !status.ok()) return status;
    if (!lost || !end.status.empty()) break;
    if (!pause()) return end;
  }
  if (!follow || !end.status.empty()) return end;
  // It ended before it began: only the list knows how.
  SKEIN_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, client.List());
  for (const RunInfo& info : runs) {
    if (info.record.run_id == id) return WatchEnd{info.record.status, info.record.reason};
  }
  return end;
}

}  // namespace skein
