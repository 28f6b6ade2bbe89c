#include "skein/control/scheduler_core.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <utility>

#include "skein/base/status.h"

namespace skein {
namespace {

using scheduler::State;

// Silence is looked for this many times in a time-out, so that it costs little with many nodes.
constexpr int kSweepsPerTimeout = 4;

ValueMap ToValues(const std::map<std::string, double>& metrics) {
  ValueMap values;
  for (const auto& [name, value] : metrics) values[name] = value;
  return values;
}

// "30 s", "0.5 s"
std::string ForPeople(Duration duration) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g s", ToSeconds(duration));
  return text;
}

std::string RoundName(uint64_t round) { return "round " + std::to_string(round); }

// Without a barrier parents number the tasks of their children themselves, from the first of the
// plan on: each life of the control plane gives them a range of its own.
constexpr Seq kSeqsOfALife = Seq{1} << 40;

Seq LastSeqOf(const std::vector<RoundRecord>& rounds, bool all_have_barriers) {
  Seq last = 0;
  for (const RoundRecord& round : rounds) {
    last = std::max(last, round.seq_first + round.seq_count - 1);
  }
  if (!all_have_barriers) last = (last + kSeqsOfALife - 1) / kSeqsOfALife * kSeqsOfALife;
  return last;
}

// Values are signed; a seed beyond them goes as text.
Value SeedField(uint64_t seed) {
  return seed <= INT64_MAX ? Value(seed) : Value(std::to_string(seed));
}

}  // namespace

absl::StatusOr<uint32_t> SeqCountOf(const StrategySpec& strategy, int num_tiers) {
  uint64_t product = 1;
  for (const TierSpec& tier : strategy.tiers) {
    if (tier.tier < 1 || tier.tier > num_tiers - 2) continue;
    product *= static_cast<uint64_t>(std::max(1, tier.kappa));
    if (product > std::numeric_limits<uint32_t>::max()) {
      return absl::InvalidArgumentError(
          "strategy.tiers: the product of all kappas is too large; lower one");
    }
  }
  return static_cast<uint32_t>(product);
}

SchedulerCore::SchedulerCore(SchedulerSetup setup, std::shared_ptr<Selector> selector)
    : config_(std::move(setup.config)),
      topology_(std::move(setup.topology)),
      original_selector_(std::move(selector)),
      selector_(original_selector_),
      seq_count_(setup.seq_count),
      loss_is_fatal_(std::move(setup.loss_is_fatal)),
      root_has_barrier_(setup.root_has_barrier),
      fold_placement_(std::move(setup.fold_placement)),
      codecs_(std::move(setup.codecs)),
      exact_sums_(setup.exact_sums),
      stopping_(std::move(setup.stop), config_.evaluate),
      helm_(std::move(setup.helm)),
      earlier_rounds_(std::move(setup.history.rounds)),
      members_(topology_, setup.history.attachments),
      record_(std::move(setup.record)),
      last_seq_(LastSeqOf(earlier_rounds_, setup.all_have_barriers)) {
  record_.run_id = config_.run_id;
  record_.status = "running";
  if (Needs() == SelectionNeeds::kNothing) return;
  for (const RoundRecord& round : earlier_rounds_) {
    if (round.state == "committed") history_.Add(round.round, round.participants, {});
  }
}

scheduler::Actions SchedulerCore::Handle(const scheduler::Event& event, Time now) {
  now_ = now;
  handling_ = scheduler::NameOf(event);
  if (!std::holds_alternative<scheduler::StoreFailed>(event)) counted_ = false;
  std::visit([this](const auto& e) { On(e); }, event);
  return std::exchange(actions_, {});
}

bool SchedulerCore::Running() const {
  return state_ != State::kStopping && state_ != State::kEnded;
}

void SchedulerCore::MoveTo(State to) {
  for (const SchedulerTransition& row : SchedulerTransitions()) {
    if (row.from == state_ && row.to == to && std::strcmp(row.event, handling_) == 0) {
      state_ = to;
      return;
    }
  }
  std::fprintf(stderr, "scheduler: undeclared transition from %s to %s on %s\n", NameOf(state_),
               NameOf(to), handling_);
  std::abort();
}

