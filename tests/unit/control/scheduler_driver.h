#ifndef SKEIN_TESTS_UNIT_CONTROL_SCHEDULER_DRIVER_H_
#define SKEIN_TESTS_UNIT_CONTROL_SCHEDULER_DRIVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "skein/control/scheduler_core.h"

namespace skein {

// A selector that does as the test says.
class FakeSelector : public Selector {
 public:
  using Function = std::function<absl::StatusOr<Roster>(const SelectionInput&)>;
  explicit FakeSelector(Function function, SelectionNeeds needs = SelectionNeeds::kNothing)
      : function_(std::move(function)), needs_(needs) {}
  absl::StatusOr<Roster> Select(const SelectionInput& input) override { return function_(input); }
  SelectionNeeds Needs() const override { return needs_; }

 private:
  Function function_;
  SelectionNeeds needs_;
};

inline FakeSelector::Function SelectAll() {
  return [](const SelectionInput& input) { return *input.available; };
}

inline std::shared_ptr<const Topology> Shape(const std::string& shape) {
  return std::make_shared<const Topology>(Topology::FromShape(shape).value());
}

// Speaks for the nodes of a run to a SchedulerCore, and keeps what it answers.
class SchedulerDriver {
 public:
  static RunConfig DefaultConfig() {
    RunConfig config;
    config.run_id = "r1";
    config.name = "test";
    config.rounds = 3;
    config.seed = 7;
    return config;
  }

  explicit SchedulerDriver(const std::string& shape, RunConfig config = DefaultConfig(),
                           SchedulerHistory history = {},
                           FakeSelector::Function select = SelectAll(), bool barriers = true,
                           StopRules stop = {}, std::shared_ptr<Helm> helm = nullptr,
                           SelectionNeeds needs = SelectionNeeds::kNothing)
      : topology(Shape(shape)),
        core({.config = config,
              .topology = topology,
              .record = {},
              .seq_count = 1,
              .history = std::move(history),
              .loss_is_fatal = {},
              .root_has_barrier = barriers,
              .all_have_barriers = barriers,
              .fold_placement = "",
              .stop = std::move(stop),
              .helm = std::move(helm)},
             std::make_shared<FakeSelector>(std::move(select), needs)) {}

  // Actions of the last event are in `last`, of all in `log`.
  const scheduler::Actions& Tell(const scheduler::Event& event) {
    last = core.Handle(event, now);
    for (const auto& action : last) {
      if (const auto* send = std::get_if<scheduler::SendTo>(&action)) {
        if (const auto* attach = std::get_if<AttachMsg>(&send->message)) {
          epochs[send->node] = attach->epoch;
        }
        if (const auto* p = std::get_if<PlanMsg>(&send->message)) plan = *p;
      }
      log.push_back(action);
    }
    return last;
  }

  void Register(const NodeId& node, Incarnation incarnation = 1) {
    const auto index = topology->Find(node);
    const bool inner = index && topology->node(*index).role != NodeRole::kWorker;
    Tell(scheduler::NodeRegistered{++session, {node, incarnation, inner ? "at-" + node : "", 0}});
  }
  void Attach(const NodeId& node) { Tell(scheduler::NodeAttached{node, epochs[node]}); }
  void ModelReady() { Tell(scheduler::ModelReady{"root", {VersionRef{}, "d0"}}); }
  void RegisterAll() {
    Tell(scheduler::RunStarted{});
    for (const TopologyNode& node : topology->nodes()) Register(node.id);
  }
  // Everything up to the plan of the first round.
  void Begin() {
    RegisterAll();
    for (const TopologyNode& node : topology->nodes()) {
      if (node.parent) Attach(node.id);
    }
    ModelReady();
  }
  RoundResultMsg Result() const {
    RoundResultMsg result{plan.round, plan.attempt};
    result.version = {plan.round, plan.attempt, 0};
    result.digest = "d" + std::to_string(plan.round);
    result.roster = plan.participants;
    result.num_samples = 10;
    return result;
  }
  void FinishRound() { Tell(scheduler::RoundResult{"root", Result()}); }
  void FinishEvaluation(const std::string& where = "coordinator") {
    EvaluatedMsg result{plan.round, {plan.round, plan.attempt, 0}, where};
    result.num_samples = 100;
    result.metrics = {{"loss", 0.5}, {"accuracy", 0.75}};
    Tell(scheduler::Evaluated{"root", result});
  }
  void GoodbyeAll(int code = 0) {
    for (const TopologyNode& node : topology->nodes()) {
      Tell(scheduler::NodeGoodbye{node.id, {code, ""}});
    }
  }

  // The messages of one type among actions, with whom they go to.
  template <typename Message>
  static std::vector<std::pair<NodeId, Message>> Sent(const scheduler::Actions& actions) {
    std::vector<std::pair<NodeId, Message>> sent;
    for (const auto& action : actions) {
      const auto* send = std::get_if<scheduler::SendTo>(&action);
      if (send == nullptr) continue;
      if (const auto* m = std::get_if<Message>(&send->message)) sent.emplace_back(send->node, *m);
    }
    return sent;
  }
  template <typename Action>
  static std::vector<Action> Of(const scheduler::Actions& actions) {
    std::vector<Action> found;
    for (const auto& action : actions) {
      if (const auto* a = std::get_if<Action>(&action)) found.push_back(*a);
    }
    return found;
  }
  static std::vector<Event> Events(const scheduler::Actions& actions, const std::string& type) {
    std::vector<Event> events;
    for (const auto& emit : Of<scheduler::EmitEvent>(actions)) {
      if (emit.event.type == type) events.push_back(emit.event);
    }
    return events;
  }
  std::string Reason() const {
    const auto runs = Of<scheduler::PersistRun>(log);
    return runs.empty() ? "" : runs.back().record.reason;
  }

  std::shared_ptr<const Topology> topology;
  Time now{0};
  SchedulerCore core;
  scheduler::Actions last;
  scheduler::Actions log;
  std::map<NodeId, Epoch> epochs;
  PlanMsg plan;
  uint64_t session = 0;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_CONTROL_SCHEDULER_DRIVER_H_
