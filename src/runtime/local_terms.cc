#include "skein/runtime/local_terms.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <ATen/ATen.h>
#include <torch/nn/module.h>
#include <torch/optim/optimizer.h>
#include <torch/optim/sgd.h>

namespace skein {

LocalStep StepOf(const torch::optim::Optimizer& optimizer) {
  LocalStep step;
  if (optimizer.param_groups().empty()) return step;
  const torch::optim::OptimizerOptions& options = optimizer.param_groups().front().options();
  step.lr = options.get_lr();
  if (const auto* sgd = dynamic_cast<const torch::optim::SGDOptions*>(&options)) {
    step.momentum = sgd->momentum();
  }
  return step;
}

struct LocalTerms::State {
  // What is added to a parameter's gradient, in its own type and on its device.
  struct Addend {
    at::Tensor global;      // undefined: it is not pulled
    at::Tensor correction;  // undefined: it has none
  };

  double pull = 0;
  StateDict global;
  StateDict corrections;
  std::unordered_set<std::string> free;
  std::unordered_map<std::string, Addend> addends;  // by name, made when it is first asked for
  LocalSteps steps;
  absl::Status status;

  bool empty() const { return pull == 0 && corrections.size() == 0; }
  void Adjust(const Parameter& parameter);
  const Addend& AddendOf(const Parameter& parameter);
};

namespace {

// Undefined if `state` has no such tensor.
at::Tensor Find(const StateDict& state, const std::string& name, const at::Tensor& like) {
  if (state.size() == 0) return {};
  const auto tensor = state.Get(name);
  return tensor.ok() ? tensor->to(like.options()) : at::Tensor();
}

}  // namespace

const LocalTerms::State::Addend& LocalTerms::State::AddendOf(const Parameter& parameter) {
  const auto [it, is_new] = addends.try_emplace(parameter.name);
  if (is_new) {
    if (pull != 0) it->second.global = Find(global, parameter.name, parameter.value);
    it->second.correction = Find(corrections, parameter.name, parameter.value);
  }
  return it->second;
}

void LocalTerms::State::Adjust(const Parameter& parameter) {
  const at::Tensor& value = parameter.value;
  const at::Tensor& gradient = parameter.gradient;
  if (!status.ok() || !gradient.defined() || !value.is_floating_point()) return;
  const auto fail = [&](const std::string& why) {
    status = absl::InvalidArgumentError("terms: parameter \"" + parameter.name + "\": " + why);
  };
  if (free.contains(parameter.name)) return;
  if (gradient.is_sparse()) return fail("its gradient is sparse, terms need dense ones");
  if (gradient.sizes() != value.sizes()) return fail("its gradient has another shape");
  const Addend& addend = AddendOf(parameter);
  if (!addend.global.defined() && !addend.correction.defined()) {
    return fail("the model that was received has no such tensor");
  }
  for (const at::Tensor* added : {&addend.global, &addend.correction}) {
    if (added->defined() && added->sizes() != value.sizes()) {
      return fail("the model that was received has it in another shape");
    }
  }
  if (addend.global.defined()) gradient.add_(value - addend.global, pull);
  if (addend.correction.defined()) gradient.add_(addend.correction);
}

LocalTerms::LocalTerms() : state_(std::make_shared<State>()) {}

LocalTerms::LocalTerms(double pull, StateDict global, StateDict corrections,
                       std::vector<std::string> free)
    : state_(std::make_shared<State>()) {
  state_->pull = pull;
  state_->global = std::move(global);
  state_->corrections = std::move(corrections);
  state_->free = {free.begin(), free.end()};
}

void LocalTerms::AdjustGradients(const torch::nn::Module& module,
                                 const torch::optim::Optimizer& optimizer) {
  std::vector<Parameter> parameters;
  if (!state_->empty()) {
    std::unordered_set<const at::TensorImpl*> seen;
    for (const auto& item : module.named_parameters()) {
      const at::Tensor& value = item.value();
      if (!seen.insert(value.unsafeGetTensorImpl()).second) continue;
      parameters.push_back({item.key(), value, value.grad()});
    }
  }
  AdjustGradients(parameters, StepOf(optimizer));
}

void LocalTerms::AdjustGradients(const std::vector<Parameter>& parameters, const LocalStep& step) {
  const at::NoGradGuard no_grad;
  if (!state_->empty()) {
    for (const Parameter& parameter : parameters) state_->Adjust(parameter);
  }
  LocalStep counted = step;
  counted.pull = state_->pull;
  state_->steps.Add(counted);
}

const LocalSteps& LocalTerms::steps() const { return state_->steps; }

absl::Status LocalTerms::status() const { return state_->status; }

}  // namespace skein
