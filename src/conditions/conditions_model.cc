#include "skein/conditions/conditions_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "conditions/trace.h"
#include "skein/base/names.h"
#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// What a draw is for.
enum Purpose : uint64_t { kSpeed = 0xc0, kStragglers, kTraining, kEvaluation, kFailures, kNights };

double Lognormal(double sigma, uint64_t seed) {
  return sigma == 0 ? 1 : std::exp(sigma * Rng(seed).Normal());
}

double Exponential(double mean, uint64_t seed) { return -mean * std::log1p(-Rng(seed).Uniform()); }

// Seconds beyond this are never.
constexpr double kForever = 9e9;

Duration Seconds(double s) { return s >= kForever ? kNever : FromSeconds(s); }

// `count` of `total`, drawn without repetition.
std::vector<bool> Draw(uint64_t count, uint64_t total, uint64_t seed) {
  if (count == 0) return {};
  std::vector<LeafIndex> leaves(total);
  std::iota(leaves.begin(), leaves.end(), LeafIndex{0});
  Rng rng(seed);
  std::vector<bool> drawn(total, false);
  for (uint64_t i = 0; i < count; ++i) {
    std::swap(leaves[i], leaves[i + rng.Below(total - i)]);
    drawn[leaves[i]] = true;
  }
  return drawn;
}

}  // namespace

// ---- compute ----

double WorkerPace::Jitter(uint64_t purpose, uint64_t n) const {
  return Lognormal(compute_.jitter, DeriveSeed(seed_, {purpose, n}));
}

Duration WorkerPace::Training(uint64_t n, uint32_t steps) const {
  const double whole =
      trace_.empty() ? compute_.task_s * factor_ * Jitter(kTraining, n) : trace_[n % trace_.size()];
  const bool partly = steps > 0 && compute_.steps > 0;
  return FromSeconds(partly ? whole * steps / static_cast<double>(compute_.steps) : whole);
}

Duration WorkerPace::Evaluation(uint64_t n) const {
  return FromSeconds(compute_.evaluate_s * factor_ * Jitter(kEvaluation, n));
}

// ---- availability ----

// Days begin at an hour of the worker's own; the night follows the day.
std::optional<Absence> Absences::NextNight() {
  const double period = availability_.period_s;
  if (period == 0 || availability_.share >= 1) return std::nullopt;
  const double phase = Rng(DeriveSeed(seed_, {kNights})).Uniform();
  const double begin = (static_cast<double>(nights_) + availability_.share - phase) * period;
  const double end = begin + (1 - availability_.share) * period;
  ++nights_;
  if (end <= 0) return NextNight();
  return Absence{Seconds(std::max(0.0, begin)), Seconds(end)};
}

std::optional<Absence> Absences::NextFailure() {
  if (availability_.up_s == 0 || failed_until_ >= kForever) return std::nullopt;
  const uint64_t n = failures_++;
  const double begin =
      failed_until_ + Exponential(availability_.up_s, DeriveSeed(seed_, {kFailures, n, 0}));
  failed_until_ =
      availability_.down_s == 0
          ? kForever
          : begin + Exponential(availability_.down_s, DeriveSeed(seed_, {kFailures, n, 1}));
  return Absence{Seconds(begin), Seconds(failed_until_)};
}

// The two kinds of absences, merged where they overlap.
std::optional<Absence> Absences::Next() {
  if (!listed_.empty()) {
    const Absence next = listed_.back();
    listed_.pop_back();
    return next;
  }
  std::optional<Absence> next;
  while (true) {
    if (!failure_) failure_ = NextFailure();
    if (!night_) night_ = NextNight();
    std::optional<Absence>* first = nullptr;
    if (failure_ && (!night_ || failure_->from <= night_->from)) first = &failure_;
    if (first == nullptr && night_) first = &night_;
    if (first == nullptr) return next;
    if (!next) {
      next = **first;
    } else if ((*first)->from <= next->to) {
      next->to = std::max(next->to, (*first)->to);
    } else {
      return next;
    }
    first->reset();
    if (next->to == kNever) return next;
  }
}

// ---- the model ----

