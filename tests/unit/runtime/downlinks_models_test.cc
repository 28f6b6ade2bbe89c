#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/downlinks_fixture.h"

namespace skein {
namespace {

using ::testing::IsEmpty;

constexpr uint64_t kMiB = uint64_t{1} << 20;

class DownlinksModels : public DownlinksTest {
 protected:
  void OfferModel(const PackedTensors& model, uint64_t version = 1, const NodeId& child = "w0") {
    downlinks_->OfferModel(child, ModelHeader{{version, 0, 0}, {}},
                           {OutboundTensors::OfModel(model)});
    Settle();
  }
};

TEST_F(DownlinksModels, AModelIsSentAfterItsGrantWithItsDigest) {
  const auto child = Join();
  const PackedTensors model = SampleTensors(2 * kMiB + 3);
  OfferModel(model, 4);
  const auto offer = child->Last<OfferFrame>();
  EXPECT_EQ(std::get<ModelHeader>(offer.header).version.version, 4u);
  EXPECT_THAT(child->All<ChunkFrame>(), IsEmpty());
  Send(*child, GrantFrame{offer.transfer, 0});
  ChunkDecoder decoder(offer.manifest);
  for (const ChunkFrame& chunk : child->All<ChunkFrame>()) {
    ASSERT_TRUE(decoder.Add(chunk.offset, chunk.bytes, chunk.checksum).ok());
  }
  ASSERT_TRUE(decoder.done());
  EXPECT_TRUE(SameBytes(decoder.tensors(), model));
  EXPECT_EQ(child->Last<TrailerFrame>().digest, TransferDigest(model.bytes()));
}

TEST_F(DownlinksModels, AModelGoesOnWhereTheChildSays) {
  const auto child = Join();
  const PackedTensors model = SampleTensors(3 * kMiB);
  OfferModel(model);
  Send(*child, GrantFrame{child->Last<OfferFrame>().transfer, 2 * kMiB + 1});
  ASSERT_EQ(child->All<ChunkFrame>().size(), 1u);
  EXPECT_EQ(child->Last<ChunkFrame>().offset, 2 * kMiB + 1);
}

TEST_F(DownlinksModels, AGrantBeyondTheEndClosesTheLink) {
  const auto child = Join();
  OfferModel(SampleTensors(100));
  Send(*child, GrantFrame{child->Last<OfferFrame>().transfer, 101});
  EXPECT_TRUE(child->closed.has_value());
}

TEST_F(DownlinksModels, AChildThatIsNotWelcomedIsOfferedNothing) {
  downlinks_->SetRun("run");
  const auto child = Hello("run", 1);
  OfferModel(SampleTensors(100));
  OfferModel(SampleTensors(100), 1, "nobody");
  EXPECT_THAT(child->frames, IsEmpty());
}

TEST_F(DownlinksModels, AModelLargerThanTheLinkQueuesComesWhole) {
  const auto child = Join();
  const PackedTensors model = SampleTensors(11 * kMiB);
  OfferModel(model);
  Send(*child, GrantFrame{child->Last<OfferFrame>().transfer, 0});
  EXPECT_EQ(child->All<ChunkFrame>().size(), 11u);
  EXPECT_EQ(child->All<TrailerFrame>().size(), 1u);
}

TEST_F(DownlinksModels, AnAcknowledgedModelIsLetGo) {
  const auto child = Join();
  std::optional<PackedTensors> model = SampleTensors(100);
  const std::weak_ptr<const void> block = model->owner();
  OfferModel(*model);
  model.reset();
  EXPECT_FALSE(block.expired());
  Send(*child, AckFrame{child->Last<OfferFrame>().transfer, 0, ""});
  child->frames.clear();
  EXPECT_TRUE(block.expired());
}

TEST_F(DownlinksModels, AChildThatNeverAnswersHoldsOneModelAtMost) {
  const auto child = Join();
  std::vector<std::weak_ptr<const void>> blocks;
  for (uint64_t version = 1; version <= 5; ++version) {
    const PackedTensors model = SampleTensors(100, version);
    blocks.push_back(model.owner());
    OfferModel(model, version);
  }
  for (size_t i = 0; i < 4; ++i) EXPECT_TRUE(blocks[i].expired()) << i;
  EXPECT_FALSE(blocks[4].expired());
}

TEST_F(DownlinksModels, ANewerModelEndsTheSendingOfTheOlder) {
  const auto child = Join();
  OfferModel(SampleTensors(2 * kMiB, 1), 1);
  const uint64_t older = child->Last<OfferFrame>().transfer;
  OfferModel(SampleTensors(2 * kMiB, 2), 2);
  const uint64_t newer = child->Last<OfferFrame>().transfer;
  EXPECT_NE(older, newer);
  Send(*child, GrantFrame{older, 0});
  EXPECT_THAT(child->All<ChunkFrame>(), IsEmpty());
  Send(*child, GrantFrame{newer, 0});
  EXPECT_EQ(child->All<ChunkFrame>().size(), 2u);
}

TEST_F(DownlinksModels, AModelOfABrokenLinkIsLetGo) {
  const auto child = Join();
  std::optional<PackedTensors> model = SampleTensors(100);
  const std::weak_ptr<const void> block = model->owner();
  OfferModel(*model);
  model.reset();
  child->frames.clear();
  Leave(*child);
  EXPECT_TRUE(block.expired());
}

}  // namespace
}  // namespace skein
