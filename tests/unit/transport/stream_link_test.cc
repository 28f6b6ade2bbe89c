// What a link over gRPC asks of its stream, without gRPC.
#include "transport/grpc/stream_link.h"

#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/thread_pool.h"

namespace skein {
namespace {

using ::testing::ElementsAre;

class Writes final : public FrameStream {
 public:
  void Read(grpc::ByteBuffer*) override {}
  void Write(const grpc::ByteBuffer*, bool more) override { more_.push_back(more); }
  void EndWrites() override {}
  void Cancel() override {}

  const std::vector<bool>& more() const { return more_; }

 private:
  std::vector<bool> more_;  // of each write
};

class StreamLinkTest : public ::testing::Test {
 protected:
  ~StreamLinkTest() override {
    link_->OnDone(absl::OkStatus());
    pool_.Shutdown();
  }

  ThreadPool pool_{1};
  Writes stream_;
  const std::shared_ptr<StreamLink> link_ =
      std::make_shared<StreamLink>(StreamLink::Role::kServer, pool_.NewExecutor());
};

TEST_F(StreamLinkTest, FramesThatWaitTogetherAreWrittenAsABurst) {
  for (int i = 0; i < 3; ++i) link_->Send(AckFrame{});
  link_->Attach(&stream_);
  EXPECT_THAT(stream_.more(), ElementsAre(true)) << "one write at a time";
  link_->OnWriteDone(true);
  link_->OnWriteDone(true);
  EXPECT_THAT(stream_.more(), ElementsAre(true, true, false)) << "the last one is not held back";
}

TEST_F(StreamLinkTest, AFrameThatNothingFollowsGoesAtOnce) {
  link_->Attach(&stream_);
  link_->Send(AckFrame{});
  link_->Send(AckFrame{});
  link_->OnWriteDone(true);
  EXPECT_THAT(stream_.more(), ElementsAre(false, false));
}

}  // namespace
}  // namespace skein
