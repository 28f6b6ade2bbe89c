#include "app/plot/evaluations.h"

#include <utility>

#include "observe/event_fields.h"
#include "skein/observe/round_tracker.h"

namespace skein::plot {

void Evaluations::OnEvent(const Event& event) {
  if (event.type == event::kRoundOpened) {
    if (!started_s_) started_s_ = event.time_s;
  } else if (event.type == event::kRoundCommitted || event.type == event::kVersionCommitted) {
    OnCommitted(event);
  } else if (event.type == event::kEvaluated) {
    OnEvaluated(event);
  }
}

void Evaluations::OnCommitted(const Event& event) {
  const bool version = event.type == event::kVersionCommitted;
  spent_.time_s = event.time_s - started_s_.value_or(0);
  spent_.rounds = event.round;
  spent_.updates += CountField(event.fields, version ? "updates" : "contributors");
  const std::vector<TierTraffic> tiers = TrafficOf(event);
  for (size_t tier = 0; tier < tiers.size(); ++tier) {
    const double bytes =
        static_cast<double>(tiers[tier].up) + static_cast<double>(tiers[tier].down);
    spent_.bytes += bytes;
    if (tier == 0) spent_.bytes_at_root += bytes;
  }
  made_[event.round] = spent_;
}

void Evaluations::OnEvaluated(const Event& event) {
  const auto made = made_.find(event.round);
  if (made == made_.end()) return;
  const bool coordinator = TextField(event.fields, "where") == "coordinator";
  bool& by_coordinator = by_coordinator_[event.round];
  if (by_coordinator && !coordinator) return;
  by_coordinator = coordinator;
  Evaluation evaluation{made->second, NumbersField(event.fields, "metrics")};
  for (const char* metric : {"loss", "accuracy"}) {
    if (const auto value = NumberField(event.fields, metric)) evaluation.metrics[metric] = *value;
  }
  evaluated_[event.round] = std::move(evaluation);
}

std::vector<Evaluation> Evaluations::Take() {
  std::vector<Evaluation> evaluations;
  for (auto& [round, evaluation] : evaluated_) evaluations.push_back(std::move(evaluation));
  evaluated_.clear();
  return evaluations;
}

}  // namespace skein::plot