bool SchedulerCore::FromCoordinator(const NodeId& node) const {
  return node == topology_->root().id && members_.IsLive(0);
}

Time SchedulerCore::After(Time now, Duration duration) {
  if (duration <= Duration(0) || duration >= kNever - now) return kNever;
  return now + duration;
}

void SchedulerCore::Wake(Time when) {
  if (when != kNever) actions_.push_back(scheduler::WakeAt{when});
}

void SchedulerCore::Persist(const RoundRecord& round) {
  actions_.push_back(scheduler::PersistRound{round});
}

void SchedulerCore::PersistStatus() { actions_.push_back(scheduler::PersistRun{record_}); }

// ---- the run begins ----

void SchedulerCore::On(const scheduler::RunStarted&) {
  if (std::exchange(has_started_, true)) return;
  started_ = now_;
  start_deadline_ = After(now_, config_.limits.start_timeout);
  next_sweep_ = After(now_, config_.limits.heartbeat_timeout / kSweepsPerTimeout);
  PersistStatus();
  Event started{0, event::kRunStarted, 0, "", {}};
  started.fields = {{"name", config_.name},
                    {"run", config_.run_id},
                    {"nodes", static_cast<uint64_t>(topology_->nodes().size())},
                    {"workers", static_cast<uint64_t>(topology_->num_workers())},
                    {"rounds", config_.rounds},
                    {"seed", SeedField(config_.seed)}};
  if (!fold_placement_.empty()) started.fields["fold_placement"] = fold_placement_;
  if (!codecs_.empty()) {
    started.fields["codecs"] = codecs_;
    started.fields["exact_sums"] = exact_sums_;
  }
  actions_.push_back(scheduler::EmitEvent{std::move(started)});
  Wake(start_deadline_);
  Wake(next_sweep_);
}

void SchedulerCore::On(const scheduler::NodeRegistered& event) {
  const absl::Status status =
      Running() ? members_.Register(event.message, event.session, config_, now_, actions_)
                : absl::FailedPreconditionError("the run has ended: " + record_.reason);
  if (!status.ok()) actions_.push_back(scheduler::Refuse{event.session, status});
}

void SchedulerCore::On(const scheduler::NodeAttached& event) {
  const auto node = topology_->Find(event.node);
  if (node.has_value() && members_.Attached(*node, event.epoch)) StartIfReady();
}

void SchedulerCore::On(const scheduler::ModelReady& event) {
  if (state_ != State::kGathering || !FromCoordinator(event.node) || model_.has_value()) return;
  const VersionRef& version = event.message.version;
  const bool known =
      version.version == 0 ||
      std::any_of(earlier_rounds_.begin(), earlier_rounds_.end(), [&](const RoundRecord& round) {
        return round.state == "committed" && round.version == version;
      });
  if (!known || version.version >= config_.rounds) {
    Fail("the coordinator's model " + ToString(version) +
         (known ? " is of the last round already" : " was never committed in this run"));
    return;
  }
  model_ = version;
  StartIfReady();
}

void SchedulerCore::StartIfReady() {
  if (state_ != State::kGathering || !model_.has_value() || !members_.AllAttached()) return;
  start_deadline_ = kNever;
  stopping_.Start(now_);
  Wake(stopping_.deadline());
  OpenRound();
}

// ---- rounds ----

// What steering has chosen may not be able to select: then the run's own selector does.
absl::StatusOr<Roster> SchedulerCore::Select(uint64_t round, const Roster& available) {
  const SelectionInput input{.round = round,
                             .seed = config_.seed,
                             .available = &available,
                             .num_workers = topology_->num_workers(),
                             .topology = topology_.get(),
                             .history = &history_};
  absl::StatusOr<Roster> selected = selector_->Select(input);
  if (selector_ == original_selector_ || (selected.ok() && !selected->empty())) return selected;
  const std::string why = selected.ok() ? "it chose no worker" : Message(selected.status());
  Refuse(round, "the selector that was chosen cannot select: " + why);
  selector_ = original_selector_;
  helm_->TakeBackSelector();
  loss_is_fatal_ = helm_->LossIsFatal();
  return selector_->Select(input);
}

SelectionNeeds SchedulerCore::Needs() const {
  return std::max(selector_->Needs(), original_selector_->Needs());
}

