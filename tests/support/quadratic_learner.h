#ifndef SKEIN_TESTS_SUPPORT_QUADRATIC_LEARNER_H_
#define SKEIN_TESTS_SUPPORT_QUADRATIC_LEARNER_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "skein/base/status.h"
#include "skein/runtime/learner.h"

namespace skein {

// What the learners of a federation minimize: worker i a_i/2 (w - b_i)^2, by K steps of gradient
// descent.
struct Quadratics {
  std::vector<double> a = {1, 2};
  std::vector<double> b = {0, 3};
  int steps = 2;
  double lr = 0.1;
  double start = 1;
  bool applies_terms = true;
};

// The vectors of the papers' algorithms are about these, in one parameter "w".
class QuadraticLearner : public Learner {
 public:
  QuadraticLearner(Quadratics all, const WorkerContext& context)
      : all_(std::move(all)),
        a_(context.is_coordinator ? 1 : all_.a[context.leaf]),
        b_(context.is_coordinator ? 0 : all_.b[context.leaf]) {}

  static LearnerFactory Factory(const Quadratics& all) {
    return [all](const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
      return std::make_unique<QuadraticLearner>(all, context);
    };
  }

  absl::StatusOr<StateDict> Initialize(InitContext&) override {
    StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("w", at::full({1}, all_.start, at::kFloat)));
    return model;
  }
  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) override {
    if (global.size() != 1) return absl::InternalError("got tensors that are not the model's");
    SKEIN_ASSIGN_OR_RETURN(at::Tensor w, global.Get("w"));
    for (int step = 0; step < all_.steps; ++step) {
      const at::Tensor gradient = a_ * (w - b_);
      if (all_.applies_terms) {
        context.terms.AdjustGradients({{"w", w, gradient}}, LocalStep{.lr = all_.lr});
      }
      w.sub_(gradient, all_.lr);
    }
    TrainResult result;
    SKEIN_RETURN_IF_ERROR(result.model.Add("w", w));
    result.num_samples = 1;
    result.metrics = {{"w", w.item<double>()}};
    return result;
  }
  // "loss" is the parameter itself.
  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(const at::Tensor w, model.Get("w"));
    return EvalResult{1, {{"loss", w.item<double>()}}};
  }

 private:
  const Quadratics all_;
  const double a_;
  const double b_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_SUPPORT_QUADRATIC_LEARNER_H_
