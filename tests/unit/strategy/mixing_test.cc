#include <array>
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

// Updates of a model of one number, collected by the version that they refer to.
class MixingTest : public ::testing::Test {
 protected:
  // A float tensor, or a buffer, with this initial value.
  void Start(double x, DType dtype = DType::kFloat64, TensorRole role = TensorRole::kParameter,
             ValueMap fold_params = {}) {
    fold_params["bound"] = 64.0;
    fold_ = Make(registries_.folds, "fedavg", fold_params);
    x_ = ModelOf(x, dtype, role);
    plan_ = *MakeNumericPlan(x_, 1000, 100, fold_->MinBound());
  }
  PackedTensors ModelOf(double x, DType dtype, TensorRole role) const {
    return Filled(MakeManifest({{"w", dtype, {1}, role}}), [x](size_t, uint64_t) { return x; });
  }
  PackedTensors Like(double x) const {
    return Filled(x_.manifest(), [x](size_t, uint64_t) { return x; });
  }

  static constexpr double kWorkers = 4;
  struct Bucket {
    std::unique_ptr<Accumulator> sums;
    double staleness_weight = 1;
    std::optional<PackedTensors> base;
    double share = 1;
  };
  struct Sample {
    uint64_t samples = 1;
    double value = 0;  // the difference, or a buffer's value
  };
  void AddBucket(double staleness_weight, const std::vector<Sample>& samples,
                 std::optional<double> base = {}) {
    Bucket bucket{fold_->NewAccumulator(x_.manifest(), plan_), staleness_weight, {}};
    bucket.share = static_cast<double>(samples.size()) / kWorkers;
    if (base) bucket.base = Like(*base);
    for (const Sample& sample : samples) {
      UpdateHeader header;
      header.num_samples = sample.samples;
      const PackedTensors update =
          Filled(*UpdateManifest(x_.manifest()), [&](size_t, uint64_t) { return sample.value; });
      const absl::Status status = bucket.sums->Add(header, update);
      ASSERT_TRUE(status.ok()) << status;
    }
    buckets_.push_back(std::move(bucket));
  }

  absl::StatusOr<PackedTensors> Mix(const std::string& name, const ValueMap& params = {}) {
    const auto mixing = Make(registries_.mixing, name, params);
    std::vector<MixBucket> weights;
    for (const Bucket& bucket : buckets_) {
      weights.push_back({bucket.staleness_weight, bucket.sums->total_weight(), bucket.share});
    }
    const std::vector<double> coefficients = mixing->Coefficients(weights);
    std::vector<MixPart> parts;
    for (size_t i = 0; i < buckets_.size(); ++i) {
      parts.push_back({buckets_[i].sums.get(), coefficients.at(i),
                       mixing->MixesModels() ? &*buckets_[i].base : nullptr});
    }
    PlainStep step;
    absl::StatusOr<PackedTensors> next = fold_->Mix(x_, parts, step);
    buckets_.clear();
    return next;
  }
  double Mixed(const std::string& name, const ValueMap& params = {}) {
    auto next = Mix(name, params);
    EXPECT_TRUE(next.ok()) << next.status();
    return next.ok() ? ValueAt(*next, 0, 0) : NAN;
  }

  const StrategyRegistries registries_ = BuiltinStrategies();
  std::shared_ptr<const Fold> fold_;
  PackedTensors x_ = PackedTensors(Manifest());
  NumericPlan plan_;
  std::vector<Bucket> buckets_;
};

constexpr double kDigits = 5e-10;

// Three updates of weight 1 with staleness 0, 3 and 8.
TEST_F(MixingTest, DeltasAreFedBuffs) {
  Start(0);
  const auto add = [&] {
    AddBucket(1.0 / 3, {{1, -1}});
    AddBucket(0.5, {{1, 2}});
    AddBucket(1, {{1, 1}});
  };
  add();
  EXPECT_NEAR(Mixed("deltas"), 0.5555555556, kDigits);
  add();
  EXPECT_NEAR(Mixed("deltas", {{"divisor", "discounted"}}), 0.9090909091, kDigits);
}

