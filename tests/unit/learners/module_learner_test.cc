#include "skein/learners/module_learner.h"

#include <torch/data/datasets.h>
#include <torch/data/transforms/stack.h>
#include <torch/nn.h>
#include <torch/optim.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/runtime/learner_requests.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::UnorderedElementsAre;

// Which of two classes a point is in, its sides of a line.
Batch Points(int64_t count, uint64_t seed) {
  at::Generator generator = MakeGenerator(seed);
  const at::Tensor x = at::empty({count, 2}).uniform_(-1, 1, generator);
  return {x, x.select(1, 0).gt(x.select(1, 1)).to(at::kLong)};
}

absl::StatusOr<ModuleParts> MakeParts(const WorkerContext& context) {
  const Batch points = Points(100, context.is_coordinator ? 99 : context.leaf);
  SKEIN_ASSIGN_OR_RETURN(Samples samples, TensorSamples(points.inputs, points.targets));
  torch::nn::Sequential net(torch::nn::Linear(2, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2));
  return PartsOf(net, std::move(samples));
}

class ModuleLearnerTest : public ::testing::Test {
 protected:
  using Make = std::function<absl::StatusOr<ModuleParts>(const WorkerContext&)>;

  std::unique_ptr<Trainer> MakeTrainer(const NodeView& view, const Make& make = MakeParts) {
    auto trainer = TryToMake(view, make);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return *std::move(trainer);
  }
  absl::StatusOr<std::unique_ptr<Trainer>> TryToMake(const NodeView& view, const Make& make) {
    registries_.push_back(std::make_unique<LearnerRegistry>());
    EXPECT_TRUE(registries_.back()
                    ->Register("test", ModuleLearnerFactory(make), ModuleLearnerOptions())
                    .ok());
    RunConfig config = ConfigOf("test");
    config.learner.params = params_;
    config.evaluate = evaluate_;
    return MakeLearnerTrainerFactory(*registries_.back())(config, view);
  }
  // With `change` made to the parts of MakeParts.
  static Make With(std::function<void(ModuleParts&)> change) {
    return [change](const WorkerContext& context) {
      auto parts = MakeParts(context);
      change(*parts);
      return parts;
    };
  }
  // A model as four of these parameters, and the update of worker 0.
  std::vector<float> Update(const Make& make, const TrainRequest& request = RequestOf(1)) {
    const auto model = MakeTrainer(CoordinatorView())->Initialize();
    EXPECT_TRUE(model.ok()) << model.status();
    auto output = MakeTrainer(WorkerView(0), make)->Train(*model, request);
    EXPECT_TRUE(output.ok()) << output.status();
    return output.ok() ? Floats(output->update, 0) : std::vector<float>();
  }
  std::string TrainError(const Make& make) {
    const auto model = MakeTrainer(CoordinatorView())->Initialize();
    return Message(MakeTrainer(WorkerView(0), make)->Train(*model, RequestOf(1)).status());
  }

  EvaluateSpec evaluate_;
  ValueMap params_ = {{"lr", 0.5}, {"batch_size", 20}, {"epochs", 2}};
  std::vector<std::unique_ptr<LearnerRegistry>> registries_;
};

TEST_F(ModuleLearnerTest, LearnsByFedAvgOfItsWorkers) {
  auto coordinator = MakeTrainer(CoordinatorView());
  auto model = coordinator->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  auto worker = MakeTrainer(WorkerView(0));
  for (uint64_t round = 1; round <= 10; ++round) {
    auto output = worker->Train(*model, RequestOf(round));
    ASSERT_TRUE(output.ok()) << output.status();
    EXPECT_EQ(output->num_samples, 100u);
    EXPECT_THAT(output->metrics, UnorderedElementsAre(Key("loss"), Key("steps")));
    StateDict next = StateDict::Unpack(*model);
    const StateDict update = StateDict::Unpack(output->update);
    for (const auto& entry : next.entries()) at::Tensor(entry.tensor).add_(*update.Get(entry.name));
    model = next.Pack();
  }
  const auto evaluated = coordinator->Evaluate(*model, RequestOf(11));
  ASSERT_TRUE(evaluated.ok()) << evaluated.status();
  EXPECT_EQ(evaluated->num_samples, 100u);
  EXPECT_GT(evaluated->metrics.at("accuracy"), 0.9);
  EXPECT_LT(evaluated->metrics.at("loss"), 0.3);
}

TEST_F(ModuleLearnerTest, RepeatsBitForBit) {
  const std::vector<float> once = Update(MakeParts);
  EXPECT_EQ(Update(MakeParts), once) << "whatever weights its module was made with";
  EXPECT_NE(Update(MakeParts, RequestOf(2)), once) << "another task, another order";
  const auto initial = [&] { return Floats(*MakeTrainer(CoordinatorView())->Initialize(), 0); };
  EXPECT_EQ(initial(), initial());
}

