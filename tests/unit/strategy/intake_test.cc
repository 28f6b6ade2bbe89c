// Contributions that are folded while they arrive: whatever the order, and whoever breaks off, the
// sums are those of the completed ones.

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <variant>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "strategy/linear/linear_fold.h"
#include "support/iterations.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::Copied;
using testing::Filled;
using ::testing::HasSubstr;
using testing::HeaderOf;
using testing::MakeManifest;
using testing::PlainStep;
using testing::SameBytes;
using testing::SampleUpdate;
using testing::SetValue;

constexpr uint64_t kMaxSamples = 600;
constexpr size_t kWorkers = 64;

LinearRule SampleWeighted(IntegerRule integers) {
  return {.weight = [](const UpdateHeader& header) { return header.num_samples; },
          .max_weight = [](uint64_t max_samples) { return max_samples; },
          .options = {.integers = integers}};
}

std::shared_ptr<const Fold> Tiled(uint64_t tile_elements,
                                  IntegerRule integers = IntegerRule::kMaximum,
                                  const FoldKernels& kernels = BestFoldKernels()) {
  return MakeLinearFold(SampleWeighted(integers),
                        {.kernels = &kernels, .tile_elements = tile_elements});
}

// An update or a partial.
struct Contribution {
  std::variant<UpdateHeader, PartialHeader> header;
  PackedTensors tensors;

  absl::Status AddTo(Accumulator& accumulator) const {
    if (auto* update = std::get_if<UpdateHeader>(&header)) return accumulator.Add(*update, tensors);
    return accumulator.Merge(std::get<PartialHeader>(header), tensors);
  }
};

// One on its way in. The bytes that have not arrived yet are such as no tensor allows.
class Arriving {
 public:
  Arriving(const Contribution& from, Accumulator& accumulator) : from_(from) {
    staged_ = PackedTensors(from.tensors.manifest());
    std::ranges::fill(staged_.mutable_bytes(), std::byte{0x7f});
    auto intake = std::visit([&](const auto& header) { return accumulator.Begin(header, staged_); },
                             from.header);
    EXPECT_TRUE(intake.ok()) << intake.status();
    if (intake.ok()) intake_ = *std::move(intake);
  }

  absl::Status Receive(uint64_t bytes) {
    const auto source = from_.tensors.bytes();
    bytes = std::min(bytes, source.size() - received_);
    std::ranges::copy(source.subspan(received_, bytes),
                      staged_.mutable_bytes().begin() + received_);
    received_ += bytes;
    return intake_->Advance(received_);
  }
  absl::Status ReceiveAll() { return Receive(left()); }
  uint64_t left() const { return from_.tensors.bytes().size() - received_; }
  absl::Status Complete() { return intake_->Complete(); }
  const Contribution& from() const { return from_; }

 private:
  const Contribution& from_;
  PackedTensors staged_;
  uint64_t received_ = 0;
  std::unique_ptr<Intake> intake_;  // goes before the block
};

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    base_ = testing::RandomModel(testing::MixedManifest(), 0.1, rng_);
    plan_ = *MakeNumericPlan(base_, kMaxSamples, kWorkers);
    updates_ = testing::RandomUpdates(base_, 12, kMaxSamples, 0.05, rng_);
  }

  std::unique_ptr<Accumulator> New(const Fold& fold) const {
    return fold.NewAccumulator(base_.manifest(), plan_);
  }

  Contribution UpdateOf(size_t worker) const {
    return {updates_[worker].header, updates_[worker].tensors};
  }

  Contribution PartialOf(const Fold& fold, size_t first, size_t count) const {
    const std::vector<SampleUpdate> members(updates_.begin() + first,
                                            updates_.begin() + first + count);
    auto accumulator = New(fold);
    for (const auto& member : members) {
      EXPECT_TRUE(accumulator->Add(member.header, member.tensors).ok());
    }
    Partial partial = *accumulator->TakePartial();
    return {HeaderOf(partial, members), std::move(partial.sums)};
  }

  // Updates and partials in turn.
  std::vector<Contribution> Contributions(const Fold& fold) const {
    std::vector<Contribution> all;
    for (size_t k = 0; k < updates_.size(); ++k) {
      all.push_back(k % 3 == 2 ? PartialOf(fold, k - 1, 2) : UpdateOf(k));
    }
    return all;
  }

  // An element that is not allowed: NaN in an update, a value beyond all weights in a partial.
  static void Spoil(Contribution& contribution, size_t tensor, uint64_t index) {
    contribution.tensors = Copied(contribution.tensors);
    const bool update = std::holds_alternative<UpdateHeader>(contribution.header);
    SetValue(contribution.tensors, tensor, index, update ? NAN : -0x1p62);
  }

  // Both hold the same, to the bit.
  void ExpectSame(Accumulator& accumulator, Accumulator& expected) const {
    ASSERT_EQ(accumulator.total_weight(), expected.total_weight());
    auto partial = accumulator.TakePartial(), sums = expected.TakePartial();
    ASSERT_EQ(partial.status(), sums.status());
    if (partial.ok()) {
      ASSERT_TRUE(SameBytes(partial->sums, sums->sums));
    }
  }

  // Parameters at the front and at the back of the model, unaligned.
  static constexpr size_t kFirst = 1, kLast = 14;

  Rng rng_{2026};
  PackedTensors base_;
  NumericPlan plan_;
  std::vector<SampleUpdate> updates_;
};

