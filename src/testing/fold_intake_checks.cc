// The checks of contributions that are taken in while they arrive.

#include <algorithm>
#include <cmath>
#include <thread>

#include "skein/base/status.h"
#include "skein/testing/fold_checks.h"
#include "testing/fold_samples.h"

namespace skein::testing {
namespace {

constexpr uint64_t kSeed = 20260202;
constexpr uint64_t kMaxChunk = 9000;

// The bytes of some tensors, arriving in a block whose rest holds what no float may be.
class Transfer {
 public:
  explicit Transfer(const PackedTensors& from) : from_(from), staged_(from.manifest()) {
    std::ranges::fill(staged_.mutable_bytes(), std::byte{0xff});
  }

  template <typename Header>
  void Begin(const Header& header, Accumulator& accumulator) {
    auto intake = accumulator.Begin(header, staged_);
    ASSERT_TRUE(intake.ok()) << intake.status();
    intake_ = *std::move(intake);
  }

  absl::Status Receive(uint64_t bytes) {
    const auto rest = from_.bytes().subspan(received_);
    const auto some = rest.first(std::min<uint64_t>(bytes, rest.size()));
    std::ranges::copy(some, staged_.mutable_bytes().begin() + static_cast<ptrdiff_t>(received_));
    received_ += some.size();
    return intake_->Advance(received_);
  }
  absl::Status ReceiveAll(Rng& rng) {
    absl::Status status;
    while (status.ok() && !done()) status = Receive(1 + rng.Below(kMaxChunk));
    return status;
  }
  bool done() const { return received_ == from_.bytes().size(); }
  absl::Status Complete() { return intake_->Complete(); }

 private:
  const PackedTensors from_;
  PackedTensors staged_;
  uint64_t received_ = 0;
  std::unique_ptr<Intake> intake_;  // goes before the block
};

std::unique_ptr<Transfer> Begun(const SampleUpdate& update, Accumulator& accumulator) {
  auto transfer = std::make_unique<Transfer>(update.tensors);
  transfer->Begin(update.header, accumulator);
  return transfer;
}

}  // namespace

void FoldChecks::TakingInEqualsAdding() {
  Rng rng(kSeed);
  auto accumulator = New();
  std::vector<std::unique_ptr<Transfer>> transfers;
  for (const SampleUpdate& update : updates_) transfers.push_back(Begun(update, *accumulator));
  // All at once, a chunk here and a chunk there.
  while (!transfers.empty()) {
    const size_t at = rng.Below(transfers.size());
    absl::Status status = transfers[at]->Receive(1 + rng.Below(kMaxChunk));
    if (status.ok() && !transfers[at]->done()) continue;
    if (status.ok()) status = transfers[at]->Complete();
    ASSERT_TRUE(status.ok()) << status;
    transfers.erase(transfers.begin() + static_cast<ptrdiff_t>(at));
  }
  EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(updates_)));
}

void FoldChecks::TakingInPartialsEqualsMerging() {
  Rng rng(kSeed + 1);
  const std::vector<SampleUpdate> members(updates_.begin(), updates_.begin() + 9);
  auto child = New();
  AddAll(members, *child);
  auto partial = child->TakePartial();
  ASSERT_TRUE(partial.ok()) << partial.status();
  auto root = New();
  {
    Transfer transfer(partial->sums);
    transfer.Begin(HeaderOf(*partial, members), *root);
    ASSERT_TRUE(transfer.ReceiveAll(rng).ok());
    EXPECT_EQ(root->total_weight(), Fixed128()) << "counts once it is completed";
    ASSERT_TRUE(transfer.Complete().ok());
    EXPECT_EQ(root->total_weight(), partial->total_weight);
  }
  EXPECT_TRUE(SameBytes(Finish(*root), FlatResult(members)));
}

void FoldChecks::ABrokenOffIntakeLeavesNoTrace() {
  Rng rng(kSeed + 2);
  const uint64_t bytes = updates_[0].tensors.bytes().size();
  for (const uint64_t received : {uint64_t{0}, uint64_t{1}, bytes / 3, bytes - 1, bytes}) {
    auto accumulator = New();
    auto first = Begun(updates_[0], *accumulator);  // before anything else
    ASSERT_TRUE(first->Receive(received).ok());
    AddAll({updates_[1], updates_[2]}, *accumulator);
    auto second = Begun(updates_[3], *accumulator);
    ASSERT_TRUE(second->Receive(received).ok());
    first.reset();
    AddAll(With({updates_[4]}), *accumulator);
    second.reset();
    EXPECT_TRUE(
        SameBytes(Finish(*accumulator), FlatResult(With({updates_[1], updates_[2], updates_[4]}))))
        << "broken off after " << received << " bytes";
  }
}

