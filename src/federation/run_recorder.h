#ifndef SKEIN_SRC_FEDERATION_RUN_RECORDER_H_
#define SKEIN_SRC_FEDERATION_RUN_RECORDER_H_

#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include <absl/status/statusor.h>

#include "federation/event_detail.h"
#include "skein/federation/federation.h"
#include "skein/observe/json_lines.h"
#include "skein/observe/round_tracker.h"
#include "skein/topology/topology.h"

namespace skein {

// The content of result.json.
std::string ToJson(const RunResult& result);

// Turns the events of a run into its record: the files of the run directory, except for the model,
// and the RunResult. Events come from one executor at a time; the other methods may be called from
// any thread.
class RunRecorder : public EventSink {
 public:
  // Writes into `directory`, which is there and is empty; with "" nothing is written.
  static absl::StatusOr<std::shared_ptr<RunRecorder>> Create(
      const std::string& directory, const std::string& spec_yaml,
      std::shared_ptr<const Topology> topology, EventDetail detail = EventDetail::kAuto);

  void OnEvent(const Event& event) override;

  // As far as the run has come. A record that could not be written makes a run "failed": nobody
  // could tell later what it did.
  RunResult result() const;

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  RunRecorder(std::string directory, int aggregating_tiers)
      : directory_(std::move(directory)), aggregating_tiers_(aggregating_tiers) {}
  void Count(const RoundSummary& round);
  void WriteRow(const std::string& row);
  void End(const Event& event);
  absl::Status RecordStatus() const;
  void NoteRecordError(const absl::Status& status);

  const std::string directory_;
  const int aggregating_tiers_;
  mutable std::mutex mutex_;
  std::shared_ptr<JsonLinesSink> events_;  // null without a directory
  std::shared_ptr<EventSink> log_;         // what is written to it
  File csv_;                               // null without a directory
  absl::Status csv_status_;
  RoundTracker rounds_;
  RunResult result_;
};

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_RUN_RECORDER_H_
