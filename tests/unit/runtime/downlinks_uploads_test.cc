#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/runtime/downlinks_fixture.h"
#include "unit/runtime/sink_transport.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kMiB = uint64_t{1} << 20;

using DownlinksUploads = DownlinksTest;

TEST_F(DownlinksUploads, AnUploadIsOfferedGrantedStagedAndAcknowledged) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(2500);
  const UploadId id{"w0", 1, 5};
  Send(*child, OfferFrame{5, update.manifest(), UpdateHeader{.seq = 9}});
  ASSERT_EQ(children_.offered.size(), 1u);
  EXPECT_EQ(children_.offered[0].first, id);
  EXPECT_EQ(std::get<UpdateHeader>(children_.offered[0].second.header).seq, 9u);
  EXPECT_THAT(child->All<GrantFrame>(), IsEmpty());

  downlinks_->Grant(id, nullptr);
  Settle();
  EXPECT_EQ(child->Last<GrantFrame>().offset, 0u);
  Send(*child, ChunkOf(5, update, 0, 1500));
  EXPECT_THAT(children_.progressed, ElementsAre(id));
  Send(*child, ChunkOf(5, update, 1500, 1000));
  EXPECT_THAT(children_.progressed, ElementsAre(id, id));
  EXPECT_THAT(children_.staged, IsEmpty());
  Send(*child, TrailerFrame{5, ""});
  EXPECT_THAT(children_.staged, ElementsAre(id));
  EXPECT_TRUE(SameBytes(downlinks_->Staged(id)->tensors(), update));
  ASSERT_NE(downlinks_->Offer(id), nullptr);

  downlinks_->Acknowledge(id, absl::AbortedError("no"));
  Settle();
  EXPECT_EQ(child->Last<AckFrame>().transfer, 5u);
  EXPECT_EQ(child->Last<AckFrame>().code, static_cast<int>(absl::StatusCode::kAborted));
  EXPECT_EQ(child->Last<AckFrame>().message, "no");
  EXPECT_EQ(downlinks_->Offer(id), nullptr);
  EXPECT_EQ(downlinks_->Staged(id), nullptr);
}

TEST_F(DownlinksUploads, TheBytesAreLetGoWithTheAcknowledgment) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(100);
  const UploadId id{"w0", 1, 5};
  OfferUpdate(*child, id, update);
  Send(*child, ChunkOf(5, update, 0, 100));
  Send(*child, TrailerFrame{5, ""});
  const std::weak_ptr<const void> block = downlinks_->Staged(id)->tensors().owner();
  EXPECT_FALSE(block.expired());
  downlinks_->Acknowledge(id, absl::OkStatus());
  EXPECT_TRUE(block.expired());
}

TEST_F(DownlinksUploads, AnUploadWithoutBytesIsStagedByItsTrailer) {
  const auto child = Join();
  OfferUpdate(*child, {"w0", 1, 5}, SampleTensors(0));
  Send(*child, TrailerFrame{5, ""});
  EXPECT_EQ(children_.staged.size(), 1u);
}

TEST_F(DownlinksUploads, UploadsOfSeveralChildrenDoNotMix) {
  const auto a = Join("a");
  const auto b = Join("b");
  const PackedTensors from_a = SampleTensors(2000, 1);
  const PackedTensors from_b = SampleTensors(2000, 2);
  OfferUpdate(*a, {"a", 1, 1}, from_a);
  OfferUpdate(*b, {"b", 1, 1}, from_b);
  for (uint64_t at : {0, 1000}) {
    Send(*a, ChunkOf(1, from_a, at, 1000));
    Send(*b, ChunkOf(1, from_b, at, 1000));
  }
  Send(*b, TrailerFrame{1, ""});
  Send(*a, TrailerFrame{1, ""});
  EXPECT_THAT(children_.staged, ElementsAre(UploadId{"b", 1, 1}, UploadId{"a", 1, 1}));
  EXPECT_TRUE(SameBytes(downlinks_->Staged({"a", 1, 1})->tensors(), from_a));
  EXPECT_TRUE(SameBytes(downlinks_->Staged({"b", 1, 1})->tensors(), from_b));
}

TEST_F(DownlinksUploads, AnUploadThatEndsEarlyIsBroken) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(1000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 999));
  Send(*child, TrailerFrame{5, ""});
  ASSERT_EQ(children_.broken.size(), 1u);
  EXPECT_EQ(children_.broken[0].first, (UploadId{"w0", 1, 5}));
  EXPECT_THAT(children_.staged, IsEmpty());
}