void FoldChecks::ARefusedIntakeLeavesNoTraceAndSaysWhatAddSays() {
  Rng rng(kSeed + 3);
  const size_t last = base_.manifest().size() - 1;
  for (const uint64_t index : {0, 4321}) {
    SampleUpdate bad = updates_[1];
    bad.tensors = Copied(bad.tensors);
    SetValue(bad.tensors, last, index, std::nan(""));
    const absl::Status expected = New()->Add(bad.header, bad.tensors);
    ASSERT_FALSE(expected.ok());
    auto accumulator = New();
    AddAll({updates_[0]}, *accumulator);
    {
      const auto transfer = Begun(bad, *accumulator);
      absl::Status status = transfer->ReceiveAll(rng);
      if (status.ok()) status = transfer->Complete();
      EXPECT_EQ(status, expected);
    }
    AddAll(With({updates_[2]}), *accumulator);
    EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(With({updates_[0], updates_[2]}))));
  }
  // What Begin can see, it refuses.
  SampleUpdate other = updates_[0];
  other.tensors = Filled(MakeManifest({{"w", DType::kFloat32, {1}}}), [](auto, auto) { return 0; });
  auto accumulator = New();
  auto intake = accumulator->Begin(other.header, other.tensors);
  const absl::Status status = intake.ok() ? (*intake)->Complete() : intake.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
}

void FoldChecks::AHalfTakenInUpdateIsNoPartOfAResult() {
  auto accumulator = New();
  AddAll(With({updates_[0], updates_[1]}), *accumulator);
  auto half = Begun(updates_[2], *accumulator);
  ASSERT_TRUE(half->Receive(updates_[2].tensors.bytes().size()).ok());
  PlainStep step;
  const auto next = accumulator->Finish(base_, step);
  const bool folds_at_the_end = next.ok();
  if (folds_at_the_end) {
    EXPECT_TRUE(SameBytes(*next, FlatResult(With({updates_[0], updates_[1]}))));
  } else {
    EXPECT_EQ(next.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(accumulator->TakePartial().status().code(), absl::StatusCode::kFailedPrecondition);
  }
  ASSERT_TRUE(half->Complete().ok());
  std::vector<SampleUpdate> left = {updates_[2]};
  if (folds_at_the_end) {
    AddAll(With({}), *accumulator);
  } else {
    left.insert(left.begin(), {updates_[0], updates_[1]});
  }
  EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(With(left))));
}

void FoldChecks::IntakesOnSeveralThreadsEqualAdding() {
  const size_t half = updates_.size() / 2;
  for (int trial = 0; trial < 5; ++trial) {
    auto accumulator = New();
    std::vector<std::unique_ptr<Transfer>> transfers;
    for (const SampleUpdate& update : updates_) transfers.push_back(Begun(update, *accumulator));
    std::vector<SampleUpdate> kept;
    for (size_t k = 0; k < updates_.size(); ++k) {
      if (k % 5 != 4) kept.push_back(updates_[k]);
    }
    const auto receive = [&](size_t begin, size_t end, uint64_t seed) {
      Rng rng(seed);
      for (size_t k = begin; k < end; ++k) {
        const absl::Status status = transfers[k]->ReceiveAll(rng);
        EXPECT_TRUE(status.ok()) << status;
        if (k % 5 == 4) transfers[k].reset();
      }
    };
    const uint64_t seed = kSeed + 4 + 2 * static_cast<uint64_t>(trial);
    std::thread one(receive, 0, half, seed), two(receive, half, updates_.size(), seed + 1);
    one.join();
    two.join();
    for (const auto& transfer : transfers) {
      if (transfer == nullptr) continue;
      const absl::Status status = transfer->Complete();
      ASSERT_TRUE(status.ok()) << status;
    }
    EXPECT_TRUE(SameBytes(Finish(*accumulator), FlatResult(kept))) << "trial " << trial;
  }
}

}  // namespace skein::testing