void SchedulerCore::OpenRound() {
  const uint64_t number = model_->version + 1;
  const Roster available = members_.Available();
  const std::string lost = members_.DescribeLost();
  const std::string why = lost.empty() ? "" : "; " + lost;
  if (available.empty()) return Fail(RoundName(number) + ": no worker is available" + why);
  const absl::StatusOr<Roster> selected = Select(number, available);
  if (!selected.ok()) return Fail(RoundName(number) + ": " + Message(selected.status()) + why);
  if (selected->empty()) return Fail(RoundName(number) + ": the selector chose no worker" + why);

  round_ = RoundRecord();
  round_.round = number;
  for (const RoundRecord& earlier : earlier_rounds_) {
    // A plan without a barrier is for all versions from here on.
    const bool meant = earlier.round == number || (!root_has_barrier_ && earlier.round > number);
    if (meant) round_.attempt = std::max(round_.attempt, earlier.attempt + 1);
  }
  round_.state = "open";
  round_.base = *model_;
  round_.participants = *selected;
  round_.seq_first = last_seq_ + 1;
  round_.seq_count = seq_count_;
  last_seq_ += seq_count_;
  round_opened_ = now_;

  Persist(round_);
  Event opened{0, event::kRoundOpened, number, "", {}};
  opened.fields = {{"participants", static_cast<uint64_t>(selected->Count())},
                   {"roster", selected->ToString()},
                   {"attempt", round_.attempt},
                   {"base", round_.base.version}};
  actions_.push_back(scheduler::EmitEvent{std::move(opened)});
  actions_.push_back(scheduler::SendTo{
      topology_->root().id,
      PlanMsg{number, round_.attempt, round_.base, round_.participants, round_.seq_first,
              round_.seq_count, root_has_barrier_ ? 0 : config_.rounds,
              helm_ != nullptr ? helm_->change() : StrategyChange{},
              Needs() == SelectionNeeds::kReports}});
  MoveTo(State::kTraining);
}

absl::Status SchedulerCore::CheckResult(const RoundResultMsg& result) const {
  const VersionRef expected{round_.round, round_.attempt, 0};
  if (result.version != expected) {
    return absl::InternalError("the coordinator made version " + ToString(result.version) +
                               " where " + ToString(expected) + " was due");
  }
  if (result.roster.empty()) return absl::InternalError("the coordinator counted no worker");
  if (!result.roster.IsSubsetOf(round_.participants)) {
    return absl::InternalError("the coordinator counted workers that do not take part: " +
                               result.roster.Minus(round_.participants).ToString());
  }
  return absl::OkStatus();
}

void SchedulerCore::On(const scheduler::RoundResult& event) {
  const RoundResultMsg& result = event.message;
  const bool finishing = state_ == State::kFinishing && !root_has_barrier_;
  if ((state_ != State::kTraining && !finishing) || !FromCoordinator(event.node)) return;
  if (result.attempt != round_.attempt) return;  // long settled
  // Without a barrier a failure is that of the plan, which may name an earlier round.
  const bool failed = result.code != 0;
  const bool of_plan = failed && !root_has_barrier_ && result.round <= round_.round;
  if (result.round != round_.round && !of_plan) return;
  if (failed && finishing) return;  // nothing was to come of it
  if (failed) return Fail(RoundName(round_.round) + ": " + result.message);
  const absl::Status sound = CheckResult(result);
  if (!sound.ok()) return Fail(RoundName(round_.round) + ": " + Message(sound));
  if (root_has_barrier_) {
    Commit(event);
  } else {
    CommitVersion(event);
  }
}

skein::Event SchedulerCore::Committed(const char* type, const RoundResultMsg& result) const {
  skein::Event committed{0, type, round_.round, topology_->root().id, {}};
  committed.fields = {{"version", result.version.version},
                      {"digest", result.digest},
                      {"contributors", static_cast<uint64_t>(result.roster.Count())},
                      {"roster", result.roster.ToString()},
                      {"samples", result.num_samples},
                      {"metrics", ToValues(result.metrics)},
                      {"wall_s", ToSeconds(now_ - round_opened_)}};
  if (result.change != 0) committed.fields["change"] = result.change;
  return committed;
}