TEST_F(DownlinksUploads, ASecondTrailerChangesNothing) {
  const auto child = Join();
  OfferUpdate(*child, {"w0", 1, 5}, SampleTensors(0));
  Send(*child, TrailerFrame{5, ""});
  Send(*child, TrailerFrame{5, ""});
  EXPECT_EQ(children_.staged.size(), 1u);
  EXPECT_THAT(children_.broken, IsEmpty());
}

// ---- going on after a broken link ----

TEST_F(DownlinksUploads, ADamagedChunkClosesTheLinkAndTheUpdateGoesOn) {
  auto child = Join();
  const PackedTensors update = SampleTensors(3000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Send(*child, DamagedChunkOf(5, update, 1000, 1000));
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(child->closed->code(), absl::StatusCode::kDataLoss);
  child = Join();
  EXPECT_EQ(OfferUpdate(*child, {"w0", 1, 1}, update), 1000u);
  Send(*child, ChunkOf(1, update, 1000, 2000));
  Send(*child, TrailerFrame{1, ""});
  EXPECT_TRUE(SameBytes(downlinks_->Staged({"w0", 1, 1})->tensors(), update));
}

TEST_F(DownlinksUploads, AnUpdateWhoseLinkBrokeGoesOnAtItsOffset) {
  auto child = Join();
  const PackedTensors update = SampleTensors(3000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1777));
  Leave(*child);
  child = Join();
  EXPECT_EQ(OfferUpdate(*child, {"w0", 1, 1}, update), 1777u);
  Leave(*child);  // and again, without another byte
  child = Join();
  EXPECT_EQ(OfferUpdate(*child, {"w0", 1, 1}, update), 1777u);
  Send(*child, ChunkOf(1, update, 1777, 3000 - 1777));
  Send(*child, TrailerFrame{1, ""});
  EXPECT_TRUE(SameBytes(downlinks_->Staged({"w0", 1, 1})->tensors(), update));
}

TEST_F(DownlinksUploads, AnUpdateGoesOnUnderTheNextAttachment) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(3000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Leave(*child);
  EXPECT_EQ(OfferUpdate(*Join("w0", 2), {"w0", 2, 1}, update), 1000u);
}

TEST_F(DownlinksUploads, AnUpdateOfAReplacedLinkGoesOn) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(3000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1000));
  EXPECT_EQ(OfferUpdate(*Join(), {"w0", 1, 1}, update), 1000u);
}

TEST_F(DownlinksUploads, APartialBeginsAnew) {
  auto child = Join();
  const PackedTensors sums = SampleTensors(3000);
  OfferAndGrant(*child, {"w0", 1, 5}, sums, PartialHeader{});
  Send(*child, ChunkOf(5, sums, 0, 1000));
  Leave(*child);
  child = Join();
  EXPECT_EQ(OfferAndGrant(*child, {"w0", 1, 5}, sums, PartialHeader{}), 0u);
}

TEST_F(DownlinksUploads, AnotherUpdateBeginsAnew) {
  auto child = Join();
  const PackedTensors update = SampleTensors(3000);
  OfferUpdate(*child, {"w0", 1, 5}, update, /*seq=*/1);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Leave(*child);
  child = Join();
  EXPECT_EQ(OfferUpdate(*child, {"w0", 1, 5}, update, /*seq=*/2), 0u);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Leave(*child);
  child = Join();
  EXPECT_EQ(OfferUpdate(*child, {"w0", 1, 5}, SampleTensors(4000), /*seq=*/2), 0u);
}

TEST_F(DownlinksUploads, AnotherLifeOfTheChildBeginsAnew) {
  // It has trained the task again, and not to the same bits.
  const auto child = Join("w0", 1, /*incarnation=*/7);
  const PackedTensors update = SampleTensors(3000, 1);
  const PackedTensors again = SampleTensors(3000, 2);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Leave(*child);
  EXPECT_EQ(OfferUpdate(*Join("w0", 2, /*incarnation=*/8), {"w0", 2, 1}, again), 0u);
}