TEST_F(ModuleLearnerTest, ADatasetTrainsLikeItsTensors) {
  struct PointSet : torch::data::datasets::Dataset<PointSet> {
    Batch points = Points(100, 0);
    torch::data::Example<> get(size_t i) override {
      const auto row = static_cast<int64_t>(i);
      return {points.inputs[row], points.targets[row]};
    }
    torch::optional<size_t> size() const override { return points.inputs.size(0); }
  };
  const std::vector<float> once = Update(MakeParts);
  EXPECT_EQ(Update(With([](ModuleParts& parts) { parts.samples = DatasetSamples(PointSet()); })),
            once);
  EXPECT_EQ(Update(With([](ModuleParts& parts) {
              parts.samples = DatasetSamples(PointSet().map(torch::data::transforms::Stack<>()));
            })),
            once);
}

TEST_F(ModuleLearnerTest, StepsAreThoseOfThePolicyOrOfTheEpochs) {
  for (const auto& [told, made] : {std::pair(0u, 10), std::pair(3u, 3), std::pair(23u, 23)}) {
    auto batches = std::make_shared<std::vector<int64_t>>();
    TrainRequest request = RequestOf(1);
    request.steps = told;
    Update(With([&](ModuleParts& parts) {
             parts.samples.get = [get = parts.samples.get, batches](const at::Tensor& indices) {
               batches->push_back(indices.numel());
               return get(indices);
             };
           }),
           request);
    EXPECT_EQ(*batches, std::vector<int64_t>(static_cast<size_t>(made), 20));
  }
}

// ||a||_1 of FedNova (Wang et al. 2020), and the loss that q-FedAvg goes by (Li et al. 2020).
TEST_F(ModuleLearnerTest, SaysHowFarItWentAndWhereItBegan) {
  const auto model = MakeTrainer(CoordinatorView())->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  const StrategyRegistries strategies = BuiltinStrategies();
  const auto train = [&](RunConfig config) {
    LearnerRegistry registry;
    EXPECT_TRUE(
        registry.Register("test", ModuleLearnerFactory(MakeParts), ModuleLearnerOptions()).ok());
    auto trainer = MakeLearnerTrainerFactory(registry, nullptr, &strategies)(config, WorkerView(0));
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    const double before = (*trainer)->Evaluate(*model, RequestOf(1))->metrics.at("loss");
    auto output = (*trainer)->Train(*model, RequestOf(1));
    EXPECT_TRUE(output.ok()) << output.status();
    return std::pair(*std::move(output), before);
  };
  RunConfig config = ConfigOf("test");
  config.learner.params = params_;
  config.learner.params["momentum"] = 0.0;
  const auto [plain, unused] = train(config);
  EXPECT_EQ(plain.metrics.at("steps"), 10);
  EXPECT_FALSE(plain.metrics.contains("initial_loss")) << "it takes a pass over the samples";
  config.learner.params["momentum"] = 0.9;
  EXPECT_NEAR(train(config).first.metrics.at("steps"), 41.381059609, 1e-9);
  config.learner.params["momentum"] = 0.0;
  config.strategy.fold = {"qfedavg", {{"lr", 0.05}}};
  const auto [asked, before] = train(config);
  EXPECT_EQ(asked.metrics.at("initial_loss"), before);
  EXPECT_NE(asked.metrics.at("loss"), before);
  EXPECT_EQ(Floats(asked.update, 0), Floats(plain.update, 0)) << "looking changes nothing";
}

TEST_F(ModuleLearnerTest, EveryEpochShowsEachSampleOnce) {
  params_["batch_size"] = 30;
  params_["epochs"] = 1;
  auto seen = std::make_shared<std::vector<int64_t>>(100);
  Update(With([&](ModuleParts& parts) {
    parts.samples.get = [get = parts.samples.get, seen](const at::Tensor& indices) {
      for (int64_t i = 0; i < indices.numel(); ++i) {
        ++(*seen)[static_cast<size_t>(indices[i].item<int64_t>())];
      }
      return get(indices);
    };
  }));
  EXPECT_EQ(*seen, std::vector<int64_t>(100, 1));
}

TEST_F(ModuleLearnerTest, ASampleThatIsLeftAloneJoinsTheBatchBefore) {
  for (const auto& [size, last] : {std::pair(33, 34), std::pair(32, 4), std::pair(99, 100)}) {
    params_["batch_size"] = size;
    params_["epochs"] = 1;
    auto rows = std::make_shared<int64_t>(0);
    Update(With([&](ModuleParts& parts) {
      parts.samples.get = [get = parts.samples.get, rows](const at::Tensor& indices) {
        *rows = indices.numel();
        return get(indices);
      };
    }));
    EXPECT_EQ(*rows, last);
  }
}

