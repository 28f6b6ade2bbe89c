#include "runtime/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/testing/sim_executor.h"
#include "unit/runtime/link_samples.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kMiB = uint64_t{1} << 20;

// Writes down what is sent; takes as many chunks as the test gives it room for.
class ScriptedLink : public Link {
 public:
  void Send(Frame frame) override {
    if (std::holds_alternative<ChunkFrame>(frame)) {
      EXPECT_GT(room, 0) << "a chunk was sent although the link was full";
      --room;
    }
    frames.push_back(std::move(frame));
  }
  bool Writable() const override { return room > 0 && !closed.has_value(); }
  void Close(absl::Status status) override { closed = std::move(status); }
  LinkStats stats() const override { return {}; }

  // "offer 1", "chunk 1@0", "trailer 1", and forgets them.
  std::vector<std::string> Take() {
    std::vector<std::string> texts;
    for (const Frame& frame : frames) {
      std::string text = NameOf(frame);
      if (auto* offer = std::get_if<OfferFrame>(&frame)) {
        text += " " + std::to_string(offer->transfer);
      } else if (auto* chunk = std::get_if<ChunkFrame>(&frame)) {
        text += " " + std::to_string(chunk->transfer) + "@" + std::to_string(chunk->offset / kMiB);
      } else if (auto* trailer = std::get_if<TrailerFrame>(&frame)) {
        text += " " + std::to_string(trailer->transfer);
      }
      texts.push_back(std::move(text));
    }
    frames.clear();
    return texts;
  }

  int room = 1000;  // chunks
  std::vector<Frame> frames;
  std::optional<absl::Status> closed;
};

class OutboxTest : public ::testing::Test {
 protected:
  void Offer(uint64_t transfer, uint64_t size) {
    outbox_->Offer(transfer, OutboundTensors(SampleTensors(size, transfer), "digest"),
                   UpdateHeader{},
                   [this](const absl::Status& status) { answers_.push_back(status); });
  }
  // The link has room again.
  void MakeRoom(int chunks) {
    link_->room = chunks;
    outbox_->OnWritable();
  }

  std::shared_ptr<ScriptedLink> link_ = std::make_shared<ScriptedLink>();
  std::optional<Outbox> outbox_{link_};
  std::vector<absl::Status> answers_;
};

TEST_F(OutboxTest, SendsNothingButTheOfferBeforeTheGrant) {
  Offer(1, 2 * kMiB);
  outbox_->OnWritable();
  ASSERT_EQ(link_->frames.size(), 1u);
  const auto& offer = std::get<OfferFrame>(link_->frames[0]);
  EXPECT_EQ(offer.transfer, 1u);
  EXPECT_EQ(offer.size(), 2 * kMiB);
  EXPECT_TRUE(std::holds_alternative<UpdateHeader>(offer.header));
}

TEST_F(OutboxTest, SendsEverythingInOrderAfterTheGrant) {
  const PackedTensors tensors = SampleTensors(2 * kMiB + 17, 1);
  Offer(1, tensors.bytes().size());
  outbox_->OnGrant({1, 0});
  ChunkDecoder decoder(tensors.manifest());
  for (const Frame& frame : link_->frames) {
    if (auto* chunk = std::get_if<ChunkFrame>(&frame)) {
      ASSERT_TRUE(decoder.Add(chunk->offset, chunk->bytes, chunk->checksum).ok());
    }
  }
  ASSERT_TRUE(decoder.done());
  EXPECT_TRUE(SameBytes(decoder.tensors(), tensors));
  EXPECT_EQ(std::get<TrailerFrame>(link_->frames.back()).digest, "digest");
  EXPECT_THAT(link_->Take(),
              ElementsAre("offer 1", "chunk 1@0", "chunk 1@1", "chunk 1@2", "trailer 1"));
}

TEST_F(OutboxTest, AGrantWithAnOffsetSendsTheRestOnly) {
  Offer(1, 3 * kMiB);
  outbox_->OnGrant({1, kMiB + 5});
  ASSERT_GE(link_->frames.size(), 2u);
  EXPECT_EQ(std::get<ChunkFrame>(link_->frames[1]).offset, kMiB + 5);
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1", "chunk 1@1", "chunk 1@2", "trailer 1"));
}

TEST_F(OutboxTest, AGrantAtTheEndSendsOnlyTheTrailer) {
  Offer(1, 3 * kMiB);
  outbox_->OnGrant({1, 3 * kMiB});
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1", "trailer 1"));
  EXPECT_FALSE(link_->closed.has_value());
}

