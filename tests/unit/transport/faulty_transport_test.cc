#include "skein/testing/faulty_transport.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/testing/sim_executor.h"
#include "unit/transport/sample_frames.h"

namespace skein::testing {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;

struct Received {
  std::string text;  // "bye a", "chunk bytes"
  Time at;
};

// Writes down what arrives, as text.
class Recorder final : public LinkHandler {
 public:
  explicit Recorder(const Simulation& simulation) : simulation_(simulation) {}

  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const Received& r : received) result.push_back(r.text);
    return result;
  }

  void OnFrame(Frame frame) override {
    EXPECT_FALSE(closed.has_value());
    std::string text = NameOf(frame);
    if (const auto* bye = std::get_if<ByeFrame>(&frame)) text += " " + bye->reason;
    if (const auto* chunk = std::get_if<ChunkFrame>(&frame)) {
      text += " " +
              std::string(reinterpret_cast<const char*>(chunk->bytes.data()), chunk->bytes.size());
      EXPECT_EQ(chunk->checksum, SampleChunk("").checksum);
    }
    received.push_back({std::move(text), simulation_.Now()});
  }
  void OnWritable() override {}
  void OnClosed(absl::Status status) override {
    EXPECT_FALSE(closed.has_value());
    closed = std::move(status);
    closed_at = simulation_.Now();
  }

  std::vector<Received> received;
  std::optional<absl::Status> closed;
  Time closed_at{0};

 private:
  const Simulation& simulation_;
};

class FaultyTransport : public ::testing::Test, public Acceptor {
 protected:
  // Connects a child "w1" whose frames and whose parent's frames suffer what `plan` says.
  void Connect(FaultPlan plan) {
    transport_ = MakeFaultyTransport(MakeInprocTransport(), std::move(plan));
    auto listener = transport_->Listen("", simulation_.NewExecutor(),
                                       std::shared_ptr<Acceptor>(std::shared_ptr<void>(), this));
    ASSERT_TRUE(listener.ok());
    listener_ = *std::move(listener);
    child_link_ = transport_->Dial(listener_->address(), simulation_.NewExecutor(), child_);
    child_link_->Send(HelloFrame{1, "run", "w1", 1, 1});
    simulation_.RunFor(Duration(0));
    ASSERT_NE(parent_link_, nullptr);
    ASSERT_THAT(parent_->texts(), ElementsAre("hello"));
    parent_->received.clear();
  }

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    parent_link_ = std::move(link);
    return parent_;
  }

  // Sends a, b and c up, and the same down.
  void SendAll() {
    for (const char* text : {"a", "b", "c"}) {
      child_link_->Send(ByeFrame{text});
      parent_link_->Send(ByeFrame{text});
    }
  }

  Simulation simulation_;
  std::shared_ptr<Recorder> child_ = std::make_shared<Recorder>(simulation_);
  std::shared_ptr<Recorder> parent_ = std::make_shared<Recorder>(simulation_);
  std::shared_ptr<Transport> transport_;
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<Link> child_link_;
  std::shared_ptr<Link> parent_link_;
};

// Strikes the frame "b" of one direction.
FaultPlan StrikeB(bool up, Fault fault) {
  return [up, fault](const FrameContext& context) {
    const auto* bye = std::get_if<ByeFrame>(context.frame);
    return context.up == up && bye != nullptr && bye->reason == "b" ? fault : Fault{};
  };
}

TEST_F(FaultyTransport, PassesEverythingWithoutFaults) {
  Connect([](const FrameContext&) { return Fault{}; });
  SendAll();
  child_link_->Close(absl::AbortedError("enough"));
  simulation_.RunFor(Duration(0));
  EXPECT_THAT(parent_->texts(), ElementsAre("bye a", "bye b", "bye c"));
  ASSERT_TRUE(parent_->closed.has_value());
  EXPECT_EQ(parent_->closed->code(), absl::StatusCode::kAborted);
}

