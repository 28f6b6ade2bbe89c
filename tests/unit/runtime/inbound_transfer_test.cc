#include "runtime/inbound_transfer.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/runtime/link_samples.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Log = std::vector<std::string>;

class NotingIntake : public Intake {
 public:
  NotingIntake(Log& log, uint64_t bad_from) : log_(log), bad_from_(bad_from) {}
  ~NotingIntake() override { log_.push_back("gone"); }
  absl::Status Advance(uint64_t received) override {
    log_.push_back("advance " + std::to_string(received));
    return received >= bad_from_ ? absl::InvalidArgumentError("NaN") : absl::OkStatus();
  }
  absl::Status Complete() override {
    log_.push_back("complete");
    return absl::OkStatus();
  }

 private:
  Log& log_;
  const uint64_t bad_from_;
};

class InboundTransferTest : public ::testing::Test {
 protected:
  absl::Status Send(ChunkSink& sink, uint64_t at, uint64_t size) {
    const ChunkFrame chunk = ChunkOf(1, sent_, at, size);
    const std::span<const std::byte> pieces[] = {chunk.bytes.first(size / 3),
                                                 chunk.bytes.subspan(size / 3)};
    return sink.Take(chunk.offset, chunk.checksum, pieces);
  }
  std::unique_ptr<Intake> NewIntake(uint64_t bad_from = ~uint64_t{0}) {
    return std::make_unique<NotingIntake>(log_, bad_from);
  }

  const PackedTensors sent_ = SampleTensors(3000);
  Log log_;
  std::shared_ptr<InboundTransfer> transfer_ =
      std::make_shared<InboundTransfer>(PackedTensors(sent_.manifest()));
};

TEST_F(InboundTransferTest, BytesGoToTheBlockTheHashAndTheFold) {
  int calls = 0;
  const auto sink = transfer_->NewSink([&calls] { ++calls; });
  transfer_->Hash();
  transfer_->Fold(NewIntake());
  ASSERT_TRUE(Send(*sink, 0, 1000).ok());
  EXPECT_EQ(transfer_->received(), 1000u);
  ASSERT_TRUE(Send(*sink, 1000, 2000).ok());
  EXPECT_TRUE(transfer_->done());
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(SameBytes(transfer_->tensors(), sent_));
  EXPECT_EQ(transfer_->FinishHash(), TransferDigest(sent_.bytes()));
  EXPECT_TRUE(transfer_->CompleteFold().ok());
  EXPECT_THAT(log_, ElementsAre("advance 1000", "advance 3000", "complete", "gone"));
}

TEST_F(InboundTransferTest, OnlyTheNewestSinkWritesAndNoneOnceDetached) {
  const auto old = transfer_->NewSink([] {});
  const auto sink = transfer_->NewSink([] {});
  EXPECT_TRUE(Send(*old, 0, 1000).ok());  // its link is over, so there is nobody to tell
  EXPECT_EQ(transfer_->received(), 0u);
  EXPECT_TRUE(Send(*sink, 0, 1000).ok());
  transfer_->Detach();
  EXPECT_TRUE(Send(*sink, 1000, 1000).ok());
  EXPECT_EQ(transfer_->received(), 1000u);
  EXPECT_TRUE(Send(*transfer_->NewSink([] {}), 1000, 2000).ok());
  EXPECT_TRUE(SameBytes(transfer_->tensors(), sent_));
}

TEST_F(InboundTransferTest, ADamagedChunkIsAnErrorAndDoesNotCount) {
  transfer_->Fold(NewIntake());
  const ChunkFrame bad = DamagedChunkOf(1, sent_, 0, 1000);
  EXPECT_THAT(Message(transfer_->Take(bad)), HasSubstr("checksum"));
  EXPECT_THAT(Message(transfer_->Take(ChunkOf(1, sent_, 1000, 10))), HasSubstr("expected byte 0"));
  EXPECT_EQ(transfer_->received(), 0u);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(InboundTransferTest, ABadValueIsTheFoldsErrorAndNotTheLinks) {
  transfer_->Fold(NewIntake(/*bad_from=*/1000));
  EXPECT_TRUE(transfer_->Take(ChunkOf(1, sent_, 0, 1000)).ok());
  EXPECT_TRUE(transfer_->Take(ChunkOf(1, sent_, 1000, 2000)).ok());
  EXPECT_EQ(transfer_->CompleteFold(), absl::InvalidArgumentError("NaN"));
  EXPECT_THAT(log_, ElementsAre("advance 1000", "gone"));
}

TEST_F(InboundTransferTest, AFoldThatCannotBeginSaysSoAtItsEnd) {
  transfer_->Fold(absl::InvalidArgumentError("bad weight"));
  EXPECT_TRUE(transfer_->Take(ChunkOf(1, sent_, 0, 3000)).ok());
  EXPECT_EQ(transfer_->CompleteFold(), absl::InvalidArgumentError("bad weight"));
}

TEST_F(InboundTransferTest, AResumedTransferIsFoldedFromItsBeginning) {
  transfer_->Fold(NewIntake());
  EXPECT_TRUE(transfer_->Take(ChunkOf(1, sent_, 0, 1000)).ok());
  transfer_->DropFold();
  EXPECT_FALSE(transfer_->CompleteFold().ok());
  transfer_->Fold(NewIntake());
  EXPECT_TRUE(transfer_->Take(ChunkOf(1, sent_, 1000, 2000)).ok());
  EXPECT_TRUE(transfer_->CompleteFold().ok());
  EXPECT_THAT(log_, ElementsAre("advance 1000", "gone", "advance 1000", "advance 3000", "complete",
                                "gone"));
}

}  // namespace
}  // namespace skein
