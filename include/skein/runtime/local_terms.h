#ifndef SKEIN_RUNTIME_LOCAL_TERMS_H_
#define SKEIN_RUNTIME_LOCAL_TERMS_H_

#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <absl/status/status.h>

#include "skein/runtime/local_steps.h"
#include "skein/tensor/state_dict.h"

namespace torch::nn {
class Module;
}
namespace torch::optim {
class Optimizer;
}

namespace skein {

// What the next step of an optimizer is like. The first of its parameter groups stands for all.
LocalStep StepOf(const torch::optim::Optimizer& optimizer);

// What the spec's strategy.terms (FedProx, SCAFFOLD, FedDyn, Ditto) add to one training. A learner
// gets it with its TrainContext and hands it the gradients before each step, which is all that it
// has to do:
//
//   loss.backward();
//   context.terms.AdjustGradients(*net, optimizer);
//   optimizer.step();
//
// or steps by a TermsOptimizer (skein/learners/terms_optimizer.h). Where the spec asks for no term
// that only counts steps. A task whose terms were not applied fails. Copies share their state; one
// thread at a time, and valid during the call of Train.
class LocalTerms {
 public:
  struct Parameter {
    std::string name;  // in the model
    at::Tensor value;
    at::Tensor gradient;  // changed in place; undefined: it has none, and is left alone
  };

  // No terms.
  LocalTerms();
  // gradient += pull * (value - global) + correction, by name; either may lack a parameter, and
  // both those that are named `free`, on which no term acts. What `global` and `corrections` hold
  // must not change meanwhile. Made by the runtime, and by tests.
  LocalTerms(double pull, StateDict global, StateDict corrections,
             std::vector<std::string> free = {});

  // Before a step of `optimizer`. A parameter that modules share is adjusted once; those without
  // gradients and those that are no floats are left alone.
  void AdjustGradients(const torch::nn::Module& module, const torch::optim::Optimizer& optimizer);
  // The same for a training loop without libtorch's modules or optimizers.
  void AdjustGradients(const std::vector<Parameter>& parameters, const LocalStep& step);

  // The steps so far; step.pull is filled in.
  const LocalSteps& steps() const;
  // InvalidArgument after gradients were handed over that do not fit the model: another name, shape
  // or a sparse one. The task fails with it.
  absl::Status status() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_LOCAL_TERMS_H_
