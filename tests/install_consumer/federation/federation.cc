// A federation by the installed library alone: two workers that add 1 and 2 to a model of ones.

#include <cstdio>
#include <memory>
#include <utility>

#include <ATen/ops/ones.h>
#include <skein/skein.h>

namespace {

class Adder : public skein::Learner {
 public:
  explicit Adder(skein::LeafIndex leaf) : leaf_(leaf) {}

  absl::StatusOr<skein::StateDict> Initialize(skein::InitContext&) override {
    skein::StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add("x", at::ones({3})));
    return model;
  }

  absl::StatusOr<skein::TrainResult> Train(const skein::StateDict& global,
                                           skein::TrainContext&) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor x, global.Get("x"));
    skein::TrainResult result;
    SKEIN_RETURN_IF_ERROR(result.model.Add("x", x.add(static_cast<double>(leaf_ + 1))));
    result.num_samples = 1;
    return result;
  }

  absl::StatusOr<skein::EvalResult> Evaluate(const skein::StateDict& model,
                                             skein::EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor x, model.Get("x"));
    return skein::EvalResult{1, {{"x", x.mean().item<double>()}}};
  }

 private:
  skein::LeafIndex leaf_;
};

absl::StatusOr<std::unique_ptr<skein::Learner>> MakeAdder(const skein::WorkerContext& context) {
  return std::make_unique<Adder>(context.leaf);
}

absl::Status Run() {
  skein::FederationOptions options;
  options.rounds = 2;
  SKEIN_ASSIGN_OR_RETURN(auto federation, skein::Federation::Create("flat:2", skein::StrategySpec{},
                                                                    MakeAdder, std::move(options)));
  SKEIN_ASSIGN_OR_RETURN(skein::RunResult result, federation->Run());
  std::printf("%s after %d rounds, x = %g, digest %s\n", result.status.c_str(),
              static_cast<int>(result.rounds), result.metrics["x"], result.model_digest.c_str());
  // Each round moves the model by the mean of 1 and 2. (From zeros the steps would be out of
  // bounds: an update may be 64 times as large as the initial values, or 1.)
  if (result.status != "completed" || result.rounds != 2 || result.contributions != 4 ||
      result.metrics["x"] != 4.0 || result.model_digest.size() != 64) {
    return absl::InternalError("the run did not come out as expected: " + result.reason);
  }
  return absl::OkStatus();
}

}  // namespace

int main() {
  const absl::Status status = Run();
  if (!status.ok()) std::fprintf(stderr, "%s\n", skein::Message(status).c_str());
  return status.ok() ? 0 : 1;
}
