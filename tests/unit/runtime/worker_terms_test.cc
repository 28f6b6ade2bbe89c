// Client-side terms at workers, by the trainer that the runtime has: what learners get, what
// travels, what is kept. Servers are worked out by hand.
#include "runtime/worker_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "strategy/companions.h"
#include "support/quadratic_learner.h"
#include "unit/federation/temp_dir.h"
#include "unit/runtime/learner_requests.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

class WorkerTermsTest : public ::testing::Test {
 protected:
  // The trainers of two workers, whose strategy has `terms`.
  void Start(std::vector<PartSpec> terms, const Quadratics& quadratics = {}) {
    learners_ = std::make_unique<LearnerRegistry>();
    ASSERT_TRUE(learners_->Register("test", QuadraticLearner::Factory(quadratics)).ok());
    config_.strategy.terms = std::move(terms);
    Restart();
    const auto initial = Make(CoordinatorView())->Initialize();
    ASSERT_TRUE(initial.ok()) << initial.status();
    base_ = *WithCompanions(*initial, *MakeTerms(config_.strategy, strategies_));
  }
  // As processes that start anew.
  void Restart() {
    for (LeafIndex leaf = 0; leaf < 2; ++leaf) workers_[leaf] = Make(WorkerView(leaf));
  }
  std::unique_ptr<Trainer> Make(const NodeView& view) {
    auto trainer = MakeLearnerTrainerFactory(*learners_, nullptr, &strategies_)(config_, view);
    EXPECT_TRUE(trainer.ok()) << trainer.status();
    return *std::move(trainer);
  }
  // The update of a worker for the model `base_`.
  std::vector<float> Train(LeafIndex leaf, uint64_t seq) {
    auto output = workers_[leaf]->Train(base_, RequestOf(seq));
    EXPECT_TRUE(output.ok()) << output.status();
    if (!output.ok()) return {};
    metrics_[leaf] = output->metrics;
    std::vector<float> values;
    for (size_t i = 0; i < output->update.manifest().size(); ++i) {
      values.push_back(Floats(output->update, i)[0]);
    }
    return values;
  }
  std::string TrainError() { return Message(workers_[0]->Train(base_, RequestOf(1)).status()); }
  void Settle(uint64_t seq, bool counts = true) {
    for (auto& worker : workers_) EXPECT_TRUE(worker->Settle(seq, counts).ok());
  }
  // The model's tensors, one number each.
  void SetBase(const std::vector<float>& values) {
    PackedTensors next(base_.manifest());
    std::memcpy(next.mutable_bytes().data(), values.data(), values.size() * sizeof(float));
    base_ = next;
  }

  StrategyRegistries strategies_ = BuiltinStrategies();
  std::unique_ptr<LearnerRegistry> learners_;
  RunConfig config_ = [] {
    RunConfig config = ConfigOf("test");
    config.run_id = "run";
    return config;
  }();
  std::unique_ptr<Trainer> workers_[2];
  std::map<std::string, double> metrics_[2];
  PackedTensors base_;
  TempDir temp_;
};

// ---- scaffold ----

// Karimireddy et al. 2019, Algorithm 1, option II: x + mean, c + (1/N) sum.
TEST_F(WorkerTermsTest, ScaffoldIsThePapers) {
  Start({{"scaffold", {}}});
  float x = 1, c = 0;
  const float deltas[2][2][2] = {{{-0.19F, 0.95F}, {0.72F, -3.6F}},
                                 {{0.1919F, 0.3655F}, {0.2151F, 0.2495F}}};
  const float models[3][2] = {{1.265F, -1.325F}, {1.4685F, -1.0175F}, {1.6163275F, -0.7391375F}};
  for (uint64_t round = 1; round <= 3; ++round) {
    const std::vector<float> a = Train(0, round), b = Train(1, round);
    ASSERT_EQ(a.size(), 2u);
    if (round < 3) {
      for (size_t i = 0; i < 2; ++i) {
        EXPECT_NEAR(a[i], deltas[round - 1][0][i], 2e-6) << round;
        EXPECT_NEAR(b[i], deltas[round - 1][1][i], 2e-6) << round;
      }
    }
    x += (a[0] + b[0]) / 2;
    c += (a[1] + b[1]) / 2;
    EXPECT_NEAR(x, models[round - 1][0], 2e-6) << round;
    EXPECT_NEAR(c, models[round - 1][1], 2e-6) << round;
    Settle(round);
    SetBase({x, c});
  }
}

