#include "skein/testing/fold_checks.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "skein/base/status.h"
#include "testing/fold_samples.h"

namespace skein::testing {
namespace {

constexpr uint64_t kSeed = 20260101;
constexpr size_t kWorkers = 23;
constexpr uint64_t kMaxSamples = 600;

// What storing a result in the type may cost, relative to its magnitude.
double Precision(DType dtype) {
  switch (dtype) {
    case DType::kFloat16:
      return 0x1p-11;
    case DType::kBFloat16:
      return 0x1p-8;
    default:
      return 1e-6;
  }
}

// Keeps count of the elements that it is shown.
class CountingStep : public PlainStep {
 public:
  explicit CountingStep(const Manifest& model) : seen_(model.size()) {
    for (size_t t = 0; t < model.size(); ++t) seen_[t].resize(model[t].NumElements());
  }
  void BeginStep(const Manifest&) override { ++steps_; }
  void Step(size_t tensor, uint64_t offset, std::span<const double> x,
            std::span<const double> mean_delta, std::span<double> next) override {
    ASSERT_LE(offset + x.size(), seen_[tensor].size());
    ASSERT_EQ(x.size(), mean_delta.size());
    ASSERT_EQ(x.size(), next.size());
    for (size_t i = 0; i < x.size(); ++i) ++seen_[tensor][offset + i];
    PlainStep::Step(tensor, offset, x, mean_delta, next);
  }
  int steps() const { return steps_; }
  const std::vector<int>& seen(size_t tensor) const { return seen_[tensor]; }

