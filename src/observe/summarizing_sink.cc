#include "observe/summarizing_sink.h"

#include <cmath>
#include <utility>

#include "observe/event_fields.h"

namespace skein {
namespace {

constexpr size_t kMaxReasons = 8;
constexpr int kShortest = -10;  // a millisecond and less are one class

int WaitClass(double seconds) {
  if (seconds <= std::ldexp(1.0, kShortest)) return kShortest;
  return static_cast<int>(std::ceil(std::log2(seconds)));
}

}  // namespace

void SummarizingSink::OnEvent(const Event& event) {
  if (Count(event)) return;
  if (event.type == event::kRoundOpened) opened_s_ = event.time_s;
  const bool version = event.type == event::kVersionCommitted;
  if (event.type == event::kRoundCommitted || event.type == event::kRunEnded ||
      (version && updates_ >= topology_->num_workers())) {
    Flush(event);
  }
  if (version) opened_s_ = event.time_s;
  inner_->OnEvent(event);
}

bool SummarizingSink::Count(const Event& event) {
  const bool accepted = event.type == event::kUpdateAccepted;
  const bool rejected = event.type == event::kUpdateRejected;
  const bool left_out = event.type == event::kWorkerLeftOut;
  const bool started = event.type == event::kNodeStarted;
  const bool lost = event.type == event::kNodeLost;
  if (!accepted && !rejected && !left_out && !started && !lost) return false;
  const auto node = topology_->Find(event.node);
  if (!node || topology_->node(*node).role != NodeRole::kWorker) return false;
  Tally& tally = tallies_[*topology_->node(*node).parent];
  tally.started += started;
  tally.lost += lost;
  tally.accepted += accepted;
  tally.rejected += rejected;
  tally.left_out += left_out;
  if (accepted) {
    ++updates_;
    tally.samples += CountField(event.fields, "samples");
    ++tally.waits[WaitClass(event.time_s - opened_s_)];
    if (event.fields.contains("staleness")) {
      ++tally.staleness[CountField(event.fields, "staleness")];
    }
  } else if (!started) {
    const std::string reason = TextField(event.fields, "reason");
    const bool known = tally.reasons.contains(reason) || tally.reasons.size() < kMaxReasons;
    ++tally.reasons[known ? reason : "others"];
  }
  return true;
}

void SummarizingSink::Flush(const Event& before) {
  for (const auto& [parent, tally] : std::exchange(tallies_, {})) {
    Event summary{
        before.time_s, event::kWorkersSummarized, before.round, topology_->node(parent).id, {}};
    summary.fields = {{"accepted", tally.accepted},
                      {"samples", tally.samples},
                      {"rejected", tally.rejected},
                      {"left_out", tally.left_out}};
    if (tally.started != 0) summary.fields["started"] = tally.started;
    if (tally.lost != 0) summary.fields["lost"] = tally.lost;
    ValueMap reasons;
    for (const auto& [reason, count] : tally.reasons) reasons[reason] = count;
    if (!reasons.empty()) summary.fields["reasons"] = std::move(reasons);
    ValueList waits;
    for (const auto& [power, count] : tally.waits) {
      waits.emplace_back(ValueMap{{"up_to_s", std::ldexp(1.0, power)}, {"updates", count}});
    }
    if (!waits.empty()) summary.fields["waits"] = std::move(waits);
    ValueList staleness;
    for (const auto& [versions, count] : tally.staleness) {
      staleness.emplace_back(ValueMap{{"versions", versions}, {"updates", count}});
    }
    if (!staleness.empty()) summary.fields["staleness"] = std::move(staleness);
    inner_->OnEvent(summary);
  }
  updates_ = 0;
}

}  // namespace skein