TEST_F(ModuleLearnerTest, StopsBetweenBatchesWhenItIsCancelled) {
  auto flag = std::make_shared<std::atomic<bool>>(false);
  auto batches = std::make_shared<int>(0);
  const Make make = With([&](ModuleParts& parts) {
    parts.samples.get = [get = parts.samples.get, flag, batches](const at::Tensor& indices) {
      if (++*batches == 3) *flag = true;
      return get(indices);
    };
  });
  const auto model = MakeTrainer(CoordinatorView())->Initialize();
  TrainRequest request = RequestOf(1);
  request.cancelled = flag;
  EXPECT_EQ(MakeTrainer(WorkerView(0), make)->Train(*model, request).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(*batches, 3);
  *flag = false;
  *batches = 2;
  EXPECT_EQ(MakeTrainer(CoordinatorView(), make)->Evaluate(*model, request).status().code(),
            absl::StatusCode::kCancelled);
}

TEST_F(ModuleLearnerTest, OptimizerLossMetricsAndInitialWeightsMayBeTheUsers) {
  const std::vector<float> sgd = Update(MakeParts);
  const Make adam = With([](ModuleParts& parts) {
    parts.optimizer = [](std::vector<at::Tensor> parameters) {
      return std::make_shared<torch::optim::Adam>(std::move(parameters), 0.01);
    };
  });
  EXPECT_NE(Update(adam), sgd);
  const Make still = With([](ModuleParts& parts) {
    parts.loss = [](const at::Tensor& output, const at::Tensor&) { return output.sum() * 0; };
  });
  EXPECT_EQ(Update(still), std::vector<float>(sgd.size(), 0));
  const Make own = With([](ModuleParts& parts) {
    parts.metrics = [](const at::Tensor& output, const at::Tensor&) {
      return std::map<std::string, double>{{"rows", static_cast<double>(output.size(0))}};
    };
    parts.initialize = [net = parts.module](at::Generator& generator) {
      for (at::Tensor& p : net->parameters()) p.uniform_(2, 3, generator);
    };
  });
  auto coordinator = MakeTrainer(CoordinatorView(), own);
  const auto model = coordinator->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  for (const float weight : Floats(*model, 0)) EXPECT_GE(weight, 2);
  std::vector<std::string> names;
  const auto evaluated = coordinator->Evaluate(*model, RequestOf(1));
  ASSERT_TRUE(evaluated.ok()) << evaluated.status();
  for (const auto& [name, value] : evaluated->metrics) names.push_back(name);
  EXPECT_THAT(names, UnorderedElementsAre("loss", "rows"));
}

TEST_F(ModuleLearnerTest, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(Message(TensorSamples(at::ones({3, 2}), at::ones({2})).status()),
            "3 inputs and 2 targets; there must be one for each");
  const auto make_error = [&](std::function<void(ModuleParts&)> change) {
    return Message(TryToMake(WorkerView(0), With(std::move(change))).status());
  };
  EXPECT_THAT(make_error([](ModuleParts& parts) { parts.samples = {}; }),
              HasSubstr("worker 'w0', learner 'test': there are no samples"));
  EXPECT_THAT(make_error([](ModuleParts& parts) { parts.forward = nullptr; }),
              HasSubstr("needs a module and its forward"));
  EXPECT_THAT(TrainError(With([](ModuleParts& parts) {
                parts.loss = [](const at::Tensor& output, const at::Tensor&) { return output; };
              })),
              HasSubstr("the loss of a batch has 40 elements, it must be one number"));
  EXPECT_THAT(TrainError(With([](ModuleParts& parts) {
                parts.samples = *TensorSamples(at::ones({10, 3}), at::ones({10}, at::kLong));
              })),
              HasSubstr("libtorch: mat1 and mat2 shapes cannot be multiplied"));
  EXPECT_THAT(TrainError(With([](ModuleParts& parts) {
                torch::nn::Sequential other(torch::nn::Linear(2, 2));
                parts = PartsOf(other, parts.samples);
              })),
              HasSubstr("tensor \"0.weight\": the module has shape [2,2], the state has [8,2]"));
  params_["lr"] = "fast";
  EXPECT_THAT(Message(TryToMake(WorkerView(0), MakeParts).status()), HasSubstr("'lr'"));
}

TEST_F(ModuleLearnerTest, ACoordinatorThatEvaluatesIsRefusedWithoutSamples) {
  const auto coordinator =
      TryToMake(CoordinatorView(), With([](ModuleParts& parts) { parts.samples = {}; }));
  EXPECT_THAT(Message(coordinator.status()),
              AllOf(HasSubstr("no held-out samples"), HasSubstr("set evaluate to workers")));
}

TEST_F(ModuleLearnerTest, ACoordinatorThatDoesNotEvaluateInitializesWithoutSamples) {
  evaluate_ = {.coordinator = false, .workers = true};
  auto coordinator =
      MakeTrainer(CoordinatorView(), With([](ModuleParts& parts) { parts.samples = {}; }));
  const auto model = coordinator->Initialize();
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_THAT(Message(coordinator->Evaluate(*model, RequestOf(1)).status()),
              HasSubstr("set evaluate to workers"));
}

}  // namespace
}  // namespace skein