 private:
  int steps_ = 0;
  std::vector<std::vector<int>> seen_;
};

bool Mentions(const absl::Status& status, const std::string& text) {
  return Message(status).find(text) != std::string::npos;
}

}  // namespace

void FoldChecks::SetUp() {
  fold_ = GetParam().make();
  ASSERT_NE(fold_, nullptr);
  Rng rng(kSeed);
  base_ = RandomModel(MixedManifest(), 0.1, rng);
  auto plan = MakeNumericPlan(base_, fold_->MaxUpdateWeight(kMaxSamples), kWorkers);
  ASSERT_TRUE(plan.ok()) << plan.status();
  plan_ = *std::move(plan);
  updates_ = RandomUpdates(base_, kWorkers, kMaxSamples, 0.05, rng);
  if (!GetParam().prepare) return;
  for (SampleUpdate& update : updates_) GetParam().prepare(update.header);
}

std::unique_ptr<Accumulator> FoldChecks::New() const {
  return fold_->NewAccumulator(base_.manifest(), plan_);
}

void FoldChecks::AddAll(const std::vector<SampleUpdate>& updates, Accumulator& accumulator) const {
  for (const SampleUpdate& update : updates) {
    const absl::Status status = accumulator.Add(update.header, update.tensors);
    ASSERT_TRUE(status.ok()) << status;
  }
}

PackedTensors FoldChecks::Finish(Accumulator& accumulator) const {
  PlainStep step;
  auto next = accumulator.Finish(base_, step);
  EXPECT_TRUE(next.ok()) << next.status();
  return next.ok() ? *std::move(next) : PackedTensors(base_.manifest());
}

PackedTensors FoldChecks::FlatResult(const std::vector<SampleUpdate>& updates) const {
  auto accumulator = New();
  AddAll(updates, *accumulator);
  return Finish(*accumulator);
}

std::vector<SampleUpdate> FoldChecks::With(std::vector<SampleUpdate> updates) const {
  const auto others = static_cast<std::ptrdiff_t>(fold_->MinContributions() - 1);
  updates.insert(updates.end(), updates_.end() - others, updates_.end());
  return updates;
}

void FoldChecks::OrderDoesNotMatter() {
  const PackedTensors expected = FlatResult(updates_);
  Rng rng(kSeed + 1);
  std::vector<SampleUpdate> shuffled = updates_;
  for (int trial = 0; trial < 10; ++trial) {
    rng.Shuffle(shuffled);
    EXPECT_TRUE(SameBytes(FlatResult(shuffled), expected)) << "trial " << trial;
  }
}

void FoldChecks::OneContributionOrAThousand() {
  Rng rng(kSeed + 3);
  base_ = RandomModel(MakeManifest({{"w", DType::kFloat32, {3, 5}},
                                    {"b", DType::kFloat16, {}},
                                    {"mean", DType::kFloat32, {4}, TensorRole::kBuffer},
                                    {"steps", DType::kInt64, {2}, TensorRole::kBuffer}}),
                      0.1, rng);
  for (const size_t count : {size_t{1}, kManyWorkers}) {
    const auto plan = MakeNumericPlan(base_, fold_->MaxUpdateWeight(kMaxSamples), count);
    ASSERT_TRUE(plan.ok()) << plan.status();
    plan_ = *plan;
    std::vector<SampleUpdate> updates = RandomUpdates(base_, count, kMaxSamples, 0.05, rng);
    for (SampleUpdate& update : updates) {
      if (GetParam().prepare) GetParam().prepare(update.header);
    }
    if (count < static_cast<size_t>(fold_->MinContributions())) continue;
    const PackedTensors expected = FlatResult(updates);
    if (fold_->composition() != Composition::kNone) {
      auto partial = FoldInRandomTree(*fold_, base_.manifest(), plan_, updates, 3, rng);
      ASSERT_TRUE(partial.ok()) << partial.status();
      auto root = New();
      ASSERT_TRUE(root->Merge(HeaderOf(*partial, updates), partial->sums).ok());
      EXPECT_TRUE(SameBytes(Finish(*root), expected)) << count;
    }
    rng.Shuffle(updates);
    EXPECT_TRUE(SameBytes(FlatResult(updates), expected)) << count;
  }
}

void FoldChecks::AnyTreeGivesTheFlatResult() {
  const PackedTensors expected = FlatResult(updates_);
  Rng rng(kSeed + 2);
  for (int trial = 0; trial < 20; ++trial) {
    const int depth = 1 + trial % 5;
    auto partial = FoldInRandomTree(*fold_, base_.manifest(), plan_, updates_, depth, rng);
    ASSERT_TRUE(partial.ok()) << partial.status();
    auto root = New();
    const absl::Status merged = root->Merge(HeaderOf(*partial, updates_), partial->sums);
    ASSERT_TRUE(merged.ok()) << merged;
    EXPECT_TRUE(SameBytes(Finish(*root), expected)) << "depth " << depth << ", trial " << trial;
  }
}

void FoldChecks::MatchesAPlainWeightedMean() {
  const PackedTensors result = FlatResult(updates_);
  double total = 0;
  for (const SampleUpdate& update : updates_) total += GetParam().weight(update.header);
  for (size_t t = 0; t < base_.manifest().size(); ++t) {
    const TensorInfo& info = base_.manifest()[t];
    if (!IsFloat(info.dtype)) continue;
    for (uint64_t i = 0; i < info.NumElements(); ++i) {
      double mean = 0;
      for (const SampleUpdate& update : updates_) {
        mean += GetParam().weight(update.header) * ValueAt(update.tensors, t, i) / total;
      }
      if (info.role == TensorRole::kParameter) mean += ValueAt(base_, t, i);
      ASSERT_NEAR(ValueAt(result, t, i), mean, Precision(info.dtype) * (1e-3 + std::abs(mean)))
          << info.name << " at " << i;
    }
  }
}

void FoldChecks::EqualUpdatesGiveTheirModel() {
  std::vector<SampleUpdate> same = updates_;
  for (SampleUpdate& update : same) update.tensors = updates_[0].tensors;
  const PackedTensors result = FlatResult(same);
  for (size_t t = 0; t < base_.manifest().size(); ++t) {
    const TensorInfo& info = base_.manifest()[t];
    for (uint64_t i = 0; i < info.NumElements(); ++i) {
      double expected = ValueAt(updates_[0].tensors, t, i);
      if (IsFloat(info.dtype) && info.role == TensorRole::kParameter) {
        expected += ValueAt(base_, t, i);
      }
      ASSERT_NEAR(ValueAt(result, t, i), expected,
                  IsFloat(info.dtype) ? Precision(info.dtype) * (1e-3 + std::abs(expected)) : 0)
          << info.name << " at " << i;
    }
  }
}

void FoldChecks::KeepsTheModelsManifest() {
  EXPECT_EQ(FlatResult(updates_).manifest(), base_.manifest());
}

void FoldChecks::AccumulatorsAreIndependent() {
  const std::vector<SampleUpdate> first = With({updates_.begin(), updates_.begin() + 5});
  const std::vector<SampleUpdate> second(updates_.begin() + 5, updates_.end());
  auto a = New(), b = New();
  for (size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) AddAll({first[i]}, *a);
    if (i < second.size()) AddAll({second[i]}, *b);
  }
  EXPECT_TRUE(SameBytes(Finish(*a), FlatResult(first)));
  EXPECT_TRUE(SameBytes(Finish(*b), FlatResult(second)));
}

