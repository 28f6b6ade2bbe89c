#include "skein/control/stopping.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace skein {
namespace {

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

std::string Plural(uint64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

bool LowerIsBetter(const std::string& metric) {
  for (const char* word : {"loss", "error", "perplexity"}) {
    if (metric.find(word) != std::string::npos) return true;
  }
  return false;
}

// ---- a plateau ----

Plateau::Plateau(uint64_t rounds, double min_delta, bool lower_is_better)
    : rounds_(rounds),
      min_delta_(min_delta),
      lower_is_better_(lower_is_better),
      best_(lower_is_better ? std::numeric_limits<double>::infinity()
                            : -std::numeric_limits<double>::infinity()) {}

bool Plateau::Stalled(uint64_t round, double value) {
  if (!std::exchange(has_value_, true)) best_round_ = round;
  // A NaN is better than nothing.
  const double gain = lower_is_better_ ? best_ - value : value - best_;
  if (gain > min_delta_) {
    best_ = value;
    best_round_ = round;
    return false;
  }
  return round - std::min(round, best_round_) >= rounds_;
}

// ---- the rules ----

Stopping::Stopping(StopRules rules, const EvaluateSpec& evaluate)
    : rules_(std::move(rules)), place_(evaluate.coordinator ? "coordinator" : "workers") {
  for (const StopPlateau& rule : rules_.plateaus) {
    plateaus_.push_back({rule, Plateau(rule.rounds, rule.min_delta, rule.lower_is_better)});
  }
}

void Stopping::Start(Time now) {
  if (rules_.time_s <= 0 || deadline_ != kNever) return;
  const Duration budget(std::llround(rules_.time_s * 1e9));
  deadline_ = budget < kNever - now ? now + budget : kNever;
}

Stopping::Reason Stopping::OnTime(Time now) const {
  if (now < deadline_) return std::nullopt;
  return "stop.time_s: " + Number(rules_.time_s) + " s have passed";
}

Stopping::Reason Stopping::OnCommitted(uint64_t round, const Metrics& training, uint64_t bytes) {
  if (auto reason = Judge(/*training=*/true, round, training)) return reason;
  const double megabytes = static_cast<double>(bytes) / 1e6;
  if (rules_.bytes_mb <= 0 || megabytes < rules_.bytes_mb) return std::nullopt;
  return "stop.bytes_mb: " + Number(megabytes) + " MB have been moved after round " +
         std::to_string(round) + ", " + Number(rules_.bytes_mb) + " MB are allowed";
}

Stopping::Reason Stopping::OnEvaluated(uint64_t round, const std::string& where,
                                       const Metrics& metrics) {
  if (where != place_) return std::nullopt;
  return Judge(/*training=*/false, round, metrics);
}

Stopping::Reason Stopping::Judge(bool training, uint64_t round, const Metrics& metrics) {
  Reason reason;
  for (const StopTarget& rule : rules_.targets) {
    if (rule.training != training) continue;
    const double* value = Find(metrics, rule.metric, training, "stop.metric");
    if (value == nullptr || reason) continue;
    if (rule.at_least ? *value >= rule.value : *value <= rule.value) {
      reason = "stop.metric: " + rule.metric + " is " + Number(*value) + " after round " +
               std::to_string(round) + (rule.at_least ? ", at least " : ", at most ") +
               Number(rule.value) + " was wanted";
    }
  }
  for (Following& following : plateaus_) {
    const StopPlateau& rule = following.rule;
    if (rule.training != training) continue;
    const double* value = Find(metrics, rule.metric, training, "stop.plateau");
    if (value == nullptr) continue;
    if (!following.plateau.Stalled(round, *value) || reason) continue;
    reason = "stop.plateau: " + rule.metric + " is no better by more than " +
             Number(rule.min_delta) + " for " + Plural(rule.rounds, "round") + ", the best was " +
             Number(following.plateau.best()) + " after round " +
             std::to_string(following.plateau.best_round());
  }
  return reason;
}

const double* Stopping::Find(const Metrics& metrics, const std::string& name, bool training,
                             const char* rule) {
  const auto found = metrics.find(name);
  if (found != metrics.end()) return &found->second;
  if (!missed_.insert(std::string(rule) + name + (training ? "t" : "e")).second) return nullptr;
  std::string known;
  for (const auto& [metric, value] : metrics) known += (known.empty() ? "" : ", ") + metric;
  warnings_.push_back(std::string(rule) + ": " + (training ? "training" : "the evaluation") +
                      " reports no '" + name + "'" +
                      (known.empty() ? ", it reports nothing" : "; it reports " + known));
  return nullptr;
}

std::vector<std::string> Stopping::TakeWarnings() { return std::exchange(warnings_, {}); }

}  // namespace skein
