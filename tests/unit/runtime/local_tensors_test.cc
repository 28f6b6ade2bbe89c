// Tensors that stay at workers (`fedbn`, `local`), by the trainer that the runtime has.
#include <cstring>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"
#include "unit/runtime/learner_requests.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Moves every parameter by 1 + its leaf, and the statistics to 10 + it. Notes what it was given.
class Mover : public Learner {
 public:
  Mover(LeafIndex leaf, std::shared_ptr<std::vector<double>> given)
      : leaf_(leaf), given_(std::move(given)) {}

  absl::StatusOr<StateDict> Initialize(InitContext&) override {
    StateDict model;
    for (const char* name : {"conv.weight", "bn.weight", "head.weight"}) {
      SKEIN_RETURN_IF_ERROR(model.Add(name, at::zeros({2}, at::kFloat)));
    }
    SKEIN_RETURN_IF_ERROR(
        model.Add("bn.running_mean", at::zeros({2}, at::kFloat), TensorRole::kBuffer));
    SKEIN_RETURN_IF_ERROR(
        model.Add("bn.num_batches_tracked", at::zeros({}, at::kLong), TensorRole::kBuffer));
    return model;
  }
  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext&) override {
    Note(global);
    TrainResult result;
    for (const StateDict::Entry& entry : global.entries()) {
      at::Tensor tensor = entry.tensor + (1.0 + leaf_);
      if (entry.name == "bn.running_mean") tensor = at::full({2}, 10.0 + leaf_, at::kFloat);
      if (entry.name == "bn.num_batches_tracked") tensor = entry.tensor + 1;
      SKEIN_RETURN_IF_ERROR(result.model.Add(entry.name, tensor, entry.role));
    }
    result.num_samples = 1;
    return result;
  }
  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext&) override {
    Note(model);
    return EvalResult{1, {}};
  }

 private:
  void Note(const StateDict& model) {
    given_->clear();
    for (const StateDict::Entry& entry : model.entries()) {
      given_->push_back(entry.tensor.flatten()[0].item<double>());
    }
  }
  const LeafIndex leaf_;
  const std::shared_ptr<std::vector<double>> given_;
};

class LocalTensorsTest : public ::testing::Test {
 protected:
  void Start(const PartSpec& term, LeafIndex leaf = 0) {
    config_.strategy.terms = {term};
    Restart(leaf);
    if (!base_.has_value()) base_ = *Make(CoordinatorView())->Initialize();
  }
  void Restart(LeafIndex leaf = 0) { worker_ = Make(WorkerView(leaf)); }
  std::unique_ptr<Trainer> Make(const NodeView& view) {
    LearnerRegistry learners;
    EXPECT_TRUE(learners
                    .Register("test",
                              [given = given_](const WorkerContext& context)
                                  -> absl::StatusOr<std::unique_ptr<Learner>> {
                                return std::make_unique<Mover>(context.leaf, given);
                              })
                    .ok());
    auto trainer = MakeLearnerTrainerFactory(learners, nullptr, &strategies_)(config_, view);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return *std::move(trainer);
  }
  // The first number of each tensor: conv, bn.weight, head, running_mean, num_batches_tracked.
  std::vector<double> Train(uint64_t seq) {
    auto output = worker_->Train(base_, RequestOf(seq));
    EXPECT_TRUE(output.ok()) << output.status();
    return output.ok() ? FirstOf(output->update) : std::vector<double>();
  }
  static std::vector<double> FirstOf(const PackedTensors& tensors) {
    std::vector<double> values;
    const StateDict state = StateDict::Unpack(tensors);
    for (const StateDict::Entry& entry : state.entries()) {
      values.push_back(entry.tensor.flatten()[0].item<double>());
    }
    return values;
  }
  // The next global model: each tensor all of that number.
  void SetBase(std::vector<float> values, int64_t batches) {
    PackedTensors next(base_.manifest());
    for (size_t t = 0; t < values.size(); ++t) {
      const float pair[] = {values[t], values[t]};
      std::memcpy(next.mutable_tensor(t).data(), pair, sizeof(pair));
    }
    std::memcpy(next.mutable_tensor(4).data(), &batches, sizeof(batches));
    base_ = next;
  }

  StrategyRegistries strategies_ = BuiltinStrategies();
  std::shared_ptr<std::vector<double>> given_ = std::make_shared<std::vector<double>>();
  RunConfig config_ = [] {
    RunConfig config = ConfigOf("test");
    config.run_id = "run";
    return config;
  }();
  std::unique_ptr<Trainer> worker_;
  PackedTensors base_;
  TempDir temp_;
};

TEST_F(LocalTensorsTest, BatchNormalizationStays) {
  Start({"fedbn", {}});
  EXPECT_THAT(Train(1), ElementsAre(1, 0, 1, 0, 0)) << "the model's do not change by them";
  ASSERT_TRUE(worker_->Settle(1, true).ok());
  SetBase({5, 0, 5, 0}, 0);
  EXPECT_THAT(Train(2), ElementsAre(1, 0, 1, 0, 0));
  EXPECT_THAT(*given_, ElementsAre(5, 1, 5, 10, 1)) << "its own of the task before";
  ASSERT_TRUE(worker_->Settle(2, true).ok());
  ASSERT_TRUE(worker_->Evaluate(base_, RequestOf(2)).ok());
  EXPECT_THAT(*given_, ElementsAre(5, 2, 5, 10, 2));
  // Statistics of the model are left as they are, whatever they are.
  SetBase({5, 3, 5, 4}, 7);
  EXPECT_THAT(Train(3), ElementsAre(1, 0, 1, 4, 7));
}

TEST_F(LocalTensorsTest, WhatDoesNotCountIsForgotten) {
  Start({"fedbn", {}});
  Train(1);
  ASSERT_TRUE(worker_->Settle(1, false).ok());
  Train(2);
  EXPECT_THAT(*given_, ElementsAre(0, 0, 0, 0, 0));
}

TEST_F(LocalTensorsTest, TheyOutliveTheWorker) {
  config_.worker_state = temp_ / "state";
  Start({"fedbn", {}});
  Train(1);
  ASSERT_TRUE(worker_->Settle(1, true).ok());
  Train(2);
  Restart();
  Train(2);
  EXPECT_THAT(*given_, ElementsAre(0, 1, 0, 10, 1));
}

TEST_F(LocalTensorsTest, NamesSayWhatStays) {
  Start({"local", {{"keep", "head.*, *.running_mean"}}});
  EXPECT_THAT(Train(1), ElementsAre(1, 1, 0, 0, 1));
  Start({"local", {{"share", "conv.*"}}});
  EXPECT_THAT(Train(1), ElementsAre(1, 0, 0, 0, 0));
}

TEST_F(LocalTensorsTest, ANameThatNothingHasIsRefused) {
  Start({"local", {{"keep", "haed.*"}}});
  EXPECT_THAT(Message(worker_->Train(base_, RequestOf(1)).status()),
              HasSubstr("term 'local': the model has no tensor that would stay at the worker"));
}

TEST_F(LocalTensorsTest, WhatWasKeptOfAnotherModelIsRefused) {
  config_.worker_state = temp_ / "state";
  Start({"local", {{"keep", "head.*"}}});
  Train(1);
  ASSERT_TRUE(worker_->Settle(1, true).ok());
  Start({"local", {{"keep", "conv.*"}}});
  EXPECT_THAT(Message(worker_->Train(base_, RequestOf(2)).status()),
              HasSubstr("what this worker has kept is of another model: tensor 'conv.weight'"));
}

}  // namespace
}  // namespace skein
