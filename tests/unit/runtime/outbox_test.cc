#include "runtime/outbox.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/tensor/chunk_codec.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Keeps what is sent; takes `room` frames before it is full.
class FakeLink : public Link {
 public:
  void Send(Frame frame) override {
    frames.push_back(std::move(frame));
    if (room > 0) --room;
  }
  bool Writable() const override { return room > 0; }
  void Close(absl::Status status) override { closed = std::move(status); }
  LinkStats stats() const override { return {}; }

  template <typename F>
  std::vector<F> Of() const {
    std::vector<F> found;
    for (const Frame& frame : frames) {
      if (const auto* f = std::get_if<F>(&frame)) found.push_back(*f);
    }
    return found;
  }

  std::vector<Frame> frames;
  int room = 1000;
  std::optional<absl::Status> closed;
};

PackedTensors Packed(int64_t bytes) {
  PackedTensors tensors(
      Manifest::Create({{"x", DType::kUint8, {bytes}, TensorRole::kBuffer}}).value());
  std::memset(tensors.mutable_bytes().data(), 7, tensors.bytes().size());
  return tensors;
}

constexpr uint64_t kChunk = kDefaultChunkBytes;

class OutboxTest : public ::testing::Test {
 protected:
  void Offer(uint64_t transfer, uint64_t bytes) {
    outbox_.Offer(transfer, Packed(static_cast<int64_t>(bytes)), UpdateHeader{}, "digest",
                  [this, transfer](const absl::Status& status) {
                    answers_.emplace_back(transfer, status.code());
                  });
  }
  std::vector<uint64_t> Offsets() const {
    std::vector<uint64_t> offsets;
    for (const ChunkFrame& chunk : link_->Of<ChunkFrame>()) offsets.push_back(chunk.offset);
    return offsets;
  }

  std::shared_ptr<FakeLink> link_ = std::make_shared<FakeLink>();
  Outbox outbox_{link_};
  std::vector<std::pair<uint64_t, absl::StatusCode>> answers_;
};

TEST_F(OutboxTest, NothingButTheOfferGoesOutBeforeTheGrant) {
  Offer(1, 3 * kChunk);
  outbox_.OnWritable();
  outbox_.OnGrant({2, 0});  // of nothing
  ASSERT_THAT(link_->frames, SizeIs(1));
  EXPECT_EQ(link_->Of<OfferFrame>().at(0).size(), 3 * kChunk);
}

TEST_F(OutboxTest, AGrantIsFollowedByChunksAndTheTrailer) {
  Offer(1, 2 * kChunk + 5);
  outbox_.OnGrant({1, 0});
  EXPECT_THAT(Offsets(), ElementsAre(0, kChunk, 2 * kChunk));
  ASSERT_THAT(link_->Of<TrailerFrame>(), SizeIs(1));
  EXPECT_EQ(link_->Of<TrailerFrame>()[0].digest, "digest");
  EXPECT_TRUE(std::holds_alternative<TrailerFrame>(link_->frames.back()));
  outbox_.OnGrant({1, 0});  // heard again
  EXPECT_THAT(Offsets(), SizeIs(3));
}

TEST_F(OutboxTest, AGrantWithAnOffsetSendsTheRest) {
  Offer(1, 3 * kChunk);
  outbox_.OnGrant({1, kChunk + 9});
  EXPECT_THAT(Offsets(), ElementsAre(kChunk + 9, 2 * kChunk));
}

TEST_F(OutboxTest, AGrantAtTheEndSendsTheTrailerAlone) {
  Offer(1, kChunk);
  outbox_.OnGrant({1, kChunk});
  EXPECT_THAT(Offsets(), IsEmpty());
  EXPECT_THAT(link_->Of<TrailerFrame>(), SizeIs(1));
}

TEST_F(OutboxTest, AGrantPastTheEndClosesTheLink) {
  Offer(1, kChunk);
  outbox_.OnGrant({1, kChunk + 1});
  ASSERT_TRUE(link_->closed.has_value());
  EXPECT_EQ(link_->closed->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Offsets(), IsEmpty());
}

TEST_F(OutboxTest, EmptyTensorsNeedATrailerOnly) {
  Offer(1, 0);
  outbox_.OnGrant({1, 0});
  EXPECT_THAT(Offsets(), IsEmpty());
  EXPECT_THAT(link_->Of<TrailerFrame>(), SizeIs(1));
}

TEST_F(OutboxTest, AFullLinkIsWaitedFor) {
  link_->room = 3;  // the offer and two chunks
  Offer(1, 4 * kChunk);
  outbox_.OnGrant({1, 0});
  EXPECT_THAT(Offsets(), SizeIs(2));
  outbox_.OnWritable();
  EXPECT_THAT(Offsets(), SizeIs(2)) << "still full";
  link_->room = 1;
  outbox_.OnWritable();
  EXPECT_THAT(Offsets(), SizeIs(3));
  link_->room = 100;
  outbox_.OnWritable();
  EXPECT_THAT(Offsets(), ElementsAre(0, kChunk, 2 * kChunk, 3 * kChunk));
  EXPECT_THAT(link_->Of<TrailerFrame>(), SizeIs(1));
}

TEST_F(OutboxTest, TransfersTakeTurns) {
  link_->room = 2;
  Offer(1, 3 * kChunk);
  Offer(2, 3 * kChunk);
  outbox_.OnGrant({1, 0});
  outbox_.OnGrant({2, 0});
  link_->room = 100;
  outbox_.OnWritable();
  std::vector<uint64_t> order;
  for (const ChunkFrame& chunk : link_->Of<ChunkFrame>()) order.push_back(chunk.transfer);
  EXPECT_THAT(order, ElementsAre(1, 2, 1, 2, 1, 2));
  EXPECT_THAT(link_->Of<TrailerFrame>(), SizeIs(2));
}

TEST_F(OutboxTest, AWithdrawnTransferStopsWhereItIs) {
  link_->room = 2;
  Offer(1, 3 * kChunk);
  outbox_.OnGrant({1, 0});
  outbox_.Withdraw(1);
  link_->room = 100;
  outbox_.OnWritable();
  EXPECT_THAT(Offsets(), SizeIs(1));
  EXPECT_THAT(link_->Of<TrailerFrame>(), IsEmpty());
  outbox_.OnAck({1, 0, ""});
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(OutboxTest, TheAnswerComesOnce) {
  Offer(1, 10);
  Offer(2, 10);
  outbox_.OnAck({3, 0, ""});  // of nothing
  outbox_.OnAck({2, static_cast<int>(absl::StatusCode::kAborted), "offered again"});
  outbox_.OnAck({2, 0, ""});
  outbox_.OnAck({1, 0, ""});
  EXPECT_THAT(answers_, ElementsAre(std::pair(uint64_t{2}, absl::StatusCode::kAborted),
                                    std::pair(uint64_t{1}, absl::StatusCode::kOk)));
}

TEST_F(OutboxTest, AnAnswerMayOfferTheNextTransfer) {
  outbox_.Offer(1, Packed(10), UpdateHeader{}, "", [this](const absl::Status&) { Offer(2, 10); });
  outbox_.OnAck({1, 0, ""});
  outbox_.OnGrant({2, 0});
  EXPECT_THAT(link_->Of<OfferFrame>(), SizeIs(2));
  EXPECT_THAT(link_->Of<TrailerFrame>(), SizeIs(1));
}

}  // namespace
}  // namespace skein