void SchedulerCore::PersistCommit(const RoundResultMsg& result) {
  round_.state = "committed";
  round_.version = result.version;
  round_.digest = result.digest;
  round_.contributors = result.roster;
  last_commit_ = round_;
  model_ = result.version;
  ++committed_;
  counted_ = true;
  stored_before_ = {stored_version_, stored_digest_};
  if (!result.digest.empty()) {
    stored_version_ = result.version;
    stored_digest_ = result.digest;
  }
  Persist(round_);
}

// The coordinator goes on under its plan meanwhile: nothing is sent to it.
void SchedulerCore::CommitVersion(const scheduler::RoundResult& event) {
  const RoundResultMsg& result = event.message;
  PersistCommit(result);
  skein::Event committed = Committed(event::kVersionCommitted, result);
  ValueList bases;
  uint64_t updates = 0;
  for (const BaseCount& base : result.bases) {
    updates += base.updates;
    bases.emplace_back(ValueMap{{"version", base.version}, {"updates", base.updates}});
  }
  committed.fields["bases"] = std::move(bases);
  committed.fields["updates"] = updates;
  committed.fields["evaluating"] = result.evaluating;
  if (result.weight != 1) committed.fields["weight"] = result.weight;
  actions_.push_back(scheduler::EmitEvent{std::move(committed)});
  if (result.evaluating) versions_evaluating_.insert(round_.round);
  ConsultOnCommit(event);
  if (round_.round < config_.rounds) {
    round_.state = "open";
    round_.base = result.version;
    ++round_.round;
    round_.version = {};
    round_.digest.clear();
    round_.contributors = {};
    round_opened_ = now_;
    if (state_ == State::kFinishing) return;
    return stop_reason_ ? Finish() : MoveTo(State::kTraining);
  }
  if (state_ == State::kFinishing) return;
  if (versions_evaluating_.empty()) return Complete();
  MoveTo(State::kEvaluating);
}

void SchedulerCore::Commit(const scheduler::RoundResult& event) {
  const RoundResultMsg& result = event.message;
  PersistCommit(result);
  actions_.push_back(scheduler::EmitEvent{Committed(event::kRoundCommitted, result)});

  const uint64_t every = config_.evaluate.every;
  ConsultOnCommit(event);
  if (Needs() != SelectionNeeds::kNothing) {  // that of a selector which steering has just brought
    history_.Add(round_.round, round_.participants, result.reports);
  }
  const bool last = stop_reason_ || round_.round == config_.rounds;
  const bool due = last || (every != 0 && round_.round % every == 0);
  CommitMsg commit{round_.round, result.version};
  commit.participants = round_.participants.Intersection(members_.Available());
  commit.evaluate_at_coordinator = due && config_.evaluate.coordinator;
  commit.evaluate_at_workers = due && config_.evaluate.workers && !commit.participants.empty();
  evaluating_.clear();
  if (commit.evaluate_at_coordinator) evaluating_.insert("coordinator");
  if (commit.evaluate_at_workers) evaluating_.insert("workers");
  actions_.push_back(scheduler::SendTo{topology_->root().id, std::move(commit)});
  if (evaluating_.empty()) return NextRoundOrComplete();
  MoveTo(State::kEvaluating);
}

void SchedulerCore::On(const scheduler::Evaluated& event) {
  const EvaluatedMsg& result = event.message;
  if (!FromCoordinator(event.node)) return;
  if (!Awaited(result)) return;
  if (result.code != 0) {
    return Fail(RoundName(result.round) + ": evaluation (" + result.where + "): " + result.message);
  }
  Event evaluated{0, event::kEvaluated, result.round, event.node, {}};
  evaluated.fields = {{"where", result.where},
                      {"samples", result.num_samples},
                      {"metrics", ToValues(result.metrics)}};
  for (const char* name : {"loss", "accuracy"}) {
    const auto metric = result.metrics.find(name);
    if (metric != result.metrics.end()) evaluated.fields[name] = metric->second;
  }
  actions_.push_back(scheduler::EmitEvent{std::move(evaluated)});
  ConsultOnEvaluation(event);
  if (state_ == State::kFinishing) return CompleteIfDone();
  if (!root_has_barrier_) {
    if (state_ == State::kTraining && stop_reason_) return Finish();
    if (state_ == State::kEvaluating && versions_evaluating_.empty()) Complete();
  } else if (evaluating_.empty()) {
    evaluated_ = model_;
    NextRoundOrComplete();
  }
}