TEST_F(MixingTest, DeltasWeighByTheFoldsWeightsWithinAndAcrossBuckets) {
  Start(10);
  AddBucket(0.5, {{100, 1}, {300, 5}});
  AddBucket(1, {{600, 2}});
  EXPECT_NEAR(Mixed("deltas"), 10 + (0.5 * (100 * 1 + 300 * 5) + 600 * 2) / 1000, kDigits);
}

// FedCompass' x + sum of s(u_i) w_i delta_i, with w_i = 1 / 4 for each of 4 workers.
TEST_F(MixingTest, AmongAllWorkersAFewMoveTheModelALittle) {
  Start(10);
  AddBucket(0.5, {{100, 1}});
  EXPECT_NEAR(Mixed("deltas", {{"divisor", "workers"}}), 10 + 0.5 * 1 / 4, kDigits);
  Start(10);
  AddBucket(0.5, {{100, 1}});
  AddBucket(1, {{100, 2}, {100, 5}});
  EXPECT_NEAR(Mixed("deltas", {{"divisor", "workers"}}), 10 + (0.5 * 1 + 2 + 5) / 4, kDigits);
  // Unequal weights: as if the other workers weighed what these do on average.
  Start(10);
  AddBucket(1, {{300, 1}, {100, 5}});
  EXPECT_NEAR(Mixed("deltas", {{"divisor", "workers"}}), 10 + 2.0 / 4 * (300 * 1 + 100 * 5) / 400,
              kDigits);
}

TEST_F(MixingTest, ModelsSayHowManyVersionsAreKept) {
  EXPECT_EQ(Make(registries_.mixing, "models")->VersionsKept(), 256u);
  EXPECT_EQ(Make(registries_.mixing, "models", {{"keep", 3}})->VersionsKept(), 3u);
  EXPECT_EQ(Make(registries_.mixing, "deltas")->VersionsKept(), 0u);
  EXPECT_THAT(Refusal(registries_.mixing, "models", {{"keep", 0}}), HasSubstr("'keep' is 0"));
}

// x = 0, alpha = 0.6, weights by (1 + u)^-0.5; models arrive one by one: (1, u = 0), (1, 1), (-1,
// 3).
TEST_F(MixingTest, ModelsAreFedAsyncs) {
  const auto polynomial = Make(registries_.staleness, "polynomial");
  double x = 0;
  const auto arrive = [&](double y, uint64_t staleness, double base) {
    Start(x);
    AddBucket(polynomial->Weight(staleness), {{1, y - base}}, base);
    x = Mixed("models", {{"alpha", 0.6}});
  };
  arrive(1, 0, 0);
  EXPECT_NEAR(x, 0.6, kDigits);
  arrive(1, 1, 0.25);                  // whatever the base was, what counts is the model
  EXPECT_NEAR(x, 0.7697056275, 1e-7);  // differences travel as float32
  arrive(-1, 3, 0.5);
  EXPECT_NEAR(x, 0.2387939239, 1e-7);
}

TEST_F(MixingTest, ModelsOfOneStepAreMixedOneAfterAnother) {
  Start(0);
  AddBucket(0.5, {{1, 1}}, 3);  // to 4
  AddBucket(1, {{1, 2}}, 0);    // to 2
  // x_1 = 0 + 0.25 * 4 = 1; x_2 = 1 + 0.5 * (2 - 1).
  EXPECT_NEAR(Mixed("models", {{"alpha", 0.5}}), 1.5, kDigits);
}

TEST_F(MixingTest, FullAlphaTakesTheModel) {
  Start(0.5);
  AddBucket(1, {{7, 1}}, 2);
  EXPECT_EQ(Mixed("models", {{"alpha", 1}}), 3);
}

