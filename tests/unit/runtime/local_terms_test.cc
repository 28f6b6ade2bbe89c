#include "skein/runtime/local_terms.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <torch/nn.h>
#include <torch/optim.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/learners/terms_optimizer.h"
#include "skein/tensor/torch_module.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

StateDict Of(std::vector<std::pair<std::string, at::Tensor>> tensors) {
  StateDict state;
  for (auto& [name, tensor] : tensors) EXPECT_TRUE(state.Add(name, std::move(tensor)).ok());
  return state;
}

// The global model of `module` as it is now.
StateDict GlobalOf(const torch::nn::Module& module) {
  StateDict copy;
  const StateDict now = *StateDictOf(module);
  for (const auto& entry : now.entries()) {
    EXPECT_TRUE(copy.Add(entry.name, entry.tensor.clone(), entry.role).ok());
  }
  return copy;
}

bool Same(const at::Tensor& a, const at::Tensor& b) { return at::equal(a, b); }

// Li et al. 2018: the proximal term's gradient is mu (w - x), before momentum.
TEST(LocalTermsTest, ThePullAddsMuTimesTheDistance) {
  const at::Tensor x = at::tensor({1.F, -2.F, 0.5F});
  const at::Tensor w = at::tensor({1.5F, -2.F, -3.F});
  const at::Tensor gradient = at::tensor({10.F, 20.F, 30.F});
  LocalTerms terms(0.25, Of({{"w", x.clone()}}), {});
  terms.AdjustGradients({{"w", w, gradient}}, {.lr = 0.1});
  EXPECT_TRUE(Same(gradient, at::tensor({10.125F, 20.F, 29.125F})));
  ASSERT_TRUE(terms.status().ok()) << terms.status();
}

// The vector of FedProx: f(w) = (w - 3)^2, x = 1, mu = 0.5, lr = 0.1.
TEST(LocalTermsTest, FedProxGoesToItsFixedPoint) {
  at::Tensor w = at::full({1}, 1, at::kDouble);
  LocalTerms terms(0.5, Of({{"w", at::ones({1})}}), {});
  const auto step = [&] {
    const at::Tensor gradient = 2 * (w - 3);
    terms.AdjustGradients({{"w", w, gradient}}, {.lr = 0.1});
    w = w - 0.1 * gradient;
  };
  for (const double expected : {1.4, 1.7, 1.925, 2.09375}) {
    step();
    EXPECT_NEAR(w.item<double>(), expected, 1e-12);
  }
  EXPECT_NEAR(terms.steps().norm(), 3.709875, 1e-12) << "the pull counts in FedNova's steps";
  for (int i = 0; i < 200; ++i) step();
  EXPECT_NEAR(w.item<double>(), 2.6, 1e-9);
}

TEST(LocalTermsTest, AtTheOptimumAStrongerPullKeepsNearer) {
  double last = std::numeric_limits<double>::infinity();
  for (const double mu : {0., 0.1, 1., 10., 1000.}) {
    at::Tensor w = at::full({1}, 1, at::kDouble);
    LocalTerms terms(mu, Of({{"w", at::ones({1})}}), {});
    for (int i = 0; i < 20'000; ++i) {
      const at::Tensor gradient = 2 * (w - 3);
      terms.AdjustGradients({{"w", w, gradient}}, {.lr = 0.001});
      w = w - 0.001 * gradient;
    }
    const double distance = std::abs(w.item<double>() - 1);
    EXPECT_LT(distance, last);
    last = distance;
  }
  EXPECT_LT(last, 0.005);
}

TEST(LocalTermsTest, CorrectionsAreAdded) {
  const at::Tensor w = at::zeros({2}), gradient = at::ones({2});
  LocalTerms terms(0, {}, Of({{"w", at::tensor({0.5F, -4.F})}}));
  terms.AdjustGradients({{"w", w, gradient}}, {.lr = 0.1});
  EXPECT_TRUE(Same(gradient, at::tensor({1.5F, -3.F})));
}

TEST(LocalTermsTest, WithoutTermsGradientsAreWhatTheyWere) {
  const at::Tensor w = at::full({2}, 3.F), gradient = at::tensor({-0.F, 1e-42F});
  const at::Tensor before = gradient.clone();
  LocalTerms none;
  none.AdjustGradients({{"anything", w, gradient}}, {.lr = 0.1, .momentum = 0.9});
  LocalTerms zero(0, Of({{"w", at::zeros({2})}}), {});
  zero.AdjustGradients({{"w", w, gradient}}, {.lr = 0.1});
  EXPECT_EQ(std::memcmp(gradient.data_ptr(), before.data_ptr(), 8), 0);
  EXPECT_EQ(none.steps().count(), 1u);
  EXPECT_EQ(zero.steps().count(), 1u);
}