bool SchedulerCore::Awaited(const EvaluatedMsg& result) {
  if (!Running()) return false;
  if (!root_has_barrier_) return versions_evaluating_.erase(result.round) != 0;
  if (state_ != State::kEvaluating && state_ != State::kFinishing) return false;
  return model_ == result.version && result.round == model_->version &&
         evaluating_.erase(result.where) != 0;
}

void SchedulerCore::NextRoundOrComplete() {
  if (round_.round < config_.rounds && !stop_reason_) return OpenRound();
  Complete();
}

// ---- nodes come and go ----

void SchedulerCore::On(const scheduler::NodeHeard& event) {
  if (const auto node = topology_->Find(event.node)) members_.Heard(*node, now_);
}

void SchedulerCore::On(const scheduler::NodeLost& event) {
  const auto node = topology_->Find(event.node);
  if (node.has_value() && members_.IsLive(*node)) Lose(*node, event.reason);
}

void SchedulerCore::On(const scheduler::NodeGoodbye& event) {
  const auto node = topology_->Find(event.node);
  if (!node.has_value() || !members_.IsLive(*node)) return;
  const GoodbyeMsg& bye = event.message;
  if (Running()) {
    const bool starting = state_ == State::kGathering;
    const std::string reason = bye.message.empty() ? "it left the run" : bye.message;
    Lose(*node, reason);
    if (starting && Running()) Fail("node '" + event.node + "' cannot start: " + reason);
    return;
  }
  members_.Leave(*node);
  if (state_ == State::kEnded) return;  // too late: the run has been told of
  // The model may have failed to reach its place: then the run has not completed.
  if (*node == 0 && bye.code != 0 && record_.status == "completed") {
    record_.status = "failed";
    record_.reason = "coordinator '" + event.node + "': " + bye.message;
    PersistStatus();
  }
  EndIfAllGone();
}

void SchedulerCore::Lose(size_t node, const std::string& reason) {
  if (!Running()) {  // it is told to go, so how it went is of no interest
    members_.Leave(node);
    return EndIfAllGone();
  }
  members_.Lose(node, reason, state_ == State::kGathering ? 0 : round_.round, actions_);
  const TopologyNode& lost = topology_->node(node);
  if (node == 0) return Fail("coordinator '" + lost.id + "' was lost: " + reason);
  const auto parent_tier = static_cast<size_t>(lost.tier - 1);
  const bool fatal = parent_tier < loss_is_fatal_.size() && loss_is_fatal_[parent_tier];
  if (fatal && state_ != State::kGathering && state_ != State::kFinishing) {
    Fail(RoundName(round_.round) + ": '" + lost.id + "' was lost (" + reason +
         "), and policy 'all' needs every node");
  }
}

void SchedulerCore::On(const scheduler::Tick&) {
  if (state_ == State::kEnded) return;
  if (now_ >= next_sweep_) {
    const Duration timeout = config_.limits.heartbeat_timeout;
    for (const size_t node : members_.SilentSince(now_ - timeout)) {
      if (state_ == State::kEnded) return;
      Lose(node, "silent for more than " + ForPeople(timeout));
    }
    next_sweep_ = After(now_, timeout / kSweepsPerTimeout);
    if (state_ != State::kEnded) Wake(next_sweep_);
  }
  if (state_ == State::kGathering && now_ >= start_deadline_) {
    std::string text = "the run did not start within " + ForPeople(config_.limits.start_timeout);
    if (!members_.AllAttached()) text += ": " + members_.DescribeMissing();
    if (members_.AllAttached()) text += ": the coordinator has no initial model yet";
    return Fail(text);
  }
  if (state_ == State::kStopping && now_ >= stop_deadline_) return End();
  if ((state_ == State::kTraining || state_ == State::kEvaluating) && !stop_reason_) {
    stop_reason_ = stopping_.OnTime(now_);
    if (stop_reason_ && state_ == State::kTraining) Finish();
  }
}

}  // namespace skein