void FoldChecks::NothingAddedIsAnError() {
  auto accumulator = New();
  PlainStep step;
  EXPECT_EQ(accumulator->Finish(base_, step).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(accumulator->TakePartial().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(accumulator->total_weight(), Fixed128());
}

void FoldChecks::TakingThePartialEmpties() {
  auto accumulator = New();
  AddAll(updates_, *accumulator);
  EXPECT_TRUE(Fixed128() < accumulator->total_weight());
  auto partial = accumulator->TakePartial();
  ASSERT_TRUE(partial.ok()) << partial.status();
  EXPECT_EQ(accumulator->total_weight(), Fixed128());
  EXPECT_EQ(accumulator->TakePartial().status().code(), absl::StatusCode::kFailedPrecondition);
  // What it is given after that stands alone.
  AddAll(With({updates_[3]}), *accumulator);
  EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(With({updates_[3]}))));
}

void FoldChecks::FinishingEmpties() {
  auto accumulator = New();
  AddAll(updates_, *accumulator);
  const PackedTensors next = Finish(*accumulator);
  const PackedTensors as_it_was = Copied(next);
  EXPECT_EQ(accumulator->total_weight(), Fixed128());
  PlainStep step;
  EXPECT_EQ(accumulator->Finish(base_, step).status().code(),
            absl::StatusCode::kFailedPrecondition);
  AddAll(With({updates_[3]}), *accumulator);
  EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(With({updates_[3]}))));
  EXPECT_TRUE(SameBytes(next, as_it_was)) << "the first model is not theirs any more";
}

void FoldChecks::AFoldThatDoesNotComposeHasNoPartials() {
  auto accumulator = New();
  AddAll(updates_, *accumulator);
  const Fixed128 weight = accumulator->total_weight();
  EXPECT_TRUE(Fixed128() < weight);
  EXPECT_EQ(accumulator->TakePartial().status().code(), absl::StatusCode::kFailedPrecondition);
  const auto sums = PartialManifest(base_.manifest());
  ASSERT_TRUE(sums.ok()) << sums.status();
  const Partial partial{weight, {}, Filled(*sums, [](size_t, uint64_t) { return 0.0; })};
  EXPECT_EQ(accumulator->Merge(HeaderOf(partial, updates_), partial.sums).code(),
            absl::StatusCode::kInvalidArgument);
  // None of it has left a trace.
  EXPECT_EQ(accumulator->total_weight(), weight);
  EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(updates_)));
}

// What subtrees have made of seven updates each, by folds of their own.
void FoldChecks::ASubtreeThatReportsAsOneIsOneContribution() {
  auto root = New();
  for (const SampleUpdate& made : updates_) {
    auto child = New();
    const auto weight = static_cast<int64_t>(fold_->SubtreeWeight(made.header.num_samples));
    absl::Status status = child->AddSubtree(made.tensors, Fixed128::FromInt(weight));
    ASSERT_TRUE(status.ok()) << status;
    auto partial = child->TakePartial();
    ASSERT_TRUE(partial.ok()) << partial.status();
    EXPECT_EQ(child->total_weight(), Fixed128());
    PartialHeader header = HeaderOf(*partial, {made});
    header.updates = 7;
    header.contributions = 1;
    status = root->Merge(header, partial->sums);
    ASSERT_TRUE(status.ok()) << status;
  }
  const PackedTensors expected = FlatResult(updates_);
  const PackedTensors result = Finish(*root);
  for (size_t t = 0; t < base_.manifest().size(); ++t) {
    const TensorInfo& info = base_.manifest()[t];
    for (uint64_t i = 0; i < info.NumElements(); ++i) {
      const double value = ValueAt(expected, t, i);
      ASSERT_NEAR(ValueAt(result, t, i), value,
                  IsFloat(info.dtype) ? Precision(info.dtype) * (1e-3 + std::abs(value)) : 0)
          << info.name << " at " << i;
    }
  }
}

void FoldChecks::TooFewContributionsAreAnError() {
  const int needed = fold_->MinContributions();
  if (needed == 1) return;
  auto accumulator = New();
  const std::vector<SampleUpdate> few(updates_.begin(), updates_.begin() + needed - 1);
  AddAll(few, *accumulator);
  const Fixed128 weight = accumulator->total_weight();
  PlainStep step;
  const absl::Status status = accumulator->Finish(base_, step).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(Mentions(status, "needs " + std::to_string(needed) + " contributions")) << status;
  EXPECT_TRUE(Mentions(status, "and " + std::to_string(needed - 1) + " came")) << status;
  EXPECT_EQ(accumulator->total_weight(), weight) << "nothing is taken";
  const SampleUpdate& last = updates_[static_cast<size_t>(needed) - 1];
  AddAll({last}, *accumulator);
  EXPECT_TRUE(
      SameBytes(Finish(*accumulator), FlatResult({updates_.begin(), updates_.begin() + needed})));
}

