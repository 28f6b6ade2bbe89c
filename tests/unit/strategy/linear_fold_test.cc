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
using testing::SetValue;
using testing::ValueAt;

UpdateHeader Samples(uint64_t n) {
  UpdateHeader header;
  header.num_samples = n;
  return header;
}

// A tensor "w" of one type; most tests need no more.
class LinearFold : public ::testing::Test {
 protected:
  void Start(const std::string& fold, const ValueMap& params, DType dtype, double base_value,
             int64_t elements = 1, TensorRole role = TensorRole::kParameter,
             uint64_t max_samples = 100, uint64_t workers = 10) {
    fold_ = Make(BuiltinStrategies().folds, fold, params);
    base_ = Filled(MakeManifest({{"w", dtype, {elements}, role}}),
                   [&](size_t, uint64_t) { return base_value; });
    plan_ = *MakeNumericPlan(base_, fold_->MaxUpdateWeight(max_samples), workers);
    accumulator_ = fold_->NewAccumulator(base_.manifest(), plan_);
  }
  PackedTensors Update(std::vector<double> values) const {
    return Filled(*UpdateManifest(base_.manifest()), [&](size_t, uint64_t i) { return values[i]; });
  }
  absl::Status Add(uint64_t samples, std::vector<double> values) {
    return accumulator_->Add(Samples(samples), Update(std::move(values)));
  }
  // Adds a whole local model.
  void AddModel(uint64_t samples, std::vector<double> values) {
    const PackedTensors local =
        Filled(base_.manifest(), [&](size_t, uint64_t i) { return values[i]; });
    const absl::Status status = accumulator_->Add(Samples(samples), *DeltaOf(local, base_));
    EXPECT_TRUE(status.ok()) << status;
  }
  std::vector<double> Result() {
    PlainStep step;
    auto next = accumulator_->Finish(base_, step);
    EXPECT_TRUE(next.ok()) << next.status();
    std::vector<double> values;
    for (uint64_t i = 0; next.ok() && i < base_.manifest()[0].NumElements(); ++i) {
      values.push_back(ValueAt(*next, 0, i));
    }
    return values;
  }

  std::shared_ptr<const Fold> fold_;
  PackedTensors base_;
  NumericPlan plan_;
  std::unique_ptr<Accumulator> accumulator_;
};

// ---- vectors ----

TEST_F(LinearFold, FedAvgIsTheSampleWeightedMean) {
  Start("fedavg", {}, DType::kFloat32, 1.0, 2);
  AddModel(10, {1, 2});
  AddModel(30, {3, 4});
  AddModel(60, {5, -6});
  EXPECT_EQ(Result(), (std::vector<double>{4.0, static_cast<float>(-2.2)}));
}

TEST_F(LinearFold, EdgesOfUnequalWeightGiveTheFlatMean) {
  // Samples 10, 20, 30, 40 and models 1, 2, 3, 4, two edges of two: 3.0, not 2.6190476.
  Start("fedavg", {}, DType::kFloat32, 1.0);
  for (const int first : {1, 3}) {
    auto edge = fold_->NewAccumulator(base_.manifest(), plan_);
    PartialHeader header;
    header.updates = 2;
    for (const int k : {first, first + 1}) {
      ASSERT_TRUE(edge->Add(Samples(10u * k), Update({k - 1.0})).ok());
      header.roster.Insert(static_cast<LeafIndex>(k - 1));
    }
    const Partial partial = *edge->TakePartial();
    header.total_weight = partial.total_weight;
    ASSERT_TRUE(accumulator_->Merge(header, partial.sums).ok());
  }
  EXPECT_EQ(accumulator_->total_weight(), Fixed128::FromInt(100));
  EXPECT_EQ(Result(), std::vector<double>{3.0});
}

TEST_F(LinearFold, MeanIgnoresSamples) {
  Start("mean", {}, DType::kFloat32, 1.0);
  EXPECT_EQ(fold_->MaxUpdateWeight(100), 1u);
  AddModel(10, {1});
  AddModel(0, {2});
  AddModel(1000000, {6});
  EXPECT_EQ(Result(), std::vector<double>{3.0});
}

