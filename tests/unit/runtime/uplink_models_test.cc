#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/sink_transport.h"
#include "unit/runtime/uplink_fixture.h"

namespace skein {
namespace {

using std::chrono::seconds;
using testing::Fault;
using ::testing::IsEmpty;

using UplinkModels = UplinkTest;

TEST_F(UplinkModels, AModelComesWhole) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(4321);
  OfferModel(9, model, {3, 1, 0});
  EXPECT_EQ(parent_->last().Last<GrantFrame>().transfer, 9u);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);
  EXPECT_THAT(owner_->models, IsEmpty());
  SendRest(9, model, 0);
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_TRUE(SameBytes(owner_->models[0].tensors, model));
  EXPECT_EQ(owner_->models[0].header.version, (VersionRef{3, 1, 0}));
  EXPECT_EQ(owner_->models[0].digest, TransferDigest(model.bytes()));
  EXPECT_EQ(parent_->last().Last<AckFrame>().transfer, 9u);
  EXPECT_EQ(parent_->last().Last<AckFrame>().code, 0);
}

TEST_F(UplinkModels, AModelWithoutBytesComesWhole) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(0);
  OfferModel(9, model);
  SendRest(9, model, 0);
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_EQ(parent_->last().Last<AckFrame>().code, 0);
}

TEST_F(UplinkModels, AWrongDigestIsRefusedAndTheModelComesAnew) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(2000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 2000));
  Send(TrailerFrame{9, TransferDigest(SampleTensors(2000, 2).bytes())});
  EXPECT_THAT(owner_->models, IsEmpty());
  EXPECT_EQ(parent_->last().Last<AckFrame>().code, static_cast<int>(absl::StatusCode::kDataLoss));
  ASSERT_TRUE(parent_->last().closed.has_value());
  Run(seconds(1));
  Welcome();
  OfferModel(10, model);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);  // nothing of it is trusted
  SendRest(10, model, 0);
  EXPECT_EQ(owner_->models.size(), 1u);
}

TEST_F(UplinkModels, AModelThatEndsEarlyIsRefused) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(2000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 1999));
  Send(TrailerFrame{9, TransferDigest(model.bytes())});
  EXPECT_THAT(owner_->models, IsEmpty());
  EXPECT_EQ(parent_->last().Last<AckFrame>().code, static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(parent_->last().closed.has_value());
}

TEST_F(UplinkModels, AModelWhoseLinkBrokeGoesOnAtItsOffset) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(5000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 1000));
  Send(ChunkOf(9, model, 1000, 777));
  BreakAndComeBack();
  OfferModel(1, model);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 1777u);
  SendRest(1, model, 1777);
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_TRUE(SameBytes(owner_->models[0].tensors, model));
}

TEST_F(UplinkModels, AModelThatMissesOnlyItsTrailerIsGrantedAtItsEnd) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(1000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 1000));
  BreakAndComeBack();
  OfferModel(1, model);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 1000u);
  Send(TrailerFrame{1, TransferDigest(model.bytes())});
  EXPECT_EQ(owner_->models.size(), 1u);
}

TEST_F(UplinkModels, AnotherVersionOrShapeDoesNotGoOnWithABrokenOne) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(5000);
  const PackedTensors larger = SampleTensors(6000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 1000));
  BreakAndComeBack();
  OfferModel(1, model, {2, 0, 0});
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);
  Send(ChunkOf(1, model, 0, 1000));
  BreakAndComeBack();
  OfferModel(2, larger, {2, 0, 0});
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);
}

TEST_F(UplinkModels, AnotherParentSendsTheModelFromItsStart) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(5000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 1000));
  Attach(8);
  Welcome();
  OfferModel(9, model);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 0u);
}

TEST_F(UplinkModels, ADamagedChunkClosesTheLinkAndTheRestGoesOn) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(5000);
  plan_ = [chunks = 0](const testing::FrameContext& context) mutable {
    const bool chunk = std::holds_alternative<ChunkFrame>(*context.frame);
    return Fault{chunk && ++chunks == 3 ? Fault::Kind::kCorrupt : Fault::Kind::kNone};
  };
  OfferModel(9, model);
  SendRest(9, model, 0);
  ASSERT_TRUE(parent_->last().closed.has_value());
  EXPECT_EQ(parent_->last().closed->code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(owner_->models, IsEmpty());
  Run(seconds(1));
  Welcome();
  OfferModel(10, model);
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 2000u);
  SendRest(10, model, 2000);
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_TRUE(SameBytes(owner_->models[0].tensors, model));
}