void FoldChecks::OptimizerSeesEachParameterOnce() {
  auto accumulator = New();
  AddAll(updates_, *accumulator);
  const Manifest& model = base_.manifest();
  CountingStep step(model);
  ASSERT_TRUE(accumulator->Finish(base_, step).ok());
  EXPECT_EQ(step.steps(), 1);
  for (size_t t = 0; t < model.size(); ++t) {
    const bool parameter = IsFloat(model[t].dtype) && model[t].role == TensorRole::kParameter;
    const auto& seen = step.seen(t);
    EXPECT_EQ(std::ranges::count(seen, parameter ? 1 : 0), static_cast<int64_t>(seen.size()))
        << model[t].name;
  }
}

void FoldChecks::RefusesNanAndInfinityNamingThePlace() {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (size_t t = 0; t < base_.manifest().size(); ++t) {
    const TensorInfo& info = base_.manifest()[t];
    if (!IsFloat(info.dtype) || info.NumElements() == 0) continue;
    const uint64_t last = info.NumElements() - 1;
    for (const double bad : {std::nan(""), kInf, -kInf}) {
      SampleUpdate update = updates_[0];
      update.tensors = Copied(update.tensors);
      SetValue(update.tensors, t, last, bad);
      const absl::Status status = New()->Add(update.header, update.tensors);
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << info.name << " " << bad;
      EXPECT_TRUE(Mentions(status, info.name)) << status;
      EXPECT_TRUE(Mentions(status, std::to_string(last))) << status;
      EXPECT_TRUE(Mentions(status, std::isnan(bad) ? "NaN" : "Inf")) << status;
    }
  }
}

void FoldChecks::RefusesOtherTensors() {
  const std::vector<TensorInfo> right = updates_[0].tensors.manifest().tensors();
  const auto refuses = [&](std::vector<TensorInfo> tensors, const std::string& named) {
    const Manifest manifest = MakeManifest(std::move(tensors));
    const absl::Status status =
        New()->Add(updates_[0].header, Filled(manifest, [](size_t, uint64_t) { return 0.0; }));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_TRUE(Mentions(status, named)) << status;
  };
  for (size_t t = 0; t < right.size(); ++t) {
    auto wrong = right;
    wrong[t].shape.push_back(2);
    refuses(wrong, right[t].name);
    wrong = right;
    wrong[t].name += "_of_another";
    refuses(wrong, right[t].name);
    wrong = right;
    wrong[t].dtype = right[t].dtype == DType::kFloat64 ? DType::kFloat32 : DType::kFloat64;
    refuses(wrong, right[t].name);
  }
  auto fewer = right;
  fewer.pop_back();
  refuses(fewer, right.back().name);
}

void FoldChecks::RefusesPartialsOfOtherTensors() {
  auto child = New();
  AddAll(updates_, *child);
  auto partial = child->TakePartial();
  ASSERT_TRUE(partial.ok()) << partial.status();
  auto parent = New();
  // An update's tensors are no partial, nor are sums of a smaller model.
  EXPECT_EQ(parent->Merge(HeaderOf(*partial, updates_), updates_[0].tensors).code(),
            absl::StatusCode::kInvalidArgument);
  auto fewer = partial->sums.manifest().tensors();
  fewer.pop_back();
  const PackedTensors smaller = Filled(MakeManifest(fewer), [](size_t, uint64_t) { return 0.0; });
  EXPECT_EQ(parent->Merge(HeaderOf(*partial, updates_), smaller).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(parent->total_weight(), Fixed128());
}

void FoldChecks::RefusesPartialsWithoutWeight() {
  auto child = New();
  AddAll(updates_, *child);
  auto partial = child->TakePartial();
  ASSERT_TRUE(partial.ok()) << partial.status();
  auto parent = New();
  for (const int64_t weight : {int64_t{0}, int64_t{-5}, int64_t{1} << 62}) {
    PartialHeader header = HeaderOf(*partial, updates_);
    header.total_weight = Fixed128::FromInt(weight);
    EXPECT_EQ(parent->Merge(header, partial->sums).code(), absl::StatusCode::kInvalidArgument)
        << weight;
  }
  PartialHeader nobody = HeaderOf(*partial, updates_);
  nobody.roster = Roster();
  EXPECT_EQ(parent->Merge(nobody, partial->sums).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(parent->total_weight(), Fixed128());
}

void FoldChecks::ARefusedUpdateLeavesNoTrace() {
  auto accumulator = New();
  AddAll(updates_, *accumulator);
  SampleUpdate bad = updates_[1];
  bad.tensors = Copied(bad.tensors);
  // The last tensor: all others are in order and would be added first.
  SetValue(bad.tensors, base_.manifest().size() - 1, 4321, std::nan(""));
  const Fixed128 weight = accumulator->total_weight();
  ASSERT_FALSE(accumulator->Add(bad.header, bad.tensors).ok());
  EXPECT_EQ(accumulator->total_weight(), weight);
  EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(updates_)));
}

}  // namespace skein::testing
