#ifndef SKEIN_CONTROL_SCHEDULER_CORE_H_
#define SKEIN_CONTROL_SCHEDULER_CORE_H_

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "skein/control/helm.h"
#include "skein/control/membership.h"
#include "skein/control/scheduler_types.h"
#include "skein/control/stopping.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/selector.h"
#include "skein/topology/topology.h"

namespace skein {

// What the store knows of earlier lives of the run, so that no identity is used twice.
struct SchedulerHistory {
  std::vector<AttachmentRecord> attachments;
  std::vector<RoundRecord> rounds;
};

struct SchedulerSetup {
  RunConfig config;
  std::shared_ptr<const Topology> topology;
  RunRecord record;        // id and texts; the core fills in the status
  uint32_t seq_count = 1;  // tasks of a worker in a round, see SeqCountOf
  SchedulerHistory history;
  // By tier of the parent: whether the loss of a child ends the run, since every round needs all.
  std::vector<bool> loss_is_fatal;
  bool root_has_barrier = true;
  bool all_have_barriers = true;
  std::string fold_placement;  // for the record; see FoldPlacement
  std::string codecs;          // of links, for the record; empty: none
  bool exact_sums = true;      // whatever the codecs
  StopRules stop;
  std::shared_ptr<Helm> helm;  // null: nothing steers
};

// Tasks of a worker in one round: the product of the kappas of the aggregating tiers below the
// root. InvalidArgument beyond 2^32 - 1.
absl::StatusOr<uint32_t> SeqCountOf(const StrategySpec& strategy, int num_tiers);

// One row a permitted change of state: the graph can be read, and drawn, from here alone.
struct SchedulerTransition {
  scheduler::State from;
  const char* event;
  scheduler::State to;
  const char* when;
};
const std::vector<SchedulerTransition>& SchedulerTransitions();

// Decides everything about one run: who may join, who is attached to whom, which round is open with
// whom, what is committed, when the run ends. Pure: it is told events with the time and returns
// actions for a shell (ControlPlane, a simulator) to execute in order; it has no clock, thread or
// I/O. Actions that persist a decision come before those that send it; when one fails the shell
// skips the rest of the batch and says StoreFailed. Not thread-safe.
class SchedulerCore {
 public:
  SchedulerCore(SchedulerSetup setup, std::shared_ptr<Selector> selector);

  scheduler::Actions Handle(const scheduler::Event& event, Time now);

  scheduler::State state() const { return state_; }
  uint64_t rounds_committed() const { return committed_; }

 private:
  // One handler an event; each decides by state_.
  void On(const scheduler::RunStarted&);
  void On(const scheduler::NodeRegistered& event);
  void On(const scheduler::NodeHeard& event);
  void On(const scheduler::NodeAttached& event);
  void On(const scheduler::NodeLost& event);
  void On(const scheduler::NodeGoodbye& event);
  void On(const scheduler::ModelReady& event);
  void On(const scheduler::RoundResult& event);
  void On(const scheduler::Evaluated& event);
  void On(const scheduler::Finished& event);
  void On(const scheduler::Tick&);
  void On(const scheduler::StopRequested& event);
  void On(const scheduler::StoreFailed& event);

  bool Running() const;
  void MoveTo(scheduler::State to);
  bool FromCoordinator(const NodeId& node) const;
  void Lose(size_t node, const std::string& reason);
  void StartIfReady();
  void OpenRound();
  absl::StatusOr<Roster> Select(uint64_t round, const Roster& available);
  SelectionNeeds Needs() const;  // of the selector that is, and of the one that may come back
  absl::Status CheckResult(const RoundResultMsg& result) const;
  void Commit(const scheduler::RoundResult& event);
  void CommitVersion(const scheduler::RoundResult& event);
  void PersistCommit(const RoundResultMsg& result);
  skein::Event Committed(const char* type, const RoundResultMsg& result) const;
  void NextRoundOrComplete();
  // What rules and hook make of it; `stop_reason_` is set if the run is to end.
  void ConsultOnCommit(const scheduler::RoundResult& event);
  void ConsultOnEvaluation(const scheduler::Evaluated& event);
  void Steer(SteeringRecord record);
  void Refuse(uint64_t round, const std::string& why);
  void Apply(const SteeringRecord& record, Helm::Outcome outcome);
  // Ends a run that `stop_reason_` is for: with the open round given up, after the last version.
  void Finish();
  bool Awaited(const EvaluatedMsg& result);  // not again
  void CompleteIfDone();
  void Complete();
  // Records how the run ends, then tells every node to stop.
  void Stop(int code, const std::string& status, const std::string& reason);
  void Fail(const std::string& reason);
  void AwaitGoodbyes();
  void EndIfAllGone();
  void End();
  // now + duration, without overflow; never if the duration is not positive.
  static Time After(Time now, Duration duration);
  void Wake(Time when);
  void Persist(const RoundRecord& round);
  void PersistStatus();

  const RunConfig config_;
  const std::shared_ptr<const Topology> topology_;
  const std::shared_ptr<Selector> original_selector_;
  std::shared_ptr<Selector> selector_;  // as steered
  SelectionHistory history_;            // if one of them needs it
  const uint32_t seq_count_;
  std::vector<bool> loss_is_fatal_;
  const bool root_has_barrier_;
  const std::string fold_placement_;
  const std::string codecs_;
  const bool exact_sums_;
  Stopping stopping_;
  const std::shared_ptr<Helm> helm_;
  std::vector<RoundRecord> earlier_rounds_;
  Membership members_;

  scheduler::State state_ = scheduler::State::kGathering;
  RunRecord record_;
  std::optional<VersionRef> model_;  // the newest committed one
  RoundRecord round_;                // the open or last one
  Time round_opened_{0};
  Seq last_seq_ = 0;
  uint64_t committed_ = 0;                  // rounds, in this life of the run
  std::set<std::string> evaluating_;        // where
  std::set<uint64_t> versions_evaluating_;  // without a barrier
  RoundRecord last_commit_;
  std::optional<VersionRef> evaluated_;     // with a barrier: at every place that is to
  std::optional<std::string> stop_reason_;  // a rule or the hook ends the run
  bool finished_ = false;                   // the coordinator has stored the last version
  VersionRef stored_version_;
  std::string stored_digest_;

  bool has_started_ = false;
  Time started_{0};
  Time start_deadline_ = kNever;
  Time next_sweep_ = kNever;
  Time stop_deadline_ = kNever;

  // Of the event being handled.
  Time now_{0};
  bool counted_ = false;                              // a commit, which the store has not confirmed
  std::pair<VersionRef, std::string> stored_before_;  // it
  const char* handling_ = "";
  scheduler::Actions actions_;
};

}  // namespace skein

#endif  // SKEIN_CONTROL_SCHEDULER_CORE_H_
