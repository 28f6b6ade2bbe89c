// The skein program with a learner that draws from libtorch's one global generator, as dropout
// does: its results differ from run to run unless the runtime gives that generator away in turns.
#include <ATen/ops/dropout.h>
#include <ATen/ops/ones.h>
#include <skein/skein.h>

namespace {

class DropoutLearner : public skein::Learner {
 public:
  absl::StatusOr<skein::StateDict> Initialize(skein::InitContext&) override {
    skein::StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("x", at::ones({1000})));
    return model;
  }
  absl::StatusOr<skein::TrainResult> Train(const skein::StateDict& global,
                                           skein::TrainContext&) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor x, global.Get("x"));
    for (int step = 0; step < 20; ++step) x = x.add(at::dropout(x, 0.5, true), 0.001);
    skein::TrainResult result;
    SKEIN_RETURN_IF_ERROR(result.model.Add("x", x));
    result.num_samples = 1;
    return result;
  }
  absl::StatusOr<skein::EvalResult> Evaluate(const skein::StateDict& model,
                                             skein::EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor x, model.Get("x"));
    return skein::EvalResult{1, {{"mean", x.mean().item<double>()}}};
  }
};

}  // namespace

int main(int argc, char** argv) {
  skein::App app;
  skein::LearnerOptions options;
  options.uses_global_rng = true;
  app.RegisterLearner(
      "dropout",
      [](const skein::WorkerContext&) -> absl::StatusOr<std::unique_ptr<skein::Learner>> {
        return std::make_unique<DropoutLearner>();
      },
      options);
  return app.Main(argc, argv);
}
