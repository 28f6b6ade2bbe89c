// Eight devices learn together which points of the plane lie in a ring. None shows its points.
#include <skein/skein.h>
#include <torch/nn.h>
#include <torch/optim.h>

class Rings : public skein::Learner {
 public:
  explicit Rings(const skein::WorkerContext& context) : lr_(context.params.RealOr("lr", 0.1)) {
    // Every device makes up points of its own; the coordinator's are for evaluation.
    const uint64_t place = context.is_coordinator ? 0 : context.leaf + 1;
    at::Generator generator = skein::MakeGenerator(skein::DeriveSeed(context.seed, {place}));
    points_ = at::empty({1000, 2}).uniform_(-1, 1, generator);
    labels_ = points_.norm(2, 1).sub(0.7).abs().lt(0.2).to(at::kLong);
  }

  absl::StatusOr<skein::StateDict> Initialize(skein::InitContext& context) override {
    torch::NoGradGuard no_grad;
    for (at::Tensor& p : net_->parameters()) p.uniform_(-0.5, 0.5, context.generator);
    return skein::StateDictOf(*net_);
  }

  absl::StatusOr<skein::TrainResult> Train(const skein::StateDict& global,
                                           skein::TrainContext& context) override {
    SKEIN_RETURN_IF_ERROR(skein::LoadStateDict(global, *net_));
    torch::optim::SGD sgd(net_->parameters(), torch::optim::SGDOptions(lr_).momentum(0.9));
    at::Tensor loss;
    for (const at::Tensor& batch : at::randperm(1000, context.generator).split(20)) {
      sgd.zero_grad();
      loss = torch::nll_loss(net_->forward(points_.index({batch})), labels_.index({batch}));
      loss.backward();
      context.terms.AdjustGradients(*net_, sgd);
      sgd.step();
    }
    SKEIN_ASSIGN_OR_RETURN(skein::StateDict model, skein::StateDictOf(*net_));
    return skein::TrainResult{std::move(model), 1000, {{"loss", loss.item<double>()}}};
  }

  absl::StatusOr<skein::EvalResult> Evaluate(const skein::StateDict& model,
                                             skein::EvalContext&) override {
    SKEIN_RETURN_IF_ERROR(skein::LoadStateDict(model, *net_));
    const at::Tensor guess = net_->forward(points_);
    return skein::EvalResult{
        1000,
        {{"loss", torch::nll_loss(guess, labels_).item<double>()},
         {"accuracy", guess.argmax(1).eq(labels_).to(at::kDouble).mean().item<double>()}}};
  }

 private:
  const double lr_;
  at::Tensor points_, labels_;
  torch::nn::Sequential net_{torch::nn::Linear(2, 32), torch::nn::ReLU(), torch::nn::Linear(32, 2),
                             torch::nn::LogSoftmax(1)};
};

int main(int argc, char** argv) {
  skein::App app;
  app.RegisterLearner("rings", [](auto& context) { return std::make_unique<Rings>(context); });
  return app.Main(argc, argv);
}
