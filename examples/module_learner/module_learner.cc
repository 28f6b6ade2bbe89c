// Devices learn which points lie in a circle, by a module and its samples alone.
#include <skein/skein.h>
#include <torch/nn.h>

absl::StatusOr<skein::ModuleParts> MakeCircle(const skein::WorkerContext& context) {
  // Every device makes up points of its own; the coordinator's are for evaluation.
  const uint64_t place = context.is_coordinator ? 0 : context.leaf + 1;
  at::Generator generator = skein::MakeGenerator(skein::DeriveSeed(context.seed, {place}));
  const at::Tensor points = at::empty({1000, 2}).uniform_(-1, 1, generator);
  const at::Tensor labels = points.norm(2, 1).lt(0.8).to(at::kLong);
  SKEIN_ASSIGN_OR_RETURN(skein::Samples samples, skein::TensorSamples(points, labels));

  torch::nn::Sequential net(torch::nn::Linear(2, 32), torch::nn::ReLU(), torch::nn::Linear(32, 2));
  return skein::PartsOf(net, samples);
}

int main(int argc, char** argv) {
  skein::App app;
  app.RegisterLearner("circle", skein::ModuleLearnerFactory(MakeCircle),
                      skein::ModuleLearnerOptions());
  return app.Main(argc, argv);
}