TEST_F(FaultyTransport, TellsThePlanNodeDirectionAndNumber) {
  std::vector<std::string> seen;
  Connect([&](const FrameContext& context) {
    seen.push_back(context.node + (context.up ? " up " : " down ") + std::to_string(context.n) +
                   " " + NameOf(*context.frame));
    return Fault{};
  });
  child_link_->Send(GrantFrame{});
  simulation_.RunFor(Duration(0));
  parent_link_->Send(WelcomeFrame{});
  simulation_.RunFor(Duration(0));
  EXPECT_THAT(seen, ElementsAre("w1 up 0 hello", "w1 up 1 grant", "w1 down 0 welcome"));
}

TEST_F(FaultyTransport, DropsAFrame) {
  Connect(StrikeB(/*up=*/true, {Fault::Kind::kDrop}));
  SendAll();
  simulation_.RunFor(Duration(0));
  EXPECT_THAT(parent_->texts(), ElementsAre("bye a", "bye c"));
  EXPECT_THAT(child_->texts(), ElementsAre("bye a", "bye b", "bye c"));
}

TEST_F(FaultyTransport, DuplicatesAFrame) {
  Connect(StrikeB(/*up=*/false, {Fault::Kind::kDuplicate}));
  SendAll();
  simulation_.RunFor(Duration(0));
  EXPECT_THAT(child_->texts(), ElementsAre("bye a", "bye b", "bye b", "bye c"));
  EXPECT_THAT(parent_->texts(), ElementsAre("bye a", "bye b", "bye c"));
}

TEST_F(FaultyTransport, DelaysAFrameAndAllLaterOnesOfItsDirection) {
  Connect(StrikeB(/*up=*/true, {Fault::Kind::kDelay, seconds(5)}));
  const Time start = simulation_.Now();
  SendAll();
  child_link_->Close(absl::OkStatus());
  simulation_.RunFor(seconds(4));
  EXPECT_THAT(parent_->texts(), ElementsAre("bye a"));
  EXPECT_FALSE(parent_->closed.has_value());
  simulation_.RunFor(seconds(2));
  EXPECT_THAT(parent_->texts(), ElementsAre("bye a", "bye b", "bye c"));
  EXPECT_EQ(parent_->received[1].at - start, seconds(5));
  EXPECT_EQ(parent_->received[2].at - start, seconds(5));
  ASSERT_TRUE(parent_->closed.has_value());  // the end comes last, and late too
  EXPECT_EQ(parent_->closed_at - start, seconds(5));
}

TEST_F(FaultyTransport, CorruptsAChunkAndSwallowsOtherFrames) {
  Connect([](const FrameContext& context) {
    return Fault{context.n > 0 ? Fault::Kind::kCorrupt : Fault::Kind::kNone};
  });
  const ChunkFrame chunk = SampleChunk("00000");
  child_link_->Send(chunk);
  child_link_->Send(ByeFrame{"a"});
  child_link_->Send(SampleChunk(""));
  simulation_.RunFor(Duration(0));
  // One bit of '0' (0x30) differs; the sender's own bytes are as they were.
  const std::string flipped = {'0', '0', 0x20, '0', '0'};
  EXPECT_THAT(parent_->texts(), ElementsAre("chunk " + flipped));
  EXPECT_EQ(static_cast<char>(chunk.bytes[2]), '0');
}

TEST_F(FaultyTransport, CutsTheLinkBeforeAFrame) {
  Connect(StrikeB(/*up=*/false, {Fault::Kind::kCut}));
  SendAll();
  simulation_.RunFor(Duration(0));
  EXPECT_THAT(child_->texts(), ElementsAre("bye a"));
  for (const auto& end : {child_, parent_}) {
    ASSERT_TRUE(end->closed.has_value());
    EXPECT_EQ(end->closed->code(), absl::StatusCode::kUnavailable);
  }
}

TEST_F(FaultyTransport, ForgetsDelayedFramesOnceClosedHere) {
  Connect(StrikeB(/*up=*/true, {Fault::Kind::kDelay, seconds(5)}));
  SendAll();
  simulation_.RunFor(seconds(1));
  parent_link_->Close(absl::OkStatus());
  simulation_.RunFor(seconds(10));
  EXPECT_THAT(parent_->texts(), ElementsAre("bye a"));
  EXPECT_TRUE(parent_->closed.has_value());
}

}  // namespace
}  // namespace skein::testing
