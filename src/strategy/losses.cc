#include "strategy/losses.h"

#include <string>

namespace skein {

absl::Status CheckLosses(const SelectionInput& input) {
  const SelectionHistory* history = input.history;
  if (history == nullptr || !history->any_reported() || history->any_loss()) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(std::string("workers are chosen by their losses and no "
                                                   "update came with a finite metric '") +
                                       kLossMetric + "'; have the learner's Train return it");
}

}  // namespace skein