TEST_F(IntakeTest, EqualsAddHoweverItArrives) {
  for (const uint64_t tile_elements : {1, 7, 64, 4096, 1 << 18}) {
    const auto fold = Tiled(tile_elements);
    for (const uint64_t chunk : {1, 13, 4096, 1 << 20}) {
      if (tile_elements * chunk < 64) continue;  // slow, and shows nothing new
      auto accumulator = New(*fold), expected = New(*fold);
      for (const Contribution& contribution : {UpdateOf(0), PartialOf(*fold, 1, 3)}) {
        Arriving arriving(contribution, *accumulator);
        while (arriving.left() > 0) ASSERT_TRUE(arriving.Receive(chunk).ok());
        ASSERT_TRUE(arriving.Complete().ok());
        ASSERT_TRUE(contribution.AddTo(*expected).ok());
      }
      ExpectSame(*accumulator, *expected);
    }
  }
}

TEST_F(IntakeTest, KindsOfKernelsAndSizesOfTilesGiveTheSameModel) {
  auto expected = New(*Tiled(1 << 18, IntegerRule::kMean, PortableFoldKernels()));
  auto accumulator = New(*Tiled(100, IntegerRule::kMean));
  for (const SampleUpdate& update : updates_) {
    ASSERT_TRUE(expected->Add(update.header, update.tensors).ok());
    ASSERT_TRUE(accumulator->Add(update.header, update.tensors).ok());
  }
  const Fixed128 subtree = Fixed128::FromInt(3 * kMaxSamples);  // beyond one update's weight
  ASSERT_TRUE(expected->AddSubtree(updates_[0].tensors, subtree).ok());
  ASSERT_TRUE(accumulator->AddSubtree(updates_[0].tensors, subtree).ok());
  ExpectSame(*accumulator, *expected);
}

TEST_F(IntakeTest, FoldsWhatIsThereAndNothingBeyond) {
  const auto fold = Tiled(16);
  auto accumulator = New(*fold);
  Contribution bad = UpdateOf(0);
  Spoil(bad, kFirst, 20);
  Arriving arriving(bad, *accumulator);
  // mask[3], 20 elements of conv.weight: the first tile is whole, the second is not yet. What lies
  // behind it in the block would be refused.
  ASSERT_TRUE(arriving.Receive(3 + 20 * 4).ok());
  ASSERT_TRUE(arriving.Receive(9 * 4 - 1).ok());
  const absl::Status status = arriving.Receive(200);
  EXPECT_EQ(Message(status), "tensor 'conv.weight' has NaN at index 20");
  EXPECT_EQ(arriving.ReceiveAll(), status) << "final";
  EXPECT_EQ(arriving.Complete(), status);
  EXPECT_EQ(accumulator->total_weight(), Fixed128());
}

