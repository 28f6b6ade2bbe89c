// Uplink against Downlinks: models down, updates up, over links that break.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/tensor/chunk_codec.h"
#include "support/iterations.h"
#include "unit/runtime/transfer_pair.h"

namespace skein {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using testing::Fault;
using testing::FrameContext;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

constexpr int64_t kElements = 1'000'000;  // four chunks, the last one short
constexpr uint64_t kBytes = 4 * kElements;

// Does `kind` once, to the n-th frame of type F in one direction.
template <typename F>
testing::FaultPlan Once(Fault::Kind kind, bool up, int n) {
  auto seen = std::make_shared<int>(0);
  return [kind, up, n, seen](const FrameContext& context) -> Fault {
    if (context.up != up || !std::holds_alternative<F>(*context.frame)) return {};
    return {(*seen)++ == n ? kind : Fault::Kind::kNone};
  };
}

// ---- models ----

TEST(Transfer, AModelComesWholeAndVerified) {
  TransferPair pair;
  pair.parent.model = RandomFloats(kElements, 1);
  pair.parent.version = {3, 0, 0};
  pair.Attach(4);
  pair.Run();
  EXPECT_THAT(pair.child.ups, ElementsAre(4));
  ASSERT_THAT(pair.child.models, SizeIs(1));
  EXPECT_TRUE(SameBytes(pair.child.models[0].tensors, pair.parent.model));
  EXPECT_EQ(pair.child.models[0].header.version, (VersionRef{3, 0, 0}));
  EXPECT_EQ(pair.chunk_bytes_down, kBytes);
}

TEST(Transfer, AModelResumesWhereTheLinkBroke) {
  TransferPair pair(Once<ChunkFrame>(Fault::Kind::kCut, /*up=*/false, 2));
  pair.parent.model = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  EXPECT_THAT(pair.child.ups, SizeIs(2));
  ASSERT_THAT(pair.child.models, SizeIs(1));
  EXPECT_TRUE(SameBytes(pair.child.models[0].tensors, pair.parent.model));
  EXPECT_EQ(pair.chunk_bytes_down, kBytes) << "no byte came twice";
}

TEST(Transfer, ACorruptChunkIsSentAgain) {
  TransferPair pair(Once<ChunkFrame>(Fault::Kind::kCorrupt, /*up=*/false, 1));
  pair.parent.model = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  ASSERT_THAT(pair.child.models, SizeIs(1));
  EXPECT_TRUE(SameBytes(pair.child.models[0].tensors, pair.parent.model));
}

TEST(Transfer, AnotherModelStartsFromItsBeginning) {
  TransferPair pair(Once<ChunkFrame>(Fault::Kind::kCut, /*up=*/false, 2));
  pair.parent.model = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run(milliseconds(10));
  ASSERT_THAT(pair.child.models, IsEmpty());
  pair.parent.model = RandomFloats(kElements, 2);
  pair.parent.version = {1, 0, 0};
  pair.Run();
  ASSERT_THAT(pair.child.models, SizeIs(1));
  EXPECT_TRUE(SameBytes(pair.child.models[0].tensors, pair.parent.model));
}

TEST(Transfer, AModelThatIsHereAlreadyCostsNoChunks) {
  TransferPair pair;
  pair.parent.model = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  pair.Attach(2);
  pair.Run();
  EXPECT_THAT(pair.child.ups, ElementsAre(1, 2));
  EXPECT_THAT(pair.child.models, SizeIs(1));
  EXPECT_EQ(pair.chunk_bytes_down, kBytes);
}

TEST(Transfer, AModelWithAnotherDigestIsNotTaken) {
  TransferPair pair;
  pair.Attach();
  pair.Run();
  const PackedTensors model = RandomFloats(10, 1);
  pair.downlinks->OfferModel("c", {{1, 0, 0}, {}}, model, std::string(64, '0'));
  pair.Run(milliseconds(10));
  EXPECT_THAT(pair.child.models, IsEmpty());
  EXPECT_THAT(pair.parent.downs, SizeIs(1)) << "the child hangs up";
  pair.Run();
  EXPECT_THAT(pair.child.ups, SizeIs(2)) << "and comes again";
}

// ---- updates ----

TEST(Transfer, AnUpdateComesWholeAndIsAnswered) {
  TransferPair pair;
  pair.child.update = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  ASSERT_THAT(pair.parent.staged, SizeIs(1));
  EXPECT_TRUE(SameBytes(pair.parent.staged[0], pair.child.update));
  EXPECT_EQ(pair.parent.progress, 4);
  ASSERT_TRUE(pair.child.answer.has_value());
  EXPECT_TRUE(pair.child.answer->ok());
}

TEST(Transfer, AnUpdateResumesWhereTheLinkBroke) {
  for (const Fault::Kind kind : {Fault::Kind::kCut, Fault::Kind::kCorrupt}) {
    TransferPair pair(Once<ChunkFrame>(kind, /*up=*/true, 2));
    pair.child.update = RandomFloats(kElements, 1);
    pair.Attach();
    pair.Run();
    ASSERT_THAT(pair.parent.staged, SizeIs(1));
    EXPECT_TRUE(SameBytes(pair.parent.staged[0], pair.child.update));
    EXPECT_EQ(pair.chunk_bytes_up, kBytes) << "no byte came twice";
  }
}

TEST(Transfer, AnotherUpdateDoesNotResumeTheFirst) {
  TransferPair pair(Once<ChunkFrame>(Fault::Kind::kCut, /*up=*/true, 2));
  pair.child.update = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run(milliseconds(10));
  pair.child.update = RandomFloats(kElements, 2);
  pair.child.seq = 2;
  pair.Run();
  ASSERT_THAT(pair.parent.staged, SizeIs(1));
  EXPECT_TRUE(SameBytes(pair.parent.staged[0], pair.child.update));
}

TEST(Transfer, NothingIsSentWithoutAGrant) {
  TransferPair pair;
  pair.parent.grants = false;
  pair.child.update = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  ASSERT_THAT(pair.parent.offered, SizeIs(1));
  EXPECT_EQ(pair.chunk_bytes_up, 0u);
  pair.downlinks->Grant(pair.parent.offered[0]);
  pair.Run();
  EXPECT_THAT(pair.parent.staged, SizeIs(1));
}

TEST(Transfer, AnUploadThatIsRefusedMeanwhileIsDropped) {
  TransferPair pair;
  pair.parent.grants = false;
  pair.child.update = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  const UploadId id = pair.parent.offered.at(0);
  EXPECT_NE(pair.downlinks->Offer(id), nullptr);
  pair.downlinks->Grant(id);
  pair.downlinks->Acknowledge(id, absl::AbortedError("too late"));
  EXPECT_EQ(pair.downlinks->Offer(id), nullptr);
  EXPECT_FALSE(pair.downlinks->Staged(id).has_value());
  pair.Run();
  EXPECT_THAT(pair.parent.staged, IsEmpty()) << "chunks on their way were ignored";
  ASSERT_TRUE(pair.child.answer.has_value());
  EXPECT_EQ(pair.child.answer->code(), absl::StatusCode::kAborted);
}

TEST(Transfer, AnUploadThatEndsEarlyIsSaidToBeBroken) {
  TransferPair pair(Once<ChunkFrame>(Fault::Kind::kDrop, /*up=*/true, 3));
  pair.child.update = RandomFloats(kElements, 1);
  pair.Attach();
  pair.Run();
  EXPECT_THAT(pair.parent.broken, ElementsAre("its upload ended early"));
  EXPECT_THAT(pair.parent.staged, IsEmpty());
}

// ---- links ----

TEST(Transfer, SmallFramesGoBothWays) {
  TransferPair pair;
  pair.uplink->Send(TaskFailedFrame{TaskKind::kTrain, 1, 0, "dropped: no link yet"});
  pair.Attach();
  pair.Run();
  pair.downlinks->Send("c", Task{});
  pair.downlinks->Send("c", CancelFrame{1, 0, "late"});
  pair.downlinks->Send("c", CommittedFrame{1, {}});
  pair.downlinks->Send("stranger", Task{});
  pair.uplink->Send(TaskFailedFrame{TaskKind::kTrain, 1, 0, "no battery"});
  pair.uplink->Send(EvalReportFrame{.round = 7});
  pair.Run();
  EXPECT_THAT(pair.child.tasks, SizeIs(1));
  EXPECT_THAT(pair.child.cancels, ElementsAre("late"));
  EXPECT_THAT(pair.child.commits, ElementsAre(1));
  EXPECT_THAT(pair.parent.failures, ElementsAre("no battery"));
  EXPECT_THAT(pair.parent.evaluations, ElementsAre(7));
}

TEST(Transfer, ARefusedChildWaitsForANewAttachment) {
  TransferPair pair;
  pair.parent.welcomes = false;
  pair.Attach(1);
  pair.Run();
  pair.downlinks->Refuse("c", 1, absl::FailedPreconditionError("void"));
  pair.Run(hours(1));
  EXPECT_THAT(pair.parent.ups, SizeIs(1)) << "it does not dial again";
  pair.parent.welcomes = true;
  pair.Attach(2);
  pair.Run();
  EXPECT_THAT(pair.child.ups, ElementsAre(2));
}

TEST(Transfer, AParentThatIsAwayIsDialedWithGrowingBoundedPauses) {
  std::vector<Time> dials;
  TransferPair* now = nullptr;
  TransferPair pair([&](const FrameContext& context) -> Fault {
    if (!context.up) return {};
    dials.push_back(now->simulation.Now());
    return {Fault::Kind::kCut};  // every hello
  });
  now = &pair;
  pair.Attach();
  pair.Run(hours(1));
  ASSERT_THAT(dials.size(), Ge(300u));
  for (size_t i = 1; i < dials.size(); ++i) {
    const Duration pause = dials[i] - dials[i - 1];
    EXPECT_THAT(pause, Le(seconds(10)));
    if (i > 10) {
      EXPECT_THAT(pause, Ge(seconds(5)));
    } else {
      EXPECT_THAT(pause, Ge(milliseconds(50) * (1 << std::min<size_t>(i - 1, 6))));
    }
  }
}

TEST(Transfer, AWelcomeEndsThePauses) {
  std::vector<Time> dials;
  TransferPair* now = nullptr;
  TransferPair pair([&](const FrameContext& context) -> Fault {
    const bool hello = std::holds_alternative<HelloFrame>(*context.frame);
    if (hello) dials.push_back(now->simulation.Now());
    if (hello && dials.size() < 8) return {Fault::Kind::kCut};
    const bool failed = std::holds_alternative<TaskFailedFrame>(*context.frame);
    return {failed ? Fault::Kind::kCut : Fault::Kind::kNone};
  });
  now = &pair;
  pair.Attach();
  pair.Run(std::chrono::minutes(1));
  ASSERT_THAT(dials, SizeIs(8));
  EXPECT_THAT(pair.child.ups, SizeIs(1));
  const Time broken = pair.simulation.Now();
  pair.uplink->Send(TaskFailedFrame{});
  pair.Run();
  ASSERT_THAT(dials, SizeIs(9));
  EXPECT_THAT(dials[8] - broken, Le(milliseconds(100)));
}

TEST(Transfer, TrafficOfClosedLinksStillCounts) {
  TransferPair pair;
  pair.child.update = RandomFloats(1000, 1);
  pair.Attach();
  pair.Run();
  const auto before = pair.downlinks->Traffic();
  EXPECT_GT(before.first, 4000u);
  pair.Attach(2);
  pair.Run();
  EXPECT_GT(pair.downlinks->Traffic().first, before.first);
  pair.uplink->Close();
  pair.Run();
  const auto closed = pair.downlinks->Traffic();
  EXPECT_GE(closed.first, before.first);
  pair.downlinks->Close();
  EXPECT_EQ(pair.downlinks->Traffic(), closed);
}

TEST(Transfer, CloseInAnyMomentIsTheEnd) {
  for (int steps = 0; steps < 60; ++steps) {
    TransferPair pair;
    pair.parent.model = RandomFloats(kElements / 4, 1);
    pair.child.update = RandomFloats(kElements / 4, 2);
    pair.Attach();
    const uint64_t end = pair.simulation.steps() + static_cast<uint64_t>(steps);
    pair.simulation.RunUntil([&] { return pair.simulation.steps() >= end; });
    const size_t models = pair.child.models.size();
    const size_t staged = pair.parent.staged.size();
    if (steps % 2 == 0) {
      pair.uplink->Close();
    } else {
      pair.downlinks->Close();
      pair.uplink->Close();
    }
    pair.Run();
    EXPECT_EQ(pair.child.models.size(), models);
    if (steps % 2 != 0) {
      EXPECT_EQ(pair.parent.staged.size(), staged);
    }
  }
}

// ---- everything at once ----

TEST(Transfer, WhateverTheNetworkDoesBothArriveWhole) {
  const PackedTensors model = RandomFloats(kElements, 1);
  const PackedTensors update = RandomFloats(kElements, 2);
  const int seeds = SimSeeds(100);
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    auto rng = std::make_shared<Rng>(DeriveSeed(31, {static_cast<uint64_t>(seed)}));
    TransferPair pair([rng](const FrameContext& context) -> Fault {
      if (rng->Uniform() >= 0.15) return {};
      switch (rng->Below(4)) {
        case 0:
          return {Fault::Kind::kDelay, milliseconds(rng->Below(100))};
        case 1:
          return {Fault::Kind::kDuplicate};
        case 2:
          return {std::holds_alternative<ChunkFrame>(*context.frame) ? Fault::Kind::kCorrupt
                                                                     : Fault::Kind::kNone};
        default:
          return {Fault::Kind::kCut};
      }
    });
    pair.parent.model = model;
    pair.child.update = update;
    pair.Attach();
    ASSERT_TRUE(pair.simulation.RunUntil(
        [&] { return !pair.child.models.empty() && pair.child.answer.has_value(); }, hours(24)));
    EXPECT_TRUE(pair.child.answer->ok()) << *pair.child.answer;
    EXPECT_TRUE(SameBytes(pair.child.models[0].tensors, model));
    ASSERT_FALSE(pair.parent.staged.empty());
    for (const PackedTensors& staged : pair.parent.staged) {
      EXPECT_TRUE(SameBytes(staged, update));
    }
  }
}

}  // namespace
}  // namespace skein
