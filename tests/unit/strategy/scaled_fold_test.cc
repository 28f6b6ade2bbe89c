#include <cmath>

#include <gmock/gmock.h>

#include "testing/fold_samples.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;
using testing::PlainStep;
using testing::ValueAt;

struct Said {
  uint64_t samples = 1;
  std::map<std::string, double> metrics;
};

UpdateHeader HeaderOf(const Said& said) {
  UpdateHeader header;
  header.num_samples = said.samples;
  header.metrics = said.metrics;
  return header;
}

// One tensor "w" that begins at 0.
class ScaledFold : public ::testing::Test {
 protected:
  void Start(const std::string& fold, const ValueMap& params, int64_t elements) {
    fold_ = Make(BuiltinStrategies().folds, fold, params);
    base_ = Filled(MakeManifest({{"w", DType::kFloat32, {elements}, TensorRole::kParameter}}),
                   [](size_t, uint64_t) { return 0.0; });
    plan_ = *MakeNumericPlan(base_, fold_->MaxUpdateWeight(100), 10, 64);
    sums_ = fold_->NewAccumulator(base_.manifest(), plan_);
  }
  absl::Status Add(const Said& said, std::vector<double> change) {
    return AddTo(*sums_, said, std::move(change));
  }
  absl::Status AddTo(Accumulator& sums, const Said& said, std::vector<double> change) {
    return sums.Add(HeaderOf(said), Filled(*UpdateManifest(base_.manifest()),
                                           [&](size_t, uint64_t i) { return change[i]; }));
  }
  std::vector<double> Result() {
    PlainStep step;
    auto next = sums_->Finish(base_, step);
    EXPECT_TRUE(next.ok()) << next.status();
    std::vector<double> values;
    for (uint64_t i = 0; next.ok() && i < base_.manifest()[0].NumElements(); ++i) {
      values.push_back(ValueAt(*next, 0, i));
    }
    return values;
  }
  void ExpectResult(const std::vector<double>& expected) {
    const std::vector<double> result = Result();
    ASSERT_EQ(result.size(), expected.size());
    for (size_t i = 0; i < result.size(); ++i) EXPECT_NEAR(result[i], expected[i], 1e-7) << i;
  }

  std::shared_ptr<const Fold> fold_;
  PackedTensors base_;
  NumericPlan plan_;
  std::unique_ptr<Accumulator> sums_;
};

// ---- FedNova ----

TEST_F(ScaledFold, FedNovaTakesOutTheNumberOfSteps) {
  // p = 1/4, 3/4, steps 2, 6, changes 0.2, 1.2: normalized 0.1, 0.2, five steps in effect.
  Start("fednova", {}, 1);
  ASSERT_TRUE(Add({25, {{"steps", 2}}}, {0.2}).ok());
  ASSERT_TRUE(Add({75, {{"steps", 6}}}, {1.2}).ok());
  ExpectResult({0.875});
}

TEST_F(ScaledFold, FedNovaOfEqualStepsIsFedAvg) {
  Start("fednova", {}, 2);
  for (const uint64_t n : {10, 30, 60}) {
    ASSERT_TRUE(
        Add({n, {{"steps", 5.61}}}, {0.01 * static_cast<double>(n), n == 30 ? -0.5 : 0.25}).ok());
  }
  ExpectResult({(0.1 * 10 + 0.3 * 30 + 0.6 * 60) / 100, 0.25 - 0.75 * 0.3});
}

TEST_F(ScaledFold, FedNovaNeedsSteps) {
  Start("fednova", {}, 1);
  EXPECT_THAT(Message(Add({10, {}}, {0.1})),
              HasSubstr("fold 'fednova' needs the metric 'steps', which did not come"));
  for (const double steps : {0.0, -1.0, 0.5, 1e10, std::nan("")}) {
    EXPECT_THAT(Message(Add({10, {{"steps", steps}}}, {0.1})), HasSubstr("its metric 'steps' is"))
        << steps;
  }
  EXPECT_EQ(sums_->total_weight(), Fixed128());
}

TEST_F(ScaledFold, FedNovaRefusesPartialsWithOtherScalars) {
  Start("fednova", {}, 1);
  ASSERT_TRUE(Add({10, {{"steps", 2}}}, {0.2}).ok());
  const Partial partial = *sums_->TakePartial();
  EXPECT_EQ(partial.scalars.at("weighted_steps"), Fixed128::FromInt(20));
  PartialHeader header;
  header.total_weight = partial.total_weight;
  header.roster = Roster::Range(0, 1);
  header.updates = 1;
  const std::map<std::string, Fixed128> wrong[] = {
      {},
      {{"steps", Fixed128::FromInt(20)}},
      {{"weighted_steps", Fixed128::FromInt(-20)}},
      {{"weighted_steps", Fixed128::FromInt(20)}, {"more", Fixed128::FromInt(1)}}};
  for (const auto& scalars : wrong) {
    header.scalars = scalars;
    EXPECT_THAT(Message(sums_->Merge(header, partial.sums)),
                HasSubstr("a partial of this fold has the scalars 'weighted_steps'"));
  }
  header.scalars = partial.scalars;
  ASSERT_TRUE(sums_->Merge(header, partial.sums).ok());
  ExpectResult({0.2});
}

