#include "federation/run_recorder.h"

#include <cerrno>
#include <cstring>
#include <optional>

#include "federation/run_directory.h"
#include "observe/event_fields.h"
#include "observe/summarizing_sink.h"
#include "runtime/node_shell.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr size_t kMostNodesInDetail = 10'000;

Value OrNull(const std::map<std::string, double>& metrics, const std::string& name) {
  const auto it = metrics.find(name);
  return it == metrics.end() ? Value() : Value(it->second);
}

std::string Cell(const std::optional<double>& value) { return value ? ToJson(Value(*value)) : ""; }

std::string CsvHeader(int aggregating_tiers) {
  std::string header = "round,wall_s,contributors,samples,loss,accuracy";
  for (int t = 0; t < aggregating_tiers; ++t) {
    const std::string tier = 't' + std::to_string(t);
    header += ',' + tier + "_up," + tier + "_down";
  }
  return header;
}

std::string CsvRow(const RoundSummary& round, int aggregating_tiers) {
  std::string row = std::to_string(round.round) + ',' + ToJson(Value(round.wall_s)) + ',' +
                    std::to_string(round.contributors) + ',' + std::to_string(round.samples) + ',' +
                    Cell(round.Evaluated("loss")) + ',' + Cell(round.Evaluated("accuracy"));
  for (size_t t = 0; t < static_cast<size_t>(aggregating_tiers); ++t) {
    const TierTraffic bytes = t < round.bytes.size() ? round.bytes[t] : TierTraffic{};
    row += ',' + std::to_string(bytes.up) + ',' + std::to_string(bytes.down);
  }
  return row;
}

}  // namespace

std::string ToJson(const RunResult& result) {
  ValueMap metrics;
  for (const auto& [name, value] : result.metrics) metrics[name] = value;
  ValueList bytes;
  for (size_t tier = 0; tier < result.bytes.size(); ++tier) {
    bytes.push_back(ValueMap{{"tier", uint64_t{tier}},
                             {"up", result.bytes[tier].up},
                             {"down", result.bytes[tier].down}});
  }
  return ToJson(Value(ValueMap{{"status", result.status},
                               {"reason", result.reason},
                               {"rounds", result.rounds},
                               {"wall_s", result.wall_s},
                               {"loss", OrNull(result.metrics, "loss")},
                               {"accuracy", OrNull(result.metrics, "accuracy")},
                               {"metrics", std::move(metrics)},
                               {"model_digest", result.model_digest},
                               {"contributions", result.contributions},
                               {"rejected", result.rejected},
                               {"bytes", std::move(bytes)},
                               {"peak_rss_mib", result.peak_rss_mib}}));
}

absl::StatusOr<std::shared_ptr<RunRecorder>> RunRecorder::Create(
    const std::string& directory, const std::string& spec_yaml,
    std::shared_ptr<const Topology> topology, EventDetail detail) {
  const int aggregating_tiers = topology->num_tiers() - 1;
  std::shared_ptr<RunRecorder> recorder(new RunRecorder(directory, aggregating_tiers));
  recorder->result_.directory = directory;
  if (directory.empty()) return recorder;
  SKEIN_RETURN_IF_ERROR(WriteFileAtomically(directory + "/spec.yaml", spec_yaml));
  SKEIN_ASSIGN_OR_RETURN(recorder->events_, JsonLinesSink::Create(directory + "/events.jsonl"));
  recorder->log_ = recorder->events_;
  const bool many = topology->nodes().size() > kMostNodesInDetail;
  if (detail == EventDetail::kSummary || (detail == EventDetail::kAuto && many)) {
    recorder->log_ = std::make_shared<SummarizingSink>(recorder->events_, std::move(topology));
  }
  const std::string path = directory + "/rounds.csv";
  recorder->csv_ = File(std::fopen(path.c_str(), "wxe"));
  if (recorder->csv_ == nullptr) {
    return absl::UnavailableError("cannot create " + path + ": " + std::strerror(errno));
  }
  recorder->WriteRow(CsvHeader(aggregating_tiers));
  SKEIN_RETURN_IF_ERROR(recorder->csv_status_);
  return recorder;
}

void RunRecorder::OnEvent(const Event& event) {
  std::lock_guard lock(mutex_);
  if (log_ != nullptr) log_->OnEvent(event);
  if (event.type == event::kUpdateRejected) ++result_.rejected;
  if (event.type == event::kUpdatesDropped) {
    result_.rejected += CountField(event.fields, "updates");
  }
  // At once, not when the round is concluded: what is committed counts even if the run is cut.
  const bool version = event.type == event::kVersionCommitted;
  if (version || event.type == event::kRoundCommitted) {
    ++result_.rounds;
    result_.contributions += CountField(event.fields, version ? "updates" : "contributors");
    const std::string digest = TextField(event.fields, "digest");
    if (!digest.empty()) result_.model_digest = digest;  // of what is stored
  }
  for (const RoundSummary& round : rounds_.OnEvent(event)) Count(round);
  if (event.type == event::kRunEnded) End(event);
}

RunResult RunRecorder::result() const {
  std::lock_guard lock(mutex_);
  return result_;
}

void RunRecorder::Count(const RoundSummary& round) {
  if (!round.evaluation.empty()) result_.metrics = round.evaluation;
  WriteRow(CsvRow(round, aggregating_tiers_));
}

void RunRecorder::WriteRow(const std::string& row) {
  if (csv_ == nullptr || !csv_status_.ok()) return;
  const std::string line = row + '\n';
  if (std::fwrite(line.data(), 1, line.size(), csv_.get()) != line.size() ||
      std::fflush(csv_.get()) != 0) {
    csv_status_ = absl::UnavailableError("cannot write " + directory_ +
                                         "/rounds.csv: " + std::strerror(errno));
  }
}

absl::Status RunRecorder::RecordStatus() const {
  if (events_ != nullptr && !events_->status().ok()) return events_->status();
  return csv_status_;
}

void RunRecorder::End(const Event& event) {
  const ValueMap& fields = event.fields;
  result_.status = TextField(fields, "status");
  result_.reason = TextField(fields, "reason");
  if (!rounds_.late_evaluation().empty()) result_.metrics = rounds_.late_evaluation();
  const std::string digest = TextField(fields, "digest");
  if (!digest.empty()) result_.model_digest = digest;
  result_.wall_s = NumberField(fields, "wall_s").value_or(0);
  result_.peak_rss_mib = NumberField(fields, "peak_rss_mib").value_or(0);
  // Simulated nodes report none, so that their events are a function of the spec.
  if (result_.peak_rss_mib == 0) result_.peak_rss_mib = PeakRssMib();
  result_.bytes.clear();
  for (const TierTraffic& tier : TrafficOf(event)) result_.bytes.push_back({tier.up, tier.down});
  if (directory_.empty()) return;
  NoteRecordError(RecordStatus());
  NoteRecordError(WriteFileAtomically(directory_ + "/result.json", ToJson(result_) + '\n'));
}

// A run whose record is incomplete has failed, if nothing worse was the matter.
void RunRecorder::NoteRecordError(const absl::Status& status) {
  if (status.ok()) return;
  if (result_.record_error.empty()) result_.record_error = Message(status);
  if (result_.status == "completed") result_.reason = Message(status);
  result_.status = "failed";
}

}  // namespace skein
