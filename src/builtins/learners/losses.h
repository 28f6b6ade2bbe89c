#ifndef SKEIN_SRC_BUILTINS_LEARNERS_LOSSES_H_
#define SKEIN_SRC_BUILTINS_LEARNERS_LOSSES_H_

#include <functional>
#include <string>
#include <vector>

#include "skein/learners/module_learner.h"

namespace skein {

// A loss by its name, and the metrics that go with it.
struct NamedLoss {
  std::string name;
  LossFunction loss;
  MetricsFunction metrics;  // null: none
  // Whether such targets can be those of such outputs; InvalidArgument says what is wrong.
  std::function<absl::Status(const at::Tensor& output, const at::Tensor& targets)> fits;
};

// cross_entropy, nll, bce_with_logits, mse, l1.
const std::vector<NamedLoss>& NamedLosses();

}  // namespace skein

#endif  // SKEIN_SRC_BUILTINS_LEARNERS_LOSSES_H_
