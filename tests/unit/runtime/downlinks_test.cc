#include "runtime/downlinks.h"

#include <gtest/gtest.h>

#include "skein/testing/sim_executor.h"

namespace skein {
namespace {

// Notes who came, and in which order.
class Children : public Downlinks::Owner {
 public:
  void OnChildUp(const NodeId& child, Epoch epoch) override { up.emplace_back(child, epoch); }
  void OnChildDown(const NodeId& child, Epoch epoch) override { down.emplace_back(child, epoch); }
  void OnUploadOffered(const UploadId&, const OfferFrame&) override {}
  void OnUploadProgress(const UploadId&) override {}
  void OnUploadStaged(const UploadId&) override {}
  void OnUploadBroken(const UploadId&, const std::string&) override {}
  void OnChildFailed(const NodeId&, const TaskFailedFrame&) override {}
  void OnChildEvaluated(const NodeId&, const EvalReportFrame&) override {}

  std::vector<std::pair<NodeId, Epoch>> up;
  std::vector<std::pair<NodeId, Epoch>> down;
};

class Child : public LinkHandler {
 public:
  void OnFrame(Frame frame) override { frames.push_back(std::move(frame)); }
  void OnWritable() override {}
  void OnClosed(absl::Status status) override { closed = status; }

  std::vector<Frame> frames;
  std::optional<absl::Status> closed;
};

class DownlinksTest : public ::testing::Test {
 protected:
  DownlinksTest() {
    auto listener = transport_->Listen("", executor_, downlinks_);
    EXPECT_TRUE(listener.ok());
    listener_ = *std::move(listener);
  }
  ~DownlinksTest() override {
    downlinks_->Close();
    Settle();  // links let go of their handlers when they have told them of the end
  }

  std::shared_ptr<Link> Hello(const std::string& run, Epoch epoch,
                              const std::shared_ptr<Child>& child) {
    auto link = transport_->Dial(listener_->address(), executor_, child);
    link->Send(HelloFrame{kProtocolVersion, run, "w0", 7, epoch});
    Settle();
    return link;
  }
  void Settle() { simulation_.RunFor(std::chrono::seconds(1)); }

  testing::Simulation simulation_;
  std::shared_ptr<Executor> executor_ = simulation_.NewExecutor();
  std::shared_ptr<Transport> transport_ = MakeInprocTransport();
  Children children_;
  std::shared_ptr<Downlinks> downlinks_ = std::make_shared<Downlinks>(
      &children_, simulation_.NewExecutor(), std::make_shared<BufferPool>(), "", 1);
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<Child> child_ = std::make_shared<Child>();
};

using Up = std::vector<std::pair<NodeId, Epoch>>;

TEST_F(DownlinksTest, AChildThatIsFasterThanTheRunsNameWaitsForIt) {
  const auto link = Hello("run", 1, child_);
  EXPECT_TRUE(children_.up.empty());
  EXPECT_FALSE(child_->closed.has_value());
  downlinks_->SetRun("run");
  EXPECT_EQ(children_.up, (Up{{"w0", 1}}));
  downlinks_->Welcome("w0", 1);
  Settle();
  ASSERT_EQ(child_->frames.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<WelcomeFrame>(child_->frames[0]));
}

TEST_F(DownlinksTest, AFastChildThatLeftAgainIsForgotten) {
  Hello("run", 1, child_)->Close(absl::OkStatus());
  Settle();
  downlinks_->SetRun("run");
  EXPECT_TRUE(children_.up.empty());
}

TEST_F(DownlinksTest, AChildOfAnotherRunIsRefused) {
  downlinks_->SetRun("run");
  const auto link = Hello("other", 1, child_);
  EXPECT_TRUE(children_.up.empty());
  ASSERT_TRUE(child_->closed.has_value());
  EXPECT_EQ(child_->closed->code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(DownlinksTest, ANewerLinkOfTheSameAttachmentReplacesTheOld) {
  downlinks_->SetRun("run");
  const auto first = Hello("run", 1, child_);
  const auto again = std::make_shared<Child>();
  const auto second = Hello("run", 1, again);
  EXPECT_EQ(children_.up, (Up{{"w0", 1}, {"w0", 1}}));
  EXPECT_EQ(children_.down, (Up{{"w0", 1}}));
  EXPECT_TRUE(child_->closed.has_value());
  EXPECT_FALSE(again->closed.has_value());
}

TEST_F(DownlinksTest, ALinkBeginsWithAHello) {
  downlinks_->SetRun("run");
  auto link = transport_->Dial(listener_->address(), executor_, child_);
  link->Send(EvalReportFrame{});
  Settle();
  ASSERT_TRUE(child_->closed.has_value());
  EXPECT_EQ(child_->closed->code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace skein