TEST_F(ScaledFold, FedNovaSaysThatASubtreesOwnRoundsHaveNoSteps) {
  Start("fednova", {}, 1);
  EXPECT_FALSE(fold_->TakesSubtrees());
  const PackedTensors delta =
      Filled(*UpdateManifest(base_.manifest()), [](size_t, uint64_t) { return 0.5; });
  EXPECT_THAT(Message(sums_->AddSubtree(delta, Fixed128::FromInt(3))),
              HasSubstr("has no 'weighted_steps'"));
}

TEST_F(ScaledFold, APlainFoldTakesNoScalars) {
  Start("fedavg", {}, 1);
  ASSERT_TRUE(Add({10, {}}, {0.2}).ok());
  const Partial partial = *sums_->TakePartial();
  PartialHeader header;
  header.total_weight = partial.total_weight;
  header.roster = Roster::Range(0, 1);
  header.updates = 1;
  header.scalars = {{"weighted_steps", Fixed128::FromInt(20)}};
  EXPECT_THAT(Message(sums_->Merge(header, partial.sums)),
              HasSubstr("a partial of this fold has no scalars"));
}

// ---- q-FedAvg ----

TEST_F(ScaledFold, QFedAvgFavorsHighLosses) {
  // lr 0.1, losses 1 and 4.
  const std::pair<double, std::vector<double>> cases[] = {{0, {-0.05, 0.1}},
                                                          {0.1, {-0.0460790137, 0.1058617745}},
                                                          {1, {-0.0181818182, 0.1454545455}},
                                                          {2, {-0.0049019608, 0.1568627451}}};
  for (const auto& [q, expected] : cases) {
    Start("qfedavg", {{"q", q}, {"lr", 0.1}}, 2);
    ASSERT_TRUE(Add({7, {{"initial_loss", 1}}}, {-0.1, 0}).ok());
    ASSERT_TRUE(Add({90, {{"initial_loss", 4}}}, {0, 0.2}).ok());
    ExpectResult(expected);
  }
}

TEST_F(ScaledFold, QFedAvgNeedsLossesThatItCanScale) {
  Start("qfedavg", {{"lr", 0.1}}, 1);
  EXPECT_THAT(Message(Add({1, {}}, {0.1})), HasSubstr("needs the metric 'initial_loss'"));
  EXPECT_THAT(Message(Add({1, {{"initial_loss", 101}}}, {0.1})), HasSubstr("takes 0 to 100"));
  EXPECT_THAT(Message(Add({1, {{"initial_loss", -0.1}}}, {0.1})), HasSubstr("takes 0 to 100"));
  // A loss of 0 is a small one.
  ASSERT_TRUE(Add({1, {{"initial_loss", 0}}}, {0}).ok());
  ExpectResult({0});
  EXPECT_THAT(Refusal(BuiltinStrategies().folds, "qfedavg"), HasSubstr("'lr'"));
}

// ---- a mean of clipped updates ----

TEST_F(ScaledFold, ClippedMeanShortensLongUpdatesAlone) {
  Start("clipped-mean", {{"clip", 2.5}}, 2);
  ASSERT_TRUE(Add({}, {3, 4}).ok());  // to 1.5, 2
  ExpectResult({1.5, 2});
  ASSERT_TRUE(Add({1, {}}, {3, 4}).ok());
  ASSERT_TRUE(Add({99, {}}, {0.5, 0}).ok());
  ExpectResult({1, 1});
  ASSERT_TRUE(Add({}, {0, 0}).ok());  // has no direction
  ExpectResult({0, 0});
}

TEST_F(ScaledFold, ClippedMeanCanWeighBySamples) {
  Start("clipped-mean", {{"clip", 2.5}, {"weights", "samples"}}, 2);
  ASSERT_TRUE(Add({25, {}}, {3, 4}).ok());
  ASSERT_TRUE(Add({75, {}}, {0.5, 0}).ok());
  ExpectResult({0.75, 0.5});
}

TEST_F(ScaledFold, ClippedMeanCountsParametersOnly) {
  fold_ = Make(BuiltinStrategies().folds, "clipped-mean", {{"clip", 2.5}});
  base_ = Filled(MakeManifest({{"w", DType::kFloat32, {2}, TensorRole::kParameter},
                               {"running", DType::kFloat32, {1}, TensorRole::kBuffer}}),
                 [](size_t, uint64_t) { return 0.0; });
  sums_ = fold_->NewAccumulator(base_.manifest(), *MakeNumericPlan(base_, 1, 10, 64));
  ASSERT_TRUE(sums_
                  ->Add(HeaderOf({}), Filled(*UpdateManifest(base_.manifest()),
                                             [](size_t t, uint64_t i) {
                                               return t == 1 ? 40.0 : i == 0 ? 3.0 : 4.0;
                                             }))
                  .ok());
  PlainStep step;
  const PackedTensors next = *sums_->Finish(base_, step);
  EXPECT_EQ(ValueAt(next, 0, 0), 1.5);
  EXPECT_EQ(ValueAt(next, 1, 0), 40);
}