TEST_F(DownlinksUploads, AnUpdateOfAnotherChildBeginsAnew) {
  const auto child = Join("w0");
  const PackedTensors update = SampleTensors(3000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Leave(*child);
  EXPECT_EQ(OfferUpdate(*Join("w1"), {"w1", 1, 5}, update), 0u);
}

// ---- bounded memory ----

class SuspendedUploads : public DownlinksTest {
 protected:
  // Node's upload of `size` bytes breaks after its first.
  void BreakUpload(const NodeId& node, uint64_t size, Seq seq = 1) {
    const auto child = Join(node);
    OfferUpdate(*child, {node, 1, 1}, Tensors(size), seq);
    Send(*child, ChunkOf(1, Tensors(size), 0, 1));
    Leave(*child);
  }
  uint64_t OffsetAfterwards(const NodeId& node, uint64_t size, Seq seq = 1) {
    const auto child = Join(node);
    return OfferUpdate(*child, {node, 1, 1}, Tensors(size), seq);
  }
  // Made once for each size; the content does not matter.
  const PackedTensors& Tensors(uint64_t size) {
    auto [it, fresh] = made_.try_emplace(size);
    if (fresh) {
      it->second = PackedTensors(*Manifest::Create(
          {{"w", DType::kUint8, {static_cast<int64_t>(size)}, TensorRole::kParameter}}));
      it->second.mutable_bytes()[0] = std::byte{1};
    }
    return it->second;
  }
  std::map<uint64_t, PackedTensors> made_;
};

TEST_F(SuspendedUploads, AreKeptUpToABound) {
  for (const NodeId node : {"a", "b", "c"}) BreakUpload(node, 30 * kMiB);
  EXPECT_EQ(OffsetAfterwards("a", 30 * kMiB), 1u);
  EXPECT_EQ(OffsetAfterwards("b", 30 * kMiB), 1u);
  EXPECT_EQ(OffsetAfterwards("c", 30 * kMiB), 0u);
}

TEST_F(SuspendedUploads, AreLetGoWhenTheChildSendsAnother) {
  BreakUpload("a", 60 * kMiB, 1);
  EXPECT_EQ(OffsetAfterwards("a", 10, /*seq=*/2), 0u);
  BreakUpload("b", 60 * kMiB);
  EXPECT_EQ(OffsetAfterwards("b", 60 * kMiB), 1u);
}

TEST_F(SuspendedUploads, AreLetGoWhenTheOfferIsAnsweredWithoutAGrant) {
  BreakUpload("a", 60 * kMiB, 1);
  const auto child = Join("a");
  Send(*child, OfferFrame{1, Tensors(60 * kMiB).manifest(), UpdateHeader{.seq = 1}});
  downlinks_->Acknowledge({"a", 1, 1}, absl::FailedPreconditionError("the round is closed"));
  BreakUpload("b", 60 * kMiB);
  EXPECT_EQ(OffsetAfterwards("b", 60 * kMiB), 1u);
}

TEST_F(SuspendedUploads, APartialTakesNoneOfTheRoom) {
  const auto child = Join("p");
  OfferAndGrant(*child, {"p", 1, 1}, Tensors(60 * kMiB), PartialHeader{});
  Send(*child, ChunkOf(1, Tensors(60 * kMiB), 0, 1));
  Leave(*child);
  BreakUpload("a", 60 * kMiB);
  EXPECT_EQ(OffsetAfterwards("a", 60 * kMiB), 1u);
}

TEST_F(SuspendedUploads, AnUploadWithoutAByteTakesNoneOfTheRoom) {
  const auto child = Join("z");
  OfferUpdate(*child, {"z", 1, 1}, Tensors(60 * kMiB));
  Leave(*child);
  BreakUpload("a", 60 * kMiB);
  EXPECT_EQ(OffsetAfterwards("a", 60 * kMiB), 1u);
}

TEST_F(SuspendedUploads, AreLetGoByClose) {
  BreakUpload("a", 60 * kMiB);
  downlinks_->Close();  // the leak checker sees the rest
}

// ---- hostile children ----

TEST_F(DownlinksUploads, ATransferNumberUsedTwiceClosesTheLink) {
  const auto child = Join();
  const Manifest manifest = SampleTensors(10).manifest();
  Send(*child, OfferFrame{5, manifest, UpdateHeader{}});
  Send(*child, OfferFrame{5, manifest, UpdateHeader{}});
  EXPECT_EQ(children_.offered.size(), 1u);
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(child->closed->code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(DownlinksUploads, NoMemoryIsTakenForAHugeOfferBeforeItsGrant) {
  const auto child = Join();
  const Manifest huge = *Manifest::Create(
      {{"w", DType::kFloat32, {int64_t{1} << 40}, TensorRole::kParameter}});  // 4 TiB
  Send(*child, OfferFrame{5, huge, UpdateHeader{}});
  ASSERT_EQ(children_.offered.size(), 1u);
  EXPECT_EQ(children_.offered[0].second.size(), Manifest::kMaxBytes);
  downlinks_->Acknowledge({"w0", 1, 5}, absl::InvalidArgumentError("not the model's manifest"));
  Leave(*child);
  EXPECT_EQ(children_.down.size(), 1u);
}

TEST_F(DownlinksUploads, AFloodOfOffersClosesTheLink) {
  const auto child = Join();
  const Manifest manifest = SampleTensors(10).manifest();
  for (uint64_t i = 1; i <= 1000; ++i) child->link->Send(OfferFrame{i, manifest, UpdateHeader{}});
  Settle();
  EXPECT_LT(children_.offered.size(), 100u);
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(child->closed->code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(DownlinksUploads, ManyOffersThatAreAnsweredAreFine) {
  const auto child = Join();
  const Manifest manifest = SampleTensors(10).manifest();
  for (uint64_t i = 1; i <= 1000; ++i) {
    Send(*child, OfferFrame{i, manifest, UpdateHeader{}});
    downlinks_->Acknowledge({"w0", 1, i}, absl::OkStatus());
  }
  Settle();
  EXPECT_FALSE(child->closed.has_value());
  EXPECT_EQ(child->All<AckFrame>().size(), 1000u);
}

TEST_F(DownlinksUploads, AChunkBeforeItsGrantClosesTheLink) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(1000);
  Send(*child, OfferFrame{5, update.manifest(), UpdateHeader{}});
  Send(*child, ChunkOf(5, update, 0, 1000));
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(Message(*child->closed), "'w0' sends bytes of tensor \"w\" before they are granted");
  EXPECT_THAT(children_.progressed, IsEmpty());
  EXPECT_THAT(children_.staged, IsEmpty());
  // It comes again, and nothing of that counts.
  const auto again = Join("w0", 1);
  EXPECT_EQ(OfferUpdate(*again, {"w0", 1, 6}, update), 0u);
}

TEST_F(DownlinksUploads, ATrailerBeforeTheGrantIsIgnored) {
  const auto child = Join();
  Send(*child, OfferFrame{5, SampleTensors(1000).manifest(), UpdateHeader{}});
  Send(*child, TrailerFrame{5, ""});
  EXPECT_THAT(children_.staged, IsEmpty());
  EXPECT_THAT(children_.broken, IsEmpty());
  downlinks_->Grant({"w0", 1, 5}, nullptr);
  Settle();
  EXPECT_EQ(child->Last<GrantFrame>().offset, 0u);
}

TEST_F(DownlinksUploads, AChunkBeyondTheEndClosesTheLink) {
  const auto child = Join();
  const PackedTensors larger = SampleTensors(2000);
  OfferUpdate(*child, {"w0", 1, 5}, SampleTensors(1000));
  Send(*child, ChunkOf(5, larger, 0, 1001));
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(child->closed->code(), absl::StatusCode::kDataLoss);
}

TEST_F(DownlinksUploads, AChunkOutOfOrderClosesTheLink) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(2000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 1000, 1000));
  EXPECT_TRUE(child->closed.has_value());
}

TEST_F(DownlinksUploads, ChunksAfterTheTrailerAreIgnored) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(1000);
  OfferUpdate(*child, {"w0", 1, 5}, update);
  Send(*child, ChunkOf(5, update, 0, 1000));
  Send(*child, TrailerFrame{5, ""});
  Send(*child, ChunkOf(5, SampleTensors(1000, 2), 0, 1000));
  EXPECT_FALSE(child->closed.has_value());
  EXPECT_TRUE(SameBytes(downlinks_->Staged({"w0", 1, 5})->tensors(), update));
}

class DownlinksWithSinks : public DownlinksTest {
 protected:
  DownlinksWithSinks() {
    transport_ = std::make_shared<SinkTransport>(transport_, sinks_);
    listener_ = *transport_->Listen("", executor_, downlinks_);
  }
  const std::shared_ptr<Sinks> sinks_ = std::make_shared<Sinks>();
};

// Or an upload that takes long would count as one that stands still.
TEST_F(DownlinksWithSinks, AnUploadIsToldOfAsItGrowsThoughItsChunksGoPastTheHandler) {
  const auto child = Join();
  const PackedTensors update = SampleTensors(2500);
  const UploadId id{"w0", 1, 5};
  OfferUpdate(*child, id, update);
  const auto take = [&](uint64_t offset, uint64_t size) {
    const ChunkFrame chunk = ChunkOf(5, update, offset, size);
    EXPECT_TRUE(sinks_->at(5)->Take(offset, chunk.checksum, std::span(&chunk.bytes, 1)).ok());
  };
  take(0, 1000);
  Settle();
  EXPECT_THAT(children_.progressed, ElementsAre(id));
  take(1000, 1000);
  take(2000, 500);
  Settle();
  EXPECT_THAT(children_.progressed, ElementsAre(id, id));
  Send(*child, TrailerFrame{5, ""});
  EXPECT_THAT(children_.staged, ElementsAre(id));
  EXPECT_TRUE(SameBytes(downlinks_->Staged(id)->tensors(), update));
}

}  // namespace
}  // namespace skein