TEST_F(MixingTest, BuffersTakeTheirWeightedMeanWhateverTheDivisor) {
  for (const std::string divisor : {"weights", "discounted"}) {
    Start(5, DType::kFloat64, TensorRole::kBuffer);
    AddBucket(0.5, {{200, 1}});
    AddBucket(1, {{100, 4}});
    EXPECT_NEAR(Mixed("deltas", {{"divisor", divisor}}), 2.5, kDigits) << divisor;
  }
}

TEST_F(MixingTest, BuffersOfModelsMoveAShareOfTheWay) {
  Start(5, DType::kFloat64, TensorRole::kBuffer);
  AddBucket(1, {{200, 1}}, 100);
  EXPECT_NEAR(Mixed("models", {{"alpha", 0.25}}), 4, kDigits);
}

TEST_F(MixingTest, IntegersTakeTheLargestOfAllBucketsOrTheirMean) {
  const auto add = [&] {
    AddBucket(1, {{100, 3}});
    AddBucket(1, {{300, 7}});
    AddBucket(1, {{200, 4}});
  };
  Start(1, DType::kInt64);
  add();
  EXPECT_EQ(Mixed("deltas"), 7);
  Start(1, DType::kInt64, TensorRole::kParameter, {{"integers", "mean"}});
  add();
  EXPECT_EQ(Mixed("deltas"), 5);  // 3200 / 600 = 5.33
}

TEST_F(MixingTest, OneFreshBucketIsTheSynchronousStepToTheBit) {
  Rng rng(4);
  const PackedTensors base = testing::RandomModel(testing::MixedManifest(), 0.3, rng);
  const auto fold = Make(registries_.folds, "fedavg");
  const auto updates = testing::RandomUpdates(base, 9, 600, 0.1, rng);
  const auto sums_of_all = [&] {
    auto sums = fold->NewAccumulator(base.manifest(), *MakeNumericPlan(base, 600, 9));
    for (const auto& update : updates) EXPECT_TRUE(sums->Add(update.header, update.tensors).ok());
    return sums;
  };
  for (const std::string divisor : {"weights", "discounted"}) {
    const auto mixing = Make(registries_.mixing, "deltas", {{"divisor", divisor}});
    const auto sums = sums_of_all();
    const MixBucket bucket{1, sums->total_weight()};
    const MixPart part{sums.get(), mixing->Coefficients({&bucket, 1}).at(0)};
    PlainStep step;
    EXPECT_TRUE(
        testing::SameBytes(*fold->Mix(base, {&part, 1}, step), *sums_of_all()->Finish(base, step)));
  }
}

TEST_F(MixingTest, RefusesEmptyAndForeignParts) {
  Start(0);
  EXPECT_TRUE(absl::IsFailedPrecondition(Mix("deltas").status()));
  buckets_.push_back({fold_->NewAccumulator(x_.manifest(), plan_), 1, {}});
  const MixPart empty{buckets_[0].sums.get(), 1};
  PlainStep step;
  EXPECT_TRUE(absl::IsFailedPrecondition(fold_->Mix(x_, {&empty, 1}, step).status()));
  buckets_.clear();
  AddBucket(1, {{1, 1}});
  const PackedTensors other(MakeManifest({{"v", DType::kFloat64, {1}}}));
  const MixPart part{buckets_[0].sums.get(), 1};
  EXPECT_THAT(Message(fold_->Mix(other, {&part, 1}, step).status()), HasSubstr("\"v\""));
  const MixPart foreign_base{buckets_[0].sums.get(), 1, &other};
  EXPECT_THAT(Message(fold_->Mix(x_, {&foreign_base, 1}, step).status()), HasSubstr("\"v\""));
}

TEST_F(MixingTest, RefusesWhatIsOutOfRange) {
  EXPECT_THAT(Refusal(registries_.mixing, "models", {{"alpha", 0}}), HasSubstr("'alpha' is 0"));
  EXPECT_THAT(Refusal(registries_.mixing, "models", {{"alpha", 1.5}}), HasSubstr("'alpha' is 1.5"));
  EXPECT_THAT(Refusal(registries_.mixing, "deltas", {{"divisor", "k"}}), HasSubstr("divisor"));
}

}  // namespace
}  // namespace skein