TEST_F(WorkerTermsTest, ScaffoldsFixedPointIsTheOptimum) {
  Start({{"scaffold", {}}});
  float x = 1, c = 0;
  for (uint64_t round = 1; round <= 200; ++round) {
    const std::vector<float> a = Train(0, round), b = Train(1, round);
    Settle(round);
    x += (a[0] + b[0]) / 2;
    c += (a[1] + b[1]) / 2;
    SetBase({x, c});
  }
  EXPECT_NEAR(x, 2, 1e-5) << "FedAvg's is 1.9636";
  EXPECT_NEAR(c, 0, 1e-4);
  EXPECT_NEAR(Train(0, 300)[0], 0, 1e-5) << "no step of a worker moves it";
}

TEST_F(WorkerTermsTest, WhatDidNotCountIsNotKept) {
  for (const bool in_files : {false, true}) {
    config_.worker_state = in_files ? temp_ / "state" : "";
    Start({{"scaffold", {}}});
    const std::vector<float> first = Train(0, 1);
    Settle(1, false);
    EXPECT_EQ(Train(0, 2), first) << "as if the first had not been";
    Settle(2, true);
    const std::vector<float> third = Train(0, 3);
    EXPECT_NE(third, first);
    EXPECT_EQ(Train(0, 3), third) << "the same task again";
    Settle(3, false);
    EXPECT_EQ(Train(0, 4), third);
  }
}

TEST_F(WorkerTermsTest, WhatCountedOutlivesTheWorker) {
  config_.worker_state = temp_ / "state";
  Start({{"scaffold", {}}, {"ditto", {}}});
  Train(0, 1);
  Settle(1);
  const std::vector<float> second = Train(0, 2);
  const auto metrics = metrics_[0];
  Restart();  // with the second one not settled
  EXPECT_EQ(Train(0, 2), second);
  EXPECT_EQ(metrics_[0], metrics);
  EXPECT_TRUE(std::filesystem::exists(temp_ / "state/run/w0.safetensors"));

  config_.worker_state = "";
  Restart();
  EXPECT_NE(Train(0, 2), second) << "nothing was kept in memory";
}

TEST_F(WorkerTermsTest, AStateOfAnotherModelIsRefused) {
  config_.worker_state = temp_ / "state";
  std::filesystem::create_directories(temp_ / "state/run");
  PackedTensors other(*Manifest::Create({{"scaffold.k/v", DType::kFloat32, {3}}}));
  std::ranges::fill(other.mutable_bytes(), std::byte{0});
  ASSERT_TRUE(WriteSafetensors(other, temp_ / "state/run/w0.safetensors").ok());
  Start({{"scaffold", {}}});
  EXPECT_THAT(TrainError(), HasSubstr("term 'scaffold': what this worker has kept is of another"));
}

// ---- feddyn ----

// Acar et al. 2021, with exact local minima: many small steps. The server's part by hand.
TEST_F(WorkerTermsTest, FedDynIsThePapers) {
  constexpr double kAlpha = 0.5;
  Start({{"feddyn", {{"alpha", kAlpha}}}}, {.steps = 400, .lr = 0.05});
  ASSERT_EQ(base_.manifest().size(), 1u) << "only the model travels";
  double x = 1, h = 0;
  const double models[] = {1.9333333, 1.8666667, 1.88, 1.9066667};
  for (uint64_t round = 1; round <= 40; ++round) {
    const double a = Train(0, round)[0], b = Train(1, round)[0];
    Settle(round);
    if (round == 1) {
      EXPECT_NEAR(x + a, 1. / 3, 1e-5);
      EXPECT_NEAR(x + b, 2.6, 1e-5);
    }
    h -= kAlpha * (a + b) / 2;
    x += (a + b) / 2 - h / kAlpha;
    if (round == 1) {
      EXPECT_NEAR(h, -0.2333333, 1e-5);
    }
    if (round <= 4) {
      EXPECT_NEAR(x, models[round - 1], 1e-4) << round;
    }
    SetBase({static_cast<float>(x)});
  }
  EXPECT_NEAR(x, 2, 1e-4);
  EXPECT_NEAR(h, 0, 1e-4);
}

// ---- ditto ----