TEST_F(IntakeTest, SaysWhatAddSays) {
  for (const uint64_t tile_elements : {5, 1 << 18}) {
    const auto fold = Tiled(tile_elements, IntegerRule::kMean);
    std::vector<Contribution> all = {UpdateOf(0), PartialOf(*fold, 0, 4)};
    for (Contribution& contribution : all) {
      for (const auto& [tensor, index] : {std::pair<size_t, uint64_t>{kLast, 9000}, {kFirst, 29}}) {
        Spoil(contribution, tensor, index);
        auto accumulator = New(*fold);
        Arriving arriving(contribution, *accumulator);
        const absl::Status advanced = arriving.ReceiveAll();
        const absl::Status added = contribution.AddTo(*New(*fold));
        EXPECT_FALSE(added.ok());
        EXPECT_EQ(advanced, added);
        EXPECT_EQ(arriving.Complete(), added);
        EXPECT_THAT(Message(added), HasSubstr("at index " + std::to_string(index)));
      }
    }
  }
}

TEST_F(IntakeTest, OfSeveralOffensesTheFirstIsNamed) {
  const auto fold = Tiled(1 << 18);
  Contribution partial = PartialOf(*fold, 0, 2);
  Spoil(partial, kLast, 7);
  EXPECT_THAT(Message(partial.AddTo(*New(*fold))), HasSubstr("'fc.weight'"));
  Spoil(partial, 2, 4);  // "levels": a maximum, which is looked at last
  EXPECT_THAT(Message(partial.AddTo(*New(*fold))), HasSubstr("'levels'"));
  Spoil(partial, kFirst, 3);
  EXPECT_THAT(Message(partial.AddTo(*New(*fold))), HasSubstr("'conv.weight'"));
}

TEST_F(IntakeTest, NothingIsTakenOutWhileAContributionIsHalfThere) {
  const auto fold = Tiled(64);
  auto accumulator = New(*fold), expected = New(*fold);
  const Contribution first = UpdateOf(0), second = UpdateOf(1);
  ASSERT_TRUE(first.AddTo(*accumulator).ok());
  ASSERT_TRUE(first.AddTo(*expected).ok());
  PlainStep step;
  {
    Arriving arriving(second, *accumulator);
    ASSERT_TRUE(arriving.Receive(10000).ok());
    EXPECT_EQ(accumulator->Finish(base_, step).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(accumulator->TakePartial().status().code(), absl::StatusCode::kFailedPrecondition);
  }
  ExpectSame(*accumulator, *expected);
}

TEST_F(IntakeTest, TheTotalIsCheckedAgainWhenItIsCompleted) {
  const auto fold = Tiled(64);
  plan_ = *MakeNumericPlan(base_, kMaxSamples, 1);
  updates_[0].header.num_samples = updates_[1].header.num_samples = 400;
  auto accumulator = New(*fold), expected = New(*fold);
  const Contribution first = UpdateOf(0), second = UpdateOf(1);
  {
    Arriving a(first, *accumulator), b(second, *accumulator);
    ASSERT_TRUE(a.ReceiveAll().ok());
    ASSERT_TRUE(b.ReceiveAll().ok());
    ASSERT_TRUE(a.Complete().ok());
    EXPECT_THAT(Message(b.Complete()), HasSubstr("would exceed its bound, 600"));
  }
  ASSERT_TRUE(first.AddTo(*expected).ok());
  ExpectSame(*accumulator, *expected);
}

TEST_F(IntakeTest, IsCountedOnce) {
  const auto fold = Tiled(64);
  auto accumulator = New(*fold), expected = New(*fold);
  const Contribution contribution = UpdateOf(0);
  {
    Arriving arriving(contribution, *accumulator);
    ASSERT_TRUE(arriving.ReceiveAll().ok());
    ASSERT_TRUE(arriving.Complete().ok());
    EXPECT_EQ(arriving.Complete().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(arriving.ReceiveAll().ok());
  }
  ASSERT_TRUE(contribution.AddTo(*expected).ok());
  ExpectSame(*accumulator, *expected);
}

// ---- any schedule ----

TEST_F(IntakeTest, AnyScheduleGivesTheSumsOfThoseCompleted) {
  for (int iteration = 0; iteration < FuzzIterations(60); ++iteration) {
    Rng rng(1000 + static_cast<uint64_t>(iteration));
    const auto rule = rng.Below(2) == 0 ? IntegerRule::kMaximum : IntegerRule::kMean;
    const auto& kernels = rng.Below(2) == 0 ? PortableFoldKernels() : BestFoldKernels();
    const auto fold = Tiled(5 + rng.Below(4000), rule, kernels);
    std::vector<Contribution> all = Contributions(*fold);
    for (Contribution& contribution : all) {
      if (rng.Below(5) == 0) Spoil(contribution, kLast, rng.Below(9998));
    }
    auto accumulator = New(*fold), expected = New(*fold);
    std::vector<std::unique_ptr<Arriving>> under_way;
    for (const Contribution& c : all) {
      under_way.push_back(std::make_unique<Arriving>(c, *accumulator));
    }
    while (!under_way.empty()) {
      const size_t at = rng.Below(under_way.size());
      Arriving& one = *under_way[at];
      const uint64_t choice = rng.Below(12);
      absl::Status status =
          choice == 0 ? absl::CancelledError("broken off") : one.Receive(rng.Below(20000));
      if (status.ok() && one.left() == 0) {
        status = one.Complete();
        if (status.ok()) {
          ASSERT_TRUE(one.from().AddTo(*expected).ok());
          under_way.erase(under_way.begin() + static_cast<ptrdiff_t>(at));
        }
      }
      if (!status.ok()) under_way.erase(under_way.begin() + static_cast<ptrdiff_t>(at));
    }
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*accumulator, *expected)) << iteration;
  }
}