TEST_F(LinearFold, ScalingAllSamplesChangesNothing) {
  Start("fedavg", {}, DType::kFloat32, 0.25, 3);
  AddModel(3, {1, 2, 3});
  AddModel(7, {-1, 0.5, 9});
  const std::vector<double> expected = Result();
  Start("fedavg", {}, DType::kFloat32, 0.25, 3);
  AddModel(30, {1, 2, 3});
  AddModel(70, {-1, 0.5, 9});
  EXPECT_EQ(Result(), expected);
}

// ---- weights ----

TEST_F(LinearFold, FedAvgRefusesNoSamplesAndMoreThanDeclared) {
  Start("fedavg", {}, DType::kFloat32, 1.0);
  EXPECT_EQ(fold_->MaxUpdateWeight(100), 100u);
  EXPECT_EQ(Message(Add(0, {1})), "its weight is 0: no samples");
  EXPECT_EQ(Message(Add(101, {1})), "its weight is 101, the declared bound is 100");
  EXPECT_EQ(Add(UINT64_MAX, {1}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(Add(100, {1}).ok());
}

TEST_F(LinearFold, RefusesMoreThanTheTotalBound) {
  Start("fedavg", {}, DType::kFloat32, 1.0, 1, TensorRole::kParameter, 100, 2);
  EXPECT_TRUE(Add(100, {1}).ok());
  EXPECT_TRUE(Add(99, {1}).ok());
  EXPECT_THAT(Message(Add(2, {1})), HasSubstr("would exceed its bound, 200"));
  EXPECT_TRUE(Add(1, {1}).ok());
}

// ---- bounds ----

TEST_F(LinearFold, ABoundIsNamedWithTensorAndIndex) {
  Start("fedavg", {}, DType::kFloat32, 1.0, 5);  // V_max = 64
  EXPECT_TRUE(Add(1, {64, -64, 0, 0, 0}).ok());
  EXPECT_EQ(Message(Add(1, {0, 0, 0, -64.5, 99})),
            "tensor 'w' has -64.5, beyond its bound 2^6, at index 3; set strategy.fold.bound "
            "higher if that is no mistake");
  EXPECT_EQ(Message(Add(1, {0, std::nan(""), 0, 0, 0})), "tensor 'w' has NaN at index 1");
  EXPECT_EQ(Message(Add(1, {0, 0, 0, 0, -INFINITY})), "tensor 'w' has Inf at index 4");
}

TEST_F(LinearFold, TheLargestUpdatesOfAllWorkersDoNotWrap) {
  Start("fedavg", {}, DType::kFloat32, 1.0, 1, TensorRole::kParameter, 1 << 10, 1 << 12);
  for (int k = 0; k < 1 << 12; ++k) ASSERT_TRUE(Add(1 << 10, {64}).ok());
  EXPECT_EQ(Result(), std::vector<double>{65});
}

TEST_F(LinearFold, RefusesAPlanOfAnotherModel) {
  Start("fedavg", {}, DType::kFloat32, 1.0);
  plan_.scales.clear();
  accumulator_ = fold_->NewAccumulator(base_.manifest(), plan_);
  EXPECT_EQ(Add(1, {0}).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(LinearFold, FinishRefusesAnotherBase) {
  Start("fedavg", {}, DType::kFloat32, 1.0);
  ASSERT_TRUE(Add(1, {0}).ok());
  const auto other =
      Filled(MakeManifest({{"v", DType::kFloat32, {1}}}), [](size_t, uint64_t) { return 0.0; });
  PlainStep step;
  EXPECT_EQ(accumulator_->Finish(other, step).status().code(), absl::StatusCode::kInvalidArgument);
}

// ---- types ----

TEST_F(LinearFold, BuffersTakeTheMeanOfTheValues) {
  Start("fedavg", {}, DType::kFloat32, 1000.0, 1, TensorRole::kBuffer);
  AddModel(10, {2});
  AddModel(30, {6});
  EXPECT_EQ(Result(), std::vector<double>{5}) << "the base does not enter";
}

TEST_F(LinearFold, Float64ResultKeepsItsDigits) {
  const double x = 1.0 + 0x1p-40;
  Start("fedavg", {}, DType::kFloat64, x);
  ASSERT_TRUE(Add(1, {0.5}).ok());
  EXPECT_EQ(Result(), std::vector<double>{x + 0.5});
}

TEST_F(LinearFold, HalfAndBFloat16AreRoundedFromTheFloat32Result) {
  Start("fedavg", {}, DType::kFloat16, 1.0, 3);
  ASSERT_TRUE(Add(1, {0x1p-11, 0x1.8p-10, 0.1}).ok());  // two ties, to even
  EXPECT_EQ(Result(), (std::vector<double>{1.0, 1 + 0x1p-9, 1.099609375}));
  Start("fedavg", {}, DType::kBFloat16, 1.0, 3);
  ASSERT_TRUE(Add(1, {0x1p-8, 0x1.8p-7, 0.1}).ok());
  EXPECT_EQ(Result(), (std::vector<double>{1.0, 1 + 0x1p-6, 1.1015625}));
}

TEST_F(LinearFold, IntegersKeepTheMaximumByDefault) {
  for (const DType dtype : {DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64}) {
    Start("fedavg", {}, dtype, 0, 3, TensorRole::kBuffer);
    AddModel(10, {5, -9, -1});
    AddModel(90, {4, -3, -2});
    EXPECT_EQ(Result(), (std::vector<double>{5, -3, -1})) << NameOf(dtype);
  }
  Start("mean", {}, DType::kInt64, 0, 1, TensorRole::kBuffer);
  AddModel(1, {static_cast<double>(int64_t{1} << 60)});
  EXPECT_EQ(Result(), std::vector<double>{0x1p60}) << "the maximum has no bound";
}

TEST_F(LinearFold, IntegersCanTakeTheWeightedMeanHalfToEven) {
  Start("fedavg", {{"integers", "mean"}}, DType::kInt64, 0, 4, TensorRole::kBuffer);
  AddModel(1, {1, 3, -1, 10});
  AddModel(1, {2, 4, -2, 10});  // 1.5, 3.5, -1.5, 10
  EXPECT_EQ(Result(), (std::vector<double>{2, 4, -2, 10}));
  Start("fedavg", {{"integers", "mean"}}, DType::kUint8, 0, 2, TensorRole::kBuffer);
  AddModel(10, {255, 0});
  AddModel(30, {255, 8});
  EXPECT_EQ(Result(), (std::vector<double>{255, 6}));
}

TEST_F(LinearFold, IntegersTooLargeToAverageAreRefused) {
  Start("mean", {{"integers", "mean"}}, DType::kInt64, 0, 2, TensorRole::kBuffer);
  const int64_t bound = (int64_t{1} << 62) / 10;
  const std::string message = Message(Add(1, {7, static_cast<double>(2 * bound)}));
  EXPECT_THAT(message, HasSubstr("tensor 'w' has 9223372"));
  EXPECT_THAT(message, HasSubstr("more than can be averaged, at index 1"));
  for (int k = 0; k < 10; ++k) EXPECT_TRUE(Add(1, {4e17, -4e17}).ok());
  EXPECT_EQ(Result(), (std::vector<double>{4e17, -4e17})) << "ten of the largest do not wrap";
}

TEST_F(LinearFold, BoolsTakeTheMaximumUnderEveryRule) {
  for (const char* rule : {"max", "mean"}) {
    Start("fedavg", {{"integers", rule}}, DType::kBool, 0, 3, TensorRole::kBuffer);
    AddModel(90, {0, 0, 1});
    AddModel(10, {0, 1, 1});
    EXPECT_EQ(Result(), (std::vector<double>{0, 1, 1})) << rule;
  }
}

TEST_F(LinearFold, AModelWithoutTensorsStillCounts) {
  const Manifest nothing;
  fold_ = Make(BuiltinStrategies().folds, "fedavg");
  const PackedTensors base(nothing);
  auto accumulator = fold_->NewAccumulator(nothing, *MakeNumericPlan(base, 10, 10));
  ASSERT_TRUE(accumulator->Add(Samples(5), PackedTensors(nothing)).ok());
  EXPECT_EQ(accumulator->total_weight(), Fixed128::FromInt(5));
  PlainStep step;
  EXPECT_TRUE(accumulator->Finish(base, step).ok());
}

}  // namespace
}  // namespace skein