// Li et al. 2020: v moves by the gradient at v and the pull towards the received model.
TEST_F(WorkerTermsTest, DittoTrainsAModelOfTheWorkersOwn) {
  Start({{"ditto", {{"lambda", 0.5}}}});
  const auto step = [](double v, double x) { return v - 0.1 * (v + 0.5 * (v - x)); };
  EXPECT_NEAR(Train(0, 1)[0], -0.19, 1e-6) << "the global model's is FedAvg's";
  const double first = step(step(1, 1), 1);
  EXPECT_NEAR(metrics_[0].at("personal_w"), first, 1e-6);
  EXPECT_NEAR(metrics_[0].at("w"), 0.81, 1e-6);
  Settle(1);
  SetBase({3});
  EXPECT_NEAR(Train(0, 2)[0], 3 * 0.81 - 3, 1e-6);
  EXPECT_NEAR(metrics_[0].at("personal_w"), step(step(first, 3), 3), 1e-6) << "from where it was";
  Settle(2);
  const auto evaluated = workers_[0]->Evaluate(base_, RequestOf(2));
  ASSERT_TRUE(evaluated.ok()) << evaluated.status();
  EXPECT_NEAR(evaluated->metrics.at("loss"), 3, 1e-6);
  EXPECT_NEAR(evaluated->metrics.at("personal_loss"), step(step(first, 3), 3), 1e-6);
  const auto global = Make(CoordinatorView())->Evaluate(base_, RequestOf(2));
  ASSERT_TRUE(global.ok()) << global.status();
  EXPECT_FALSE(global->metrics.contains("personal_loss")) << "it is no worker";
}

// ---- all of them ----

TEST_F(WorkerTermsTest, FedProxWithoutAPullIsFedAvgBitForBit) {
  Start({});
  const std::vector<float> fedavg = Train(1, 1);
  Start({{"fedprox", {{"mu", 0.0}}}});
  EXPECT_EQ(Train(1, 1), fedavg);
  Start({{"fedprox", {{"mu", 0.5}}}});
  EXPECT_NE(Train(1, 1), fedavg);
  EXPECT_NEAR(Train(1, 1)[0], 0.7, 1e-6) << "1, 1.4, 1.7";
}

TEST_F(WorkerTermsTest, TermsAddUp) {
  Start({{"scaffold", {}}, {"fedprox", {{"mu", 0.5}}}});
  EXPECT_NEAR(Train(1, 1)[0], 0.7, 1e-6);
  // Gradients have entered with weights of 0.95 and 1; what the pull has moved is none of theirs.
  EXPECT_NEAR(Train(1, 1)[1], -0.7 / 0.195, 1e-5);
  EXPECT_NEAR(Train(1, 1)[1], (0.95 * -4 + -3.2) / 1.95, 1e-5);
}

TEST_F(WorkerTermsTest, WhatStaysAtTheWorkerIsPulledNowhere) {
  Start({{"fedprox", {{"mu", 0.5}}}, {"local", {{"keep", "w"}}}});
  for (uint64_t seq = 1; seq <= 2; ++seq) {
    EXPECT_EQ(Train(0, seq), (std::vector<float>{0})) << "the model's does not change";
    EXPECT_NEAR(metrics_[0].at("w"), seq == 1 ? 0.81 : 0.81 * 0.81, 1e-6) << "the worker's does";
    Settle(seq);
  }
}

TEST_F(WorkerTermsTest, ALearnerThatAppliesNoneFailsTheTask) {
  const Quadratics deaf{.applies_terms = false};
  Start({}, deaf);
  EXPECT_EQ(TrainError(), "");
  for (const char* term : {"fedprox", "scaffold", "feddyn", "ditto"}) {
    Start({{term, {}}}, deaf);
    EXPECT_THAT(TrainError(), HasSubstr("worker 'w0', learner 'test', round 1: strategy.terms asks "
                                        "for '" +
                                        std::string(term) +
                                        "', and the learner applies no terms: have it call "
                                        "context.terms.AdjustGradients"))
        << term;
  }
}

TEST_F(WorkerTermsTest, ScaffoldCannotDivideByALearningRateOfZero) {
  Start({{"scaffold", {}}}, {.lr = 0});
  EXPECT_THAT(TrainError(), HasSubstr("the learning rate was 0 in all steps"));
}

TEST_F(WorkerTermsTest, TheStepsThatTermsHaveSeenAreReported) {
  Start({});
  Train(0, 1);
  EXPECT_EQ(metrics_[0].at("steps"), 2);
  Start({{"fedprox", {{"mu", 0.5}}}}, {.steps = 4});
  Train(0, 1);
  EXPECT_NEAR(metrics_[0].at("steps"), 3.709875, 1e-12);
}

}  // namespace
}  // namespace skein
