#ifndef SKEIN_CONTROL_HELM_H_
#define SKEIN_CONTROL_HELM_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/control/steering.h"
#include "skein/runtime/control_link.h"
#include "skein/strategy/strategy_spec.h"
#include "skein/topology/topology.h"

namespace skein {

// The strategy of a run as it is now, and the hook that may change it within what is possible: the
// part of SchedulerCore that knows strategies but no rounds. Pure as far as the hook is.
class Helm {
 public:
  // `steering` may be null: then nothing ever changes. `registries` outlive it.
  Helm(std::shared_ptr<Steering> steering, StrategySpec strategy,
       std::shared_ptr<const Topology> topology, const StrategyRegistries* registries);

  struct Outcome {
    SteeringDecision decision;           // what is to be done: parts are complete; may be empty
    std::shared_ptr<Selector> selector;  // the new one, if it changes
    std::string refused;                 // why nothing is done, if something was wanted
  };
  // Asks the hook, checks what it says and takes it over.
  Outcome Ask(SteeringRecord record);

  const StrategySpec& strategy() const { return strategy_; }
  // All changes so far, for those who work by them.
  const StrategyChange& change() const { return change_; }
  // By tier of the parent: whether the loss of a child ends the run, as the strategy is now.
  std::vector<bool> LossIsFatal() const;
  // The spec's own selector is back: the one of a decision cannot select.
  void TakeBackSelector() { strategy_.selector = original_selector_; }

 private:
  absl::StatusOr<SteeringDecision> AskHook(const SteeringRecord& record);
  absl::StatusOr<SteeringDecision> Complete(SteeringDecision decision) const;
  absl::StatusOr<StrategySpec> Changed(const SteeringDecision& decision) const;

  const std::shared_ptr<Steering> steering_;
  const std::shared_ptr<const Topology> topology_;
  const StrategyRegistries* const registries_;
  const PartSpec original_selector_;
  const std::vector<bool> barriers_;
  StrategySpec strategy_;
  StrategyChange change_;
};

}  // namespace skein

#endif  // SKEIN_CONTROL_HELM_H_