TEST_F(IntakeTest, ThreadsGiveTheSumsOfThoseCompleted) {
  for (int iteration = 0; iteration < FuzzIterations(30); ++iteration) {
    Rng seeds(2000 + static_cast<uint64_t>(iteration));
    const auto fold = Tiled(1 + seeds.Below(2) * 3000 + 400);
    std::vector<Contribution> all = Contributions(*fold);
    Spoil(all[seeds.Below(all.size())], kLast, seeds.Below(9998));
    auto accumulator = New(*fold), expected = New(*fold);
    std::vector<std::unique_ptr<Arriving>> begun;
    for (const Contribution& c : all) begun.push_back(std::make_unique<Arriving>(c, *accumulator));

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::unique_ptr<Arriving>> arrived;  // null for one that broke off
    const auto receive = [&](size_t first, uint64_t seed) {
      Rng rng(seed);
      for (size_t k = first; k < begun.size(); k += 3) {
        std::unique_ptr<Arriving> one = std::move(begun[k]);
        while (one != nullptr && one->left() > 0) {
          if (rng.Below(25) == 0 || !one->Receive(rng.Below(9000)).ok()) one.reset();
        }
        const std::lock_guard<std::mutex> lock(mutex);
        arrived.push_back(std::move(one));
        changed.notify_one();
      }
    };
    std::vector<std::thread> threads;
    for (size_t t = 0; t < 3; ++t) threads.emplace_back(receive, t, seeds.Below(1 << 30));
    for (size_t k = 0; k < all.size(); ++k) {
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return arrived.size() > k; });
      const std::unique_ptr<Arriving> one = std::move(arrived[k]);
      lock.unlock();
      if (one == nullptr || !one->Complete().ok()) continue;
      ASSERT_TRUE(one->from().AddTo(*expected).ok());
    }
    for (std::thread& thread : threads) thread.join();
    ASSERT_NO_FATAL_FAILURE(ExpectSame(*accumulator, *expected)) << iteration;
  }
}

// ---- a tile that is taken ----

// Kernels that tell how many runs a pass has, and let a test act in the middle of one.
struct Pass {
  std::vector<size_t> runs;
  std::function<void()> during;
};
Pass& CurrentPass() {
  static Pass pass;
  return pass;
}
RunMask ObservedAdd(std::span<const FloatRun> runs, float bound, std::span<uint64_t> acc) {
  CurrentPass().runs.push_back(runs.size());
  if (auto during = std::exchange(CurrentPass().during, nullptr)) during();
  return PortableFoldKernels().add_floats(runs, bound, acc);
}