// ---- single steps ----

TEST_F(ScaledFold, FedSgdIsTheMeanOfSingleSteps) {
  Start("fedsgd", {}, 1);
  ASSERT_TRUE(Add({10, {{"steps", 1}}}, {1}).ok());
  ASSERT_TRUE(Add({30, {}}, {-1}).ok());
  EXPECT_THAT(Message(Add({30, {{"steps", 12}}}, {-1})),
              HasSubstr("fold 'fedsgd' takes one local step and the learner made 12"));
  ExpectResult({-0.5});
}

// ---- votes ----

TEST_F(ScaledFold, SignSgdIsAMajorityVote) {
  Start("signsgd", {}, 4);
  ASSERT_TRUE(Add({1, {}}, {0.5, 3, -1e-9, 0}).ok());
  ASSERT_TRUE(Add({50, {}}, {1e-6, -8, -2, 1}).ok());
  ASSERT_TRUE(Add({2, {}}, {-100, 7, -3, -1}).ok());
  ExpectResult({1, 1, -1, 0});
}

TEST_F(ScaledFold, SignSgdSendsCountsUpAndNotMajorities) {
  // Subtrees that vote +, + and -: three majorities would make +, five of nine votes are -.
  Start("signsgd", {}, 1);
  auto root = fold_->NewAccumulator(base_.manifest(), plan_);
  LeafIndex leaf = 0;
  for (const std::vector<double>& votes :
       {std::vector<double>{1, 1, -1}, {1, 1, -1}, {-1, -1, -1}}) {
    for (const double vote : votes) ASSERT_TRUE(Add({}, {vote}).ok());
    const Partial partial = *sums_->TakePartial();
    PartialHeader header;
    header.total_weight = partial.total_weight;
    header.roster = Roster::Range(leaf, leaf + 3);
    header.updates = 3;
    ASSERT_TRUE(root->Merge(header, partial.sums).ok());
    leaf += 3;
  }
  sums_ = std::move(root);
  ExpectResult({-1});
}

TEST_F(ScaledFold, SignSgdCountsVotesWhateverTheBoundOfChanges) {
  Start("signsgd", {}, 2);
  sums_ = fold_->NewAccumulator(base_.manifest(), *MakeNumericPlan(base_, 1, 10, 0x1p100));
  ASSERT_TRUE(Add({}, {1e30, -0.25}).ok());
  ASSERT_TRUE(Add({}, {0.5, -0.5}).ok());
  ExpectResult({1, -1});
}

TEST_F(ScaledFold, SignSgdTakesTheSizeOfItsStepFromTheOptimizer) {
  Start("signsgd", {}, 2);
  ASSERT_TRUE(Add({}, {40, -0.25}).ok());
  const auto sgd = Make(BuiltinStrategies().optimizers, "sgd", {{"lr", 0.01}});
  const PackedTensors next = *sums_->Finish(base_, *sgd);
  EXPECT_EQ(ValueAt(next, 0, 0), 0.01f);
  EXPECT_EQ(ValueAt(next, 0, 1), -0.01f);
}

// ---- contributions of several bases ----

TEST_F(ScaledFold, MixesMeansAndNotSums) {
  Start("fednova", {}, 1);
  auto older = fold_->NewAccumulator(base_.manifest(), plan_);
  ASSERT_TRUE(AddTo(*older, {10, {{"steps", 4}}}, {0.4}).ok());
  ASSERT_TRUE(Add({25, {{"steps", 2}}}, {0.2}).ok());
  ASSERT_TRUE(Add({75, {{"steps", 6}}}, {1.2}).ok());
  const MixPart parts[] = {{older.get(), 0.25, nullptr}, {sums_.get(), 0.75, nullptr}};
  PlainStep step;
  const auto next = fold_->Mix(base_, parts, step);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_NEAR(ValueAt(*next, 0, 0), 0.25 * 0.4 + 0.75 * 0.875, 1e-7);
}

TEST_F(ScaledFold, SignSgdMixesVotes) {
  Start("signsgd", {}, 1);
  auto older = fold_->NewAccumulator(base_.manifest(), plan_);
  ASSERT_TRUE(AddTo(*older, {}, {5}).ok());
  ASSERT_TRUE(Add({}, {-1}).ok());
  const MixPart parts[] = {{older.get(), 0.25, nullptr}, {sums_.get(), 0.75, nullptr}};
  PlainStep step;
  const auto next = fold_->Mix(base_, parts, step);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_EQ(ValueAt(*next, 0, 0), -1);
}

}  // namespace
}  // namespace skein
