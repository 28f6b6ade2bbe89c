#include "skein/learners/terms_optimizer.h"

#include <utility>

#include <torch/nn/module.h>
#include <torch/optim/optimizer.h>

namespace skein {

TermsOptimizer::TermsOptimizer(LocalTerms terms, const torch::nn::Module& module,
                               std::shared_ptr<torch::optim::Optimizer> optimizer)
    : terms_(std::move(terms)), module_(module), optimizer_(std::move(optimizer)) {}

void TermsOptimizer::zero_grad() { optimizer_->zero_grad(); }

void TermsOptimizer::step() {
  terms_.AdjustGradients(module_, *optimizer_);
  optimizer_->step();
}

}  // namespace skein
