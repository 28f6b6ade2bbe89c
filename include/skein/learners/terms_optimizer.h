#ifndef SKEIN_LEARNERS_TERMS_OPTIMIZER_H_
#define SKEIN_LEARNERS_TERMS_OPTIMIZER_H_

#include <memory>

#include "skein/runtime/local_terms.h"

namespace skein {

// Any torch optimizer with the terms of the strategy applied in its steps, for training loops that
// should look as they did:
//
//   skein::TermsOptimizer optimizer(context.terms, *net,
//   std::make_shared<torch::optim::Adam>(...));
//
// It has what a loop uses; set learning rates at the optimizer within. `module` must outlive it.
class TermsOptimizer {
 public:
  TermsOptimizer(LocalTerms terms, const torch::nn::Module& module,
                 std::shared_ptr<torch::optim::Optimizer> optimizer);

  void zero_grad();
  // LocalTerms::AdjustGradients, and the optimizer's own step.
  void step();
  torch::optim::Optimizer& inner() { return *optimizer_; }

 private:
  LocalTerms terms_;
  const torch::nn::Module& module_;
  const std::shared_ptr<torch::optim::Optimizer> optimizer_;
};

}  // namespace skein

#endif  // SKEIN_LEARNERS_TERMS_OPTIMIZER_H_