TEST(LocalTermsTest, ModulesAreAdjustedParameterByParameter) {
  torch::nn::Linear first(2, 2), frozen(2, 2), unused(2, 2), wide(2, 2);
  auto net = std::make_shared<torch::nn::Module>();
  net->register_module("first", first.ptr());
  net->register_module("again", first.ptr());  // shared
  net->register_module("frozen", frozen.ptr());
  net->register_module("unused", unused.ptr());
  net->register_module("wide", wide.ptr());
  wide->to(at::kDouble);
  for (at::Tensor& p : frozen->parameters()) p.set_requires_grad(false);
  const StateDict global = GlobalOf(*net);
  {
    const torch::NoGradGuard no_grad;
    for (torch::nn::Linear layer : {first, frozen, unused, wide}) {
      for (at::Tensor& p : layer->parameters()) p.add_(1);
    }
  }
  const auto loss = [&] {
    const at::Tensor x = at::ones({1, 2});
    const at::Tensor y = frozen(first(first(x)));
    return (y.sum() + wide(x.to(at::kDouble)).sum());
  };
  torch::optim::SGD sgd(net->parameters(), torch::optim::SGDOptions(0.5).momentum(0.25));
  const auto gradients = [&](LocalTerms terms) {
    sgd.zero_grad();
    loss().backward();
    terms.AdjustGradients(*net, sgd);
    EXPECT_TRUE(terms.status().ok()) << terms.status();
    EXPECT_NEAR(terms.steps().lr_sum(), 0.5, 0);
    return std::vector<at::Tensor>{first->weight.grad().clone(), first->bias.grad().clone(),
                                   wide->weight.grad().clone()};
  };
  const auto plain = gradients(LocalTerms());
  const auto pulled = gradients(LocalTerms(0.125, global, {}));
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_TRUE(at::allclose(pulled[i], plain[i] + 0.125)) << i << ": once, though it is shared";
  }
  EXPECT_EQ(pulled[2].scalar_type(), at::kDouble);
  EXPECT_FALSE(frozen->weight.grad().defined());
  EXPECT_FALSE(unused->weight.grad().defined());
}

TEST(LocalTermsTest, AnyOptimizerStepsWithTheTerms) {
  const auto train = [](bool wrapped,
                        std::shared_ptr<torch::optim::Optimizer> (*make)(std::vector<at::Tensor>)) {
    torch::manual_seed(1);
    torch::nn::Linear net(3, 1);
    const LocalTerms terms(0.5, GlobalOf(*net), {});
    const auto optimizer = make(net->parameters());
    TermsOptimizer with_terms(terms, *net, optimizer);
    LocalTerms by_hand = terms;
    for (int i = 0; i < 5; ++i) {
      wrapped ? with_terms.zero_grad() : optimizer->zero_grad();
      net(at::ones({2, 3})).square().sum().backward();
      if (wrapped) {
        with_terms.step();
      } else {
        by_hand.AdjustGradients(*net, *optimizer);
        optimizer->step();
      }
    }
    EXPECT_EQ(terms.steps().count(), 5u);
    return net->weight.detach().clone();
  };
  const auto sgd = [](std::vector<at::Tensor> p) -> std::shared_ptr<torch::optim::Optimizer> {
    return std::make_shared<torch::optim::SGD>(std::move(p),
                                               torch::optim::SGDOptions(0.01).momentum(0.9));
  };
  const auto adam = [](std::vector<at::Tensor> p) -> std::shared_ptr<torch::optim::Optimizer> {
    return std::make_shared<torch::optim::Adam>(std::move(p), 0.01);
  };
  EXPECT_TRUE(Same(train(true, sgd), train(false, sgd)));
  EXPECT_TRUE(Same(train(true, adam), train(false, adam)));
  EXPECT_FALSE(Same(train(true, adam), train(true, sgd)));
}

TEST(LocalTermsTest, TheStepIsTheOptimizers) {
  const std::vector<at::Tensor> p = {at::ones({1}).requires_grad_()};
  torch::optim::SGD sgd(p, torch::optim::SGDOptions(0.5).momentum(0.25));
  EXPECT_EQ(StepOf(sgd).lr, 0.5);
  EXPECT_EQ(StepOf(sgd).momentum, 0.25);
  sgd.param_groups()[0].options().set_lr(0.125);
  EXPECT_EQ(StepOf(sgd).lr, 0.125);
  EXPECT_EQ(StepOf(torch::optim::Adam(p, 0.75)).lr, 0.75);
}

TEST(LocalTermsTest, WhatDoesNotFitIsSaidOnceTrainingIsOver) {
  const auto error = [](std::string name, at::Tensor value, at::Tensor gradient) {
    LocalTerms terms(1, Of({{"w", at::ones({2})}}), {});
    terms.AdjustGradients({{std::move(name), std::move(value), std::move(gradient)}}, {.lr = 1});
    return Message(terms.status());
  };
  EXPECT_EQ(error("w", at::ones({2}), at::ones({2})), "");
  EXPECT_EQ(error("w", at::ones({2}), {}), "") << "it has no gradient";
  EXPECT_EQ(error("n", at::ones({2}, at::kLong), at::ones({2}, at::kLong)), "") << "no float";
  EXPECT_THAT(error("v", at::ones({2}), at::ones({2})),
              HasSubstr("\"v\": the model that was received has no such tensor"));
  LocalTerms of_others(1, Of({{"w", at::ones({2})}}), {}, {"v"});
  const at::Tensor untouched = at::ones({2});
  of_others.AdjustGradients({{"v", at::ones({2}) * 3, untouched}}, {.lr = 1});
  EXPECT_EQ(Message(of_others.status()), "") << "no term acts on it";
  EXPECT_TRUE(at::equal(untouched, at::ones({2})));
  EXPECT_THAT(error("w", at::ones({3}), at::ones({3})), HasSubstr("has it in another shape"));
  EXPECT_THAT(error("w", at::ones({2}), at::ones({3})), HasSubstr("gradient has another shape"));
  EXPECT_THAT(error("w", at::ones({2}), at::ones({2}).to_sparse()), HasSubstr("is sparse"));
}

}  // namespace
}  // namespace skein