TEST_F(UplinkModels, AChunkBeyondTheEndClosesTheLink) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(1000);
  OfferModel(9, model);
  Send(ChunkOf(9, model, 0, 1000));
  Send(ChunkOf(9, SampleTensors(1001), 1000, 1));
  ASSERT_TRUE(parent_->last().closed.has_value());
  EXPECT_EQ(parent_->last().closed->code(), absl::StatusCode::kDataLoss);
}

TEST_F(UplinkModels, AVersionThatIsHereIsGrantedAtItsEnd) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(1000);
  owner_->known.insert({4, 0, 0});
  OfferModel(9, model, {4, 0, 0});
  EXPECT_EQ(parent_->last().Last<GrantFrame>().offset, 1000u);
  Send(TrailerFrame{9, TransferDigest(model.bytes())});
  EXPECT_EQ(parent_->last().Last<AckFrame>().code, 0);
  EXPECT_THAT(owner_->models, IsEmpty());  // it has been told before
}

TEST_F(UplinkModels, AnAbsurdModelIsRefusedBeforeMemoryIsTaken) {
  AttachAndWelcome();
  const Manifest huge = *Manifest::Create(
      {{"w", DType::kFloat32, {int64_t{1} << 35}, TensorRole::kParameter}});  // 128 GiB
  Send(OfferFrame{9, huge, ModelHeader{{1, 0, 0}, {}}});
  EXPECT_THAT(parent_->last().All<GrantFrame>(), IsEmpty());
  EXPECT_EQ(parent_->last().Last<AckFrame>().transfer, 9u);
  EXPECT_NE(parent_->last().Last<AckFrame>().code, 0);
  EXPECT_FALSE(parent_->last().closed.has_value());
}

TEST_F(UplinkModels, WhatIsNoModelIsRefused) {
  AttachAndWelcome();
  const Manifest manifest = SampleTensors(10).manifest();
  Send(OfferFrame{9, manifest, UpdateHeader{}});
  Send(OfferFrame{10, manifest, PartialHeader{}});
  EXPECT_THAT(parent_->last().All<GrantFrame>(), IsEmpty());
  ASSERT_EQ(parent_->last().All<AckFrame>().size(), 2u);
  for (const AckFrame& ack : parent_->last().All<AckFrame>()) EXPECT_NE(ack.code, 0);
}

TEST_F(UplinkModels, ANewerModelTakesThePlaceOfOneThatIsHalfHere) {
  AttachAndWelcome();
  const PackedTensors first = SampleTensors(3000, 1);
  const PackedTensors second = SampleTensors(3000, 2);
  OfferModel(1, first, {1, 0, 0});
  Send(ChunkOf(1, first, 0, 1000));
  OfferModel(2, second, {2, 0, 0});
  Send(ChunkOf(1, first, 1000, 1000));  // was on its way
  Send(TrailerFrame{1, TransferDigest(first.bytes())});
  SendRest(2, second, 0);
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_TRUE(SameBytes(owner_->models[0].tensors, second));
  EXPECT_FALSE(parent_->last().closed.has_value());
}

TEST_F(UplinkModels, ChunksAndTrailersOfNothingAreIgnored) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(1000);
  Send(ChunkOf(5, model, 0, 1000));
  Send(TrailerFrame{5, ""});
  Send(GrantFrame{5, 100});
  Send(AckFrame{5, 0, ""});
  EXPECT_FALSE(parent_->last().closed.has_value());
  EXPECT_THAT(owner_->models, IsEmpty());
  OfferModel(6, model);
  SendRest(6, model, 0);
  EXPECT_EQ(owner_->models.size(), 1u);
}

