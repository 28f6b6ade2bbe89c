#ifndef SKEIN_SRC_CONTROL_STEERING_STEERING_EVENTS_H_
#define SKEIN_SRC_CONTROL_STEERING_STEERING_EVENTS_H_

#include <string>

#include <absl/status/statusor.h>

#include "skein/control/steering.h"

namespace skein {

// A decision as the event `steered` has it, when it was made and what it was made of.
struct SteeredStep {
  SteeringRecord::Moment moment = SteeringRecord::Moment::kCommitted;
  uint64_t round = 0;
  std::string where;    // of an evaluation
  uint64_t change = 0;  // of the strategy, which this is; 0: none
  SteeringDecision decision;
};

Event ToEvent(const SteeredStep& step);
// InvalidArgument names the field.
absl::StatusOr<SteeredStep> SteeredStepOf(const Event& event);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_STEERING_STEERING_EVENTS_H_