absl::StatusOr<std::shared_ptr<const ConditionsModel>> ConditionsModel::Create(
    const Conditions& conditions, uint64_t seed, uint64_t num_workers, int num_tiers) {
  std::shared_ptr<ConditionsModel> model(new ConditionsModel());
  model->conditions_ = conditions;
  model->seed_ = seed;
  model->num_workers_ = num_workers;
  model->num_tiers_ = num_tiers;
  for (const LinkConditions& link : conditions.links) {
    if (link.tier <= num_tiers - 2) continue;
    return absl::InvalidArgumentError("conditions.links: tier " + std::to_string(link.tier) +
                                      " has no children; the lowest that has some is " +
                                      std::to_string(num_tiers - 2));
  }
  const ComputeConditions& compute = conditions.compute;
  if (!compute.trace.empty()) {
    auto traces = ReadTaskTraces(compute.trace);
    if (!traces.ok()) return Annotate(traces.status(), "conditions.compute.trace");
    model->traces_ = *std::move(traces);
  }
  if (const std::string& trace = conditions.availability.trace; !trace.empty()) {
    auto presences = ReadPresenceTraces(trace);
    if (!presences.ok()) return Annotate(presences.status(), "conditions.availability.trace");
    model->presences_ = *std::move(presences);
  }
  const double count = std::round(compute.stragglers * static_cast<double>(num_workers));
  model->stragglers_ =
      Draw(static_cast<uint64_t>(count), num_workers, DeriveSeed(seed, {kStragglers}));
  return model;
}

bool ConditionsModel::IsOf(const Conditions& conditions, uint64_t seed, uint64_t num_workers,
                           int num_tiers) const {
  return seed == seed_ && num_workers == num_workers_ && num_tiers == num_tiers_ &&
         conditions == conditions_;
}

bool ConditionsModel::IsStraggler(LeafIndex leaf) const {
  return leaf < stragglers_.size() && stragglers_[leaf];
}

absl::StatusOr<WorkerPace> ConditionsModel::PaceOf(const NodeId& worker, LeafIndex leaf) const {
  WorkerPace pace;
  pace.compute_ = conditions_.compute;
  pace.seed_ = DeriveSeed(seed_, {kSpeed, leaf});
  pace.factor_ = Lognormal(pace.compute_.spread, pace.seed_) *
                 (IsStraggler(leaf) ? pace.compute_.straggler_factor : 1);
  if (traces_.empty()) return pace;
  const auto trace = traces_.find(worker);
  if (trace == traces_.end()) {
    return absl::NotFoundError("conditions.compute.trace: " + pace.compute_.trace +
                               " has no tasks of worker " + QuoteName(worker));
  }
  pace.trace_ = trace->second;
  return pace;
}

const LinkConditions* ConditionsModel::LinksOf(int tier) const {
  for (const LinkConditions& link : conditions_.links) {
    if (link.tier == tier) return &link;
  }
  return nullptr;
}

bool ConditionsModel::has_absences() const {
  const AvailabilityConditions& a = conditions_.availability;
  return a.up_s > 0 || (a.period_s > 0 && a.share < 1) || !a.trace.empty();
}

absl::Status ConditionsModel::CheckWorkers(const std::vector<NodeId>& workers) const {
  const std::string& trace = conditions_.availability.trace;
  for (LeafIndex leaf = 0; leaf < workers.size() && !traces_.empty(); ++leaf) {
    SKEIN_RETURN_IF_ERROR(PaceOf(workers[leaf], leaf).status());
  }
  if (trace.empty()) return absl::OkStatus();
  for (const NodeId& worker : workers) {
    if (presences_.contains(worker)) continue;
    return absl::NotFoundError("conditions.availability.trace: " + trace +
                               " has no line of worker " + QuoteName(worker));
  }
  const std::set<NodeId> known(workers.begin(), workers.end());
  for (const auto& [worker, presences] : presences_) {
    if (known.contains(worker)) continue;
    return absl::InvalidArgumentError("conditions.availability.trace: " + trace + ":" +
                                      std::to_string(presences[0].line) +
                                      ": the tree has no worker " + QuoteName(worker));
  }
  return absl::OkStatus();
}

Absences ConditionsModel::AbsencesOf(const NodeId& worker, LeafIndex leaf) const {
  Absences absences;
  if (const auto found = presences_.find(worker); found != presences_.end()) {
    Duration gone{0};  // since
    for (const Presence& presence : found->second) {
      if (presence.from > gone) absences.listed_.push_back({gone, presence.from});
      gone = presence.to;
    }
    if (gone != kNever) absences.listed_.push_back({gone, kNever});
    std::reverse(absences.listed_.begin(), absences.listed_.end());
    return absences;
  }
  absences.availability_ = conditions_.availability;
  absences.seed_ = DeriveSeed(seed_, {kFailures, leaf});
  return absences;
}

absl::StatusOr<std::shared_ptr<const ConditionsModel>> SharedConditions::Get(
    const Conditions& conditions, uint64_t seed, uint64_t num_workers, int num_tiers) {
  std::lock_guard lock(mutex_);
  if (last_ == nullptr || !last_->IsOf(conditions, seed, num_workers, num_tiers)) {
    SKEIN_ASSIGN_OR_RETURN(last_,
                           ConditionsModel::Create(conditions, seed, num_workers, num_tiers));
  }
  return last_;
}

}  // namespace skein