TEST_F(UplinkModels, AModelComesThroughADuplicatedOfferAndTrailer) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(3000);
  plan_ = [](const testing::FrameContext& context) {
    const bool chunk = std::holds_alternative<ChunkFrame>(*context.frame);
    return Fault{chunk ? Fault::Kind::kNone : Fault::Kind::kDuplicate};
  };
  OfferModel(9, model);
  SendRest(9, model, 0);
  EXPECT_EQ(owner_->models.size(), 1u);
  EXPECT_FALSE(parent_->last().closed.has_value());
}

// An aggregator's side: it hears of a model as it grows.
class WatchingOwner : public UplinkOwner {
 public:
  bool OnModelBegun(const ModelHeader& header, std::shared_ptr<InboundTransfer> bytes) override {
    log.push_back("begun " + std::to_string(header.version.version));
    growing = std::move(bytes);
    return true;
  }
  void OnModelGrew() override { log.push_back("at " + std::to_string(growing->received())); }
  void OnModelLost(const VersionRef& version) override {
    log.push_back("lost " + std::to_string(version.version));
  }
  std::shared_ptr<InboundTransfer> growing;
  std::vector<std::string> log;
};

class UplinkWatched : public UplinkTest {
 protected:
  UplinkWatched() {
    owner_ = std::make_unique<WatchingOwner>();
    uplink_ = MakeUplink(1);
  }
  WatchingOwner& watching() { return static_cast<WatchingOwner&>(*owner_); }
};

TEST_F(UplinkWatched, AModelIsToldOfAsItGrows) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(3000);
  OfferModel(9, model, {4, 0, 0});
  Send(ChunkOf(9, model, 0, 1000));
  EXPECT_TRUE(std::equal(model.bytes().begin(), model.bytes().begin() + 1000,
                         watching().growing->tensors().bytes().begin()));
  Send(ChunkOf(9, model, 1000, 2000));
  EXPECT_THAT(watching().log, ::testing::ElementsAre("begun 4", "at 1000", "at 3000"));
  EXPECT_THAT(owner_->models, IsEmpty());
  Send(TrailerFrame{9, TransferDigest(model.bytes())});
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_EQ(watching().log.size(), 3u) << "nothing was lost";
}

TEST_F(UplinkWatched, AModelThatIsSupersededOrWrongIsLost) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(3000);
  OfferModel(9, model, {4, 0, 0});
  Send(ChunkOf(9, model, 0, 1000));
  OfferModel(10, model, {5, 0, 0});
  EXPECT_THAT(watching().log, ::testing::ElementsAre("begun 4", "at 1000", "lost 4", "begun 5"));
  Send(ChunkOf(10, model, 0, 3000));
  Send(TrailerFrame{10, std::string(64, '0')});
  EXPECT_EQ(watching().log.back(), "lost 5");
}

class UplinkWithSinks : public UplinkWatched {
 protected:
  UplinkWithSinks() {
    transport_ = std::make_shared<SinkTransport>(transport_, sinks_);
    uplink_ = MakeUplink(1);
  }
  const std::shared_ptr<Sinks> sinks_ = std::make_shared<Sinks>();
};

TEST_F(UplinkWithSinks, AModelIsToldOfAsItGrowsThoughItsChunksGoPastTheHandler) {
  AttachAndWelcome();
  const PackedTensors model = SampleTensors(3000);
  OfferModel(9, model, {4, 0, 0});
  const auto take = [&](uint64_t offset, uint64_t size) {
    const ChunkFrame chunk = ChunkOf(9, model, offset, size);
    EXPECT_TRUE(sinks_->at(9)->Take(offset, chunk.checksum, std::span(&chunk.bytes, 1)).ok());
  };
  take(0, 1000);
  Settle();
  EXPECT_THAT(watching().log, ::testing::ElementsAre("begun 4", "at 1000"));
  take(1000, 500);
  take(1500, 1500);
  Settle();
  EXPECT_THAT(watching().log, ::testing::ElementsAre("begun 4", "at 1000", "at 3000"));
  Send(TrailerFrame{9, TransferDigest(model.bytes())});
  ASSERT_EQ(owner_->models.size(), 1u);
  EXPECT_EQ((*sinks_)[9], nullptr) << "nothing more is taken for it";
}

}  // namespace
}  // namespace skein
