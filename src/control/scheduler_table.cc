#include "skein/control/scheduler_core.h"

namespace skein {
namespace scheduler {

const char* NameOf(State state) {
  switch (state) {
    case State::kGathering:
      return "gathering";
    case State::kTraining:
      return "training";
    case State::kEvaluating:
      return "evaluating";
    case State::kFinishing:
      return "finishing";
    case State::kStopping:
      return "stopping";
    case State::kEnded:
      return "ended";
  }
  return "unknown";
}

const char* NameOf(const Event& event) {
  static constexpr const char* kNames[] = {
      "RunStarted",  "NodeRegistered", "NodeHeard",   "NodeAttached", "NodeLost",
      "NodeGoodbye", "ModelReady",     "RoundResult", "Evaluated",    "Finished",
      "Tick",        "StopRequested",  "StoreFailed"};
  static_assert(std::size(kNames) == std::variant_size_v<Event>);
  return kNames[event.index()];
}

}  // namespace scheduler

const std::vector<SchedulerTransition>& SchedulerTransitions() {
  using scheduler::State;
  static const std::vector<SchedulerTransition> kTable = {
      {State::kGathering, "NodeAttached", State::kTraining, "all are attached, the model is ready"},
      {State::kGathering, "NodeAttached", State::kStopping, "the selector cannot select"},
      {State::kGathering, "ModelReady", State::kTraining, "all are attached, the model is ready"},
      {State::kGathering, "ModelReady", State::kStopping,
       "the model is not one to start from, or the selector cannot select"},
      {State::kGathering, "NodeLost", State::kStopping, "it was the coordinator"},
      {State::kGathering, "NodeGoodbye", State::kStopping, "a node cannot start"},
      {State::kGathering, "Tick", State::kStopping, "start time-out, or the coordinator is silent"},
      {State::kGathering, "StopRequested", State::kStopping, "always"},
      {State::kGathering, "StoreFailed", State::kStopping, "always"},

      {State::kTraining, "RoundResult", State::kEvaluating, "committed, and evaluation is due"},
      {State::kTraining, "RoundResult", State::kTraining, "committed, and no evaluation is due"},
      {State::kTraining, "Evaluated", State::kStopping, "evaluation failed, without a barrier"},
      {State::kTraining, "RoundResult", State::kStopping,
       "the round failed, or it was the last, or no worker can be selected for the next"},
      {State::kTraining, "RoundResult", State::kFinishing, "a rule ends it, without a barrier"},
      {State::kTraining, "Evaluated", State::kFinishing, "a rule ends it, without a barrier"},
      {State::kTraining, "Tick", State::kFinishing, "the time budget is used up"},
      {State::kTraining, "NodeLost", State::kStopping, "it was the coordinator"},
      {State::kTraining, "NodeGoodbye", State::kStopping, "it was the coordinator"},
      {State::kTraining, "Tick", State::kStopping, "the coordinator is silent"},
      {State::kTraining, "StopRequested", State::kStopping, "always"},
      {State::kTraining, "StoreFailed", State::kStopping, "always"},

      {State::kEvaluating, "Evaluated", State::kTraining, "every place has reported"},
      {State::kEvaluating, "Evaluated", State::kStopping,
       "evaluation failed, or the last round is done, or no worker can be selected for the next"},
      {State::kEvaluating, "NodeLost", State::kStopping, "it was the coordinator"},
      {State::kEvaluating, "NodeGoodbye", State::kStopping, "it was the coordinator"},
      {State::kEvaluating, "Tick", State::kStopping, "the coordinator is silent"},
      {State::kEvaluating, "StopRequested", State::kStopping, "always"},
      {State::kEvaluating, "StoreFailed", State::kStopping, "always"},

      {State::kFinishing, "Finished", State::kStopping,
       "it could not be stored, or no evaluation is awaited"},
      {State::kFinishing, "Evaluated", State::kStopping, "that was the last, or it failed"},
      {State::kFinishing, "NodeLost", State::kStopping, "it was the coordinator"},
      {State::kFinishing, "NodeGoodbye", State::kStopping, "it was the coordinator"},
      {State::kFinishing, "Tick", State::kStopping, "the coordinator is silent"},
      {State::kFinishing, "StopRequested", State::kStopping, "always"},
      {State::kFinishing, "StoreFailed", State::kStopping, "always"},

      {State::kStopping, "NodeGoodbye", State::kEnded, "it was the last"},
      {State::kStopping, "NodeLost", State::kEnded, "it was the last"},
      {State::kStopping, "Tick", State::kEnded, "grace period passed, or the last is silent"},
      {State::kStopping, "StopRequested", State::kEnded, "no node is connected"},
      {State::kStopping, "StoreFailed", State::kEnded, "no node is connected"},
  };
  return kTable;
}

}  // namespace skein
