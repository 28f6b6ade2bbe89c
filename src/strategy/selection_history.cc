#include "skein/strategy/selection_history.h"

#include <algorithm>
#include <cmath>

#include "skein/strategy/selector.h"

namespace skein {
namespace {

const WorkerRecord kNeverTaken;

}  // namespace

std::optional<double> WorkerRecord::RmsLoss() const {
  if (loss_squared) return std::sqrt(std::max(0.0, *loss_squared));
  if (loss) return std::abs(*loss);
  return std::nullopt;
}

const WorkerRecord& SelectionHistory::Of(LeafIndex leaf) const {
  return leaf < records_.size() ? records_[leaf] : kNeverTaken;
}

WorkerRecord& SelectionHistory::Mutable(LeafIndex leaf) {
  if (leaf >= records_.size()) records_.resize(leaf + size_t{1});
  return records_[leaf];
}

void SelectionHistory::Add(uint64_t round, const Roster& participants,
                           std::span<const WorkerReport> reports) {
  for (const Roster::Interval& interval : participants.intervals()) {
    for (LeafIndex leaf = interval.begin; leaf < interval.end; ++leaf) {
      WorkerRecord& record = Mutable(leaf);
      ++record.times_taken;
      record.last_taken = round;
    }
  }
  RoundUtility total{round, 0};
  for (const WorkerReport& report : reports) {
    if (!participants.Contains(report.leaf)) continue;
    WorkerRecord& record = Mutable(report.leaf);
    record.last_round = round;
    record.num_samples = report.num_samples;
    record.seconds = report.seconds;
    record.loss = report.loss;
    record.loss_squared = report.loss_squared;
    const std::optional<double> rms = record.RmsLoss();
    any_reported_ = true;
    any_loss_ = any_loss_ || rms.has_value();
    total.utility += static_cast<double>(report.num_samples) * rms.value_or(0);
  }
  if (!reports.empty()) utilities_.push_back(total);
}

const WorkerRecord& SelectionInput::RecordOf(LeafIndex leaf) const {
  return history != nullptr ? history->Of(leaf) : kNeverTaken;
}

}  // namespace skein