TEST_F(OutboxTest, AGrantBeyondTheEndClosesTheLink) {
  Offer(1, kMiB);
  outbox_->OnGrant({1, kMiB + 1});
  ASSERT_TRUE(link_->closed.has_value());
  EXPECT_EQ(link_->closed->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1"));
}

TEST_F(OutboxTest, ASecondGrantChangesNothing) {
  Offer(1, 2 * kMiB);
  link_->room = 1;
  outbox_->OnGrant({1, 0});
  outbox_->OnGrant({1, 0});
  MakeRoom(5);
  outbox_->OnGrant({1, 0});
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1", "chunk 1@0", "chunk 1@1", "trailer 1"));
}

TEST_F(OutboxTest, AGrantOfAnUnknownTransferIsIgnored) {
  Offer(1, kMiB);
  outbox_->OnGrant({2, 5 * kMiB});
  EXPECT_FALSE(link_->closed.has_value());
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1"));
}

TEST_F(OutboxTest, EmptyTensorsAreATrailerAlone) {
  Offer(1, 0);
  outbox_->OnGrant({1, 0});
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1", "trailer 1"));
  outbox_->OnAck({1, 0, ""});
  EXPECT_THAT(answers_, ElementsAre(absl::OkStatus()));
}

TEST_F(OutboxTest, WaitsForRoomOnTheLink) {
  Offer(1, 4 * kMiB);
  link_->room = 0;
  outbox_->OnGrant({1, 0});
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1"));
  MakeRoom(2);
  EXPECT_THAT(link_->Take(), ElementsAre("chunk 1@0", "chunk 1@1"));
  MakeRoom(2);
  EXPECT_THAT(link_->Take(), ElementsAre("chunk 1@2", "chunk 1@3"));
  MakeRoom(2);
  EXPECT_THAT(link_->Take(), ElementsAre("trailer 1"));
  MakeRoom(2);
  EXPECT_THAT(link_->Take(), IsEmpty());
}

TEST_F(OutboxTest, SeveralTransfersTakeTurns) {
  for (uint64_t transfer : {1, 2, 3}) Offer(transfer, 2 * kMiB);
  link_->Take();
  link_->room = 0;
  for (uint64_t transfer : {1, 2, 3}) outbox_->OnGrant({transfer, 0});
  MakeRoom(100);
  EXPECT_THAT(link_->Take(),
              ElementsAre("chunk 1@0", "chunk 2@0", "chunk 3@0", "chunk 1@1", "chunk 2@1",
                          "chunk 3@1", "trailer 1", "trailer 2", "trailer 3"));
}

TEST_F(OutboxTest, ALinkThatTakesLittleAtATimeStarvesNoTransfer) {
  for (uint64_t transfer : {1, 2, 3}) Offer(transfer, 2 * kMiB);
  link_->Take();
  link_->room = 0;
  for (uint64_t transfer : {1, 2, 3}) outbox_->OnGrant({transfer, 0});
  for (int i = 0; i < 8; ++i) MakeRoom(1);
  EXPECT_THAT(link_->Take(),
              ElementsAre("chunk 1@0", "chunk 2@0", "chunk 3@0", "chunk 1@1", "chunk 2@1",
                          "chunk 3@1", "trailer 1", "trailer 2", "trailer 3"));
}

TEST_F(OutboxTest, AWithdrawnTransferEndsInTheMiddle) {
  Offer(1, 3 * kMiB);
  Offer(2, 2 * kMiB);
  link_->Take();
  link_->room = 2;
  outbox_->OnGrant({1, 0});
  outbox_->OnGrant({2, 0});
  outbox_->Withdraw(1);
  MakeRoom(100);
  outbox_->OnAck({1, 0, ""});
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_THAT(link_->Take(),
              ElementsAre("chunk 1@0", "chunk 1@1", "chunk 2@0", "chunk 2@1", "trailer 2"));
}

TEST_F(OutboxTest, AGrantForAWithdrawnTransferIsIgnored) {
  Offer(1, kMiB);
  outbox_->Withdraw(1);
  outbox_->OnGrant({1, 7 * kMiB});
  EXPECT_FALSE(link_->closed.has_value());
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1"));
}

TEST_F(OutboxTest, AnAckCallsTheAnswerOnceWithItsReason) {
  Offer(1, kMiB);
  outbox_->OnGrant({1, 0});
  outbox_->OnAck({1, static_cast<int>(absl::StatusCode::kAborted), "too late"});
  outbox_->OnAck({1, 0, ""});
  EXPECT_THAT(answers_, ElementsAre(absl::AbortedError("too late")));
}

TEST_F(OutboxTest, AnAckOfAnUnknownTransferIsIgnored) {
  Offer(1, kMiB);
  outbox_->OnAck({2, 0, ""});
  outbox_->OnAck({0, -7, "?"});
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(OutboxTest, AnAckInTheMiddleEndsTheTransfer) {
  Offer(1, 3 * kMiB);
  link_->room = 1;
  outbox_->OnGrant({1, 0});
  outbox_->OnAck({1, static_cast<int>(absl::StatusCode::kAborted), "no"});
  MakeRoom(100);
  EXPECT_EQ(answers_.size(), 1u);
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1", "chunk 1@0"));
}

TEST_F(OutboxTest, AnOfferMayBeRefusedBeforeItsGrant) {
  Offer(1, kMiB);
  outbox_->OnAck({1, static_cast<int>(absl::StatusCode::kInvalidArgument), "no"});
  outbox_->OnGrant({1, 0});
  EXPECT_THAT(answers_, ElementsAre(absl::InvalidArgumentError("no")));
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1"));
}

TEST_F(OutboxTest, AnAckWithACodeThatIsNoneIsAnError) {
  Offer(1, kMiB);
  Offer(2, kMiB);
  outbox_->OnAck({1, 1 << 30, "?"});
  outbox_->OnAck({2, -1, ""});
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_FALSE(answers_[0].ok());
  EXPECT_FALSE(answers_[1].ok());
}

TEST_F(OutboxTest, TheAnswerMayOfferAgainOrEndTheOutbox) {
  const OutboundTensors tensors(SampleTensors(10), "");
  outbox_->Offer(1, tensors, UpdateHeader{}, [&](const absl::Status&) {
    outbox_->Offer(2, tensors, UpdateHeader{}, [&](const absl::Status&) { outbox_.reset(); });
  });
  outbox_->OnAck({1, 0, ""});
  outbox_->OnAck({2, 0, ""});
  EXPECT_FALSE(outbox_.has_value());
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1", "offer 2"));
}

// Passes a link's calls on to an outbox.
class Sender : public LinkHandler {
 public:
  void OnFrame(Frame frame) override {
    if (auto* grant = std::get_if<GrantFrame>(&frame)) outbox->OnGrant(*grant);
  }
  void OnWritable() override {
    ++waits;
    outbox->OnWritable();
  }
  void OnClosed(absl::Status) override { outbox.reset(); }
  std::optional<Outbox> outbox;
  int waits = 0;
};

class Door : public Acceptor {
 public:
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    peer->link = std::move(link);
    return peer;
  }
  std::shared_ptr<Peer> peer = std::make_shared<Peer>();
};

TEST(OutboxOverALinkTest, CarriesMoreThanTheLinkQueues) {
  testing::Simulation simulation;
  const auto transport = MakeInprocTransport();
  const auto door = std::make_shared<Door>();
  const auto listener = *transport->Listen("", simulation.NewExecutor(), door);
  const auto sender = std::make_shared<Sender>();
  const auto link = transport->Dial(listener->address(), simulation.NewExecutor(), sender);
  sender->outbox.emplace(link);
  const PackedTensors tensors = SampleTensors(11 * kMiB + 1);
  sender->outbox->Offer(5, OutboundTensors(tensors, ""), UpdateHeader{}, nullptr);
  simulation.RunFor(Duration(0));
  door->peer->link->Send(GrantFrame{5, 0});
  simulation.RunFor(Duration(0));
  ChunkDecoder decoder(tensors.manifest());
  for (const ChunkFrame& chunk : door->peer->All<ChunkFrame>()) {
    ASSERT_TRUE(decoder.Add(chunk.offset, chunk.bytes, chunk.checksum).ok());
  }
  ASSERT_TRUE(decoder.done());
  EXPECT_TRUE(SameBytes(decoder.tensors(), tensors));
  EXPECT_EQ(door->peer->All<TrailerFrame>().size(), 1u);
  EXPECT_GT(sender->waits, 1);  // it did not all go at once
  link->Close(absl::OkStatus());
  simulation.RunFor(Duration(0));
}

TEST_F(OutboxTest, SendsAGrowingSourceAsFarAsItIsThere) {
  uint64_t received = kMiB / 2;
  OutboundTensors tensors(SampleTensors(2 * kMiB + 7), [&received] { return received; });
  outbox_->Offer(1, tensors, ModelHeader{}, nullptr);
  outbox_->OnGrant({1, 0});
  EXPECT_THAT(link_->Take(), ElementsAre("offer 1")) << "half a chunk waits";
  received = kMiB + 5;
  outbox_->OnWritable();
  EXPECT_THAT(link_->Take(), ElementsAre("chunk 1@0"));
  received = 2 * kMiB + 7;
  outbox_->OnWritable();
  EXPECT_THAT(link_->Take(), ElementsAre("chunk 1@1", "chunk 1@2")) << "no digest yet";
  tensors.Finish("digest");
  outbox_->OnWritable();
  ASSERT_EQ(link_->frames.size(), 1u);
  EXPECT_EQ(std::get<TrailerFrame>(link_->frames[0]).digest, "digest");
}

TEST_F(OutboxTest, ChecksumsHoldForRegularAndOddChunks) {
  const PackedTensors model = SampleTensors(2 * kMiB + 7);
  const OutboundTensors tensors(model, "digest");
  for (int round = 0; round < 2; ++round) {  // computed, then remembered
    for (const auto& [at, size] : {std::pair<uint64_t, uint64_t>{0, kMiB},
                                   {kMiB, kMiB},
                                   {2 * kMiB, 7},
                                   {5, kMiB - 5},
                                   {kMiB, 100}}) {
      const auto bytes = model.bytes().subspan(at, size);
      EXPECT_EQ(tensors.ChecksumOf(at, bytes), Checksum(bytes)) << at << ' ' << size;
    }
  }
}

}  // namespace
}  // namespace skein