// A model of one tile, and an accumulator whose passes are observed.
class ContendedIntake : public ::testing::Test {
 protected:
  static constexpr int64_t kElements = 100;
  static FoldKernels Observed() {
    FoldKernels kernels = PortableFoldKernels();
    kernels.add_floats = ObservedAdd;
    return kernels;
  }

  const PackedTensors base = Filled(MakeManifest({{"w", DType::kFloat32, {kElements}}}),
                                    [](size_t, uint64_t) { return 1.0; });
  const NumericPlan plan = *MakeNumericPlan(base, kMaxSamples, kWorkers);
  const FoldKernels kernels = Observed();
  const std::shared_ptr<const Fold> fold = Tiled(kElements, IntegerRule::kMaximum, kernels);
  const std::unique_ptr<Accumulator> accumulator = fold->NewAccumulator(base.manifest(), plan);
};

TEST_F(ContendedIntake, WhoFindsATileTakenLeavesItsRangeAndUpToFourAreAddedInOnePass) {
  auto expected = Tiled(kElements)->NewAccumulator(base.manifest(), plan);

  std::vector<Contribution> all;
  for (size_t k = 0; k < 7; ++k) {
    UpdateHeader header;
    header.num_samples = k + 1;
    all.push_back({header, Filled(base.manifest(), [&](size_t, uint64_t i) {
                     return std::sin(static_cast<double>(k * kElements + i));
                   })});
  }
  SetValue(all[3].tensors, 0, 50, NAN);
  // A partial waits among them; it cannot be added in one pass with updates.
  auto child = Tiled(kElements)->NewAccumulator(base.manifest(), plan);
  ASSERT_TRUE(all[0].AddTo(*child).ok());
  Partial partial = *child->TakePartial();
  const PartialHeader header = HeaderOf(partial, {SampleUpdate{{}, {}}});
  all.insert(all.begin() + 2, {header, std::move(partial.sums)});
  const size_t bad = 4;
  std::vector<std::unique_ptr<Arriving>> arriving;
  for (const Contribution& c : all) {
    arriving.push_back(std::make_unique<Arriving>(c, *accumulator));
  }
  CurrentPass() = {};
  CurrentPass().during = [&] {
    for (size_t k = 1; k < arriving.size(); ++k) EXPECT_TRUE(arriving[k]->ReceiveAll().ok());
  };
  EXPECT_TRUE(arriving[0]->ReceiveAll().ok());
  EXPECT_EQ(CurrentPass().runs, (std::vector<size_t>{1, 4, 2}));
  for (size_t k = 0; k < arriving.size(); ++k) {
    const absl::Status completed = arriving[k]->Complete();
    EXPECT_EQ(completed.ok(), k != bad) << completed;
    if (completed.ok()) {
      EXPECT_TRUE(all[k].AddTo(*expected).ok());
    } else {
      EXPECT_EQ(Message(completed), "tensor 'w' has NaN at index 50");
    }
  }
  arriving.clear();
  EXPECT_TRUE(SameBytes(accumulator->TakePartial()->sums, expected->TakePartial()->sums));
}

TEST_F(ContendedIntake, OneThatIsDestroyedWaitsForItsRange) {
  UpdateHeader header;
  header.num_samples = 1;
  const Contribution one{header, Filled(base.manifest(), [](auto, auto) { return 0.5; })};
  const Contribution other{header, Filled(base.manifest(), [](auto, auto) { return 0.25; })};
  auto kept = std::make_unique<Arriving>(one, *accumulator);
  auto dropped = std::make_unique<Arriving>(other, *accumulator);
  std::thread dropping;
  CurrentPass() = {};
  CurrentPass().during = [&] {
    // In the middle of a pass of the tile: its range is queued, and it goes away.
    ASSERT_TRUE(dropped->ReceiveAll().ok());
    dropping = std::thread([&] { dropped.reset(); });
  };
  ASSERT_TRUE(kept->ReceiveAll().ok());
  dropping.join();
  ASSERT_TRUE(kept->Complete().ok());
  kept.reset();
  PlainStep step;
  const PackedTensors next = *accumulator->Finish(base, step);
  EXPECT_EQ(testing::ValueAt(next, 0, 0), 1.5);
  EXPECT_EQ(testing::ValueAt(next, 0, kElements - 1), 1.5);
}

}  // namespace
}  // namespace skein
