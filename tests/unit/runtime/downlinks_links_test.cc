#include "runtime/downlinks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/downlinks_fixture.h"

namespace skein {
namespace {

using ::testing::IsEmpty;

using DownlinksLinks = DownlinksTest;

// ---- hello ----

TEST_F(DownlinksLinks, AFastChildThatSaysHelloTwiceComesOnce) {
  const auto child = Hello("run", 1);
  Send(*child, HelloFrame{kProtocolVersion, "run", "w0", 7, 2});
  downlinks_->SetRun("run");
  EXPECT_EQ(children_.up, (Up{{"w0", 1}}));
}

TEST_F(DownlinksLinks, AFastChildOfAnotherRunIsRefusedOnceTheRunIsKnown) {
  const auto child = Hello("other", 1);
  downlinks_->SetRun("run");
  Settle();
  EXPECT_TRUE(children_.up.empty());
  EXPECT_TRUE(child->closed.has_value());
}

TEST_F(DownlinksLinks, AChildOfAnotherProtocolIsRefused) {
  downlinks_->SetRun("run");
  const auto child = Dial();
  Send(*child, HelloFrame{kProtocolVersion + 1, "run", "w0", 7, 1});
  EXPECT_TRUE(children_.up.empty());
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(child->closed->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(child->Last<WelcomeFrame>().protocol, kProtocolVersion) << "so that it knows ours";
}

TEST_F(DownlinksLinks, TheWelcomeNamesThisLifeOfTheParent) {
  const auto child = Join();
  EXPECT_EQ(child->Last<WelcomeFrame>().protocol, kProtocolVersion);
  EXPECT_EQ(child->Last<WelcomeFrame>().incarnation, 21u);
}

TEST_F(DownlinksLinks, ARefusedChildHearsWhy) {
  downlinks_->SetRun("run");
  const auto child = Hello("run", 1);
  downlinks_->Refuse("w0", 1, absl::NotFoundError("no child of mine"));
  Settle();
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(*child->closed, absl::NotFoundError("no child of mine"));
  EXPECT_EQ(children_.down, (Up{{"w0", 1}}));
}

TEST_F(DownlinksLinks, ASecondHelloOnALinkChangesNothing) {
  const auto child = Join();
  Send(*child, HelloFrame{kProtocolVersion, "run", "w1", 8, 2});
  EXPECT_EQ(children_.up, (Up{{"w0", 1}}));
  Send(*child, TaskFailedFrame{});
  ASSERT_EQ(children_.failed.size(), 1u);
  EXPECT_EQ(children_.failed[0].first, "w0");
}

TEST_F(DownlinksLinks, AHelloWithoutANameIsRefused) {
  downlinks_->SetRun("run");
  const auto child = Hello("run", 1, "");
  EXPECT_THAT(children_.up, IsEmpty());
  ASSERT_TRUE(child->closed.has_value());
  EXPECT_EQ(child->closed->code(), absl::StatusCode::kInvalidArgument);
}

// ---- one link a child ----

TEST_F(DownlinksLinks, AReplacedLinkIsToBeWelcomedAnew) {
  Join();
  const auto second = Hello("run", 1);
  Send(*second, TaskFailedFrame{});
  EXPECT_THAT(children_.failed, IsEmpty());
  downlinks_->Welcome("w0", 1);
  Send(*second, TaskFailedFrame{});
  EXPECT_EQ(children_.failed.size(), 1u);
}

TEST_F(DownlinksLinks, TheWelcomeOfAnAttachmentEndsTheLinksOfOlderOnes) {
  const auto first = Join("w0", 1);
  const auto other = Join("w1", 1);
  const auto second = Hello("run", 2);
  EXPECT_FALSE(first->closed.has_value());  // a hello alone proves nothing
  downlinks_->Welcome("w0", 2);
  Settle();
  ASSERT_TRUE(first->closed.has_value());
  EXPECT_EQ(first->closed->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(second->closed.has_value());
  EXPECT_FALSE(other->closed.has_value());
  downlinks_->Send("w0", Task{});
  Settle();
  EXPECT_EQ(second->All<Task>().size(), 1u);
}

TEST_F(DownlinksLinks, TheEndOfALinkIsToldOnce) {
  const auto child = Join();
  Leave(*child);
  EXPECT_EQ(children_.down, (Up{{"w0", 1}}));
  downlinks_->Send("w0", Task{});  // to nobody
  downlinks_->Welcome("w0", 1);
  downlinks_->Refuse("w0", 1, absl::AbortedError(""));
  Settle();
  EXPECT_EQ(children_.down, (Up{{"w0", 1}}));
}

// ---- frames ----

TEST_F(DownlinksLinks, FramesOfALinkThatIsNotWelcomedAreIgnored) {
  downlinks_->SetRun("run");
  const auto child = Hello("run", 1);
  Send(*child, OfferFrame{1, SampleTensors(10).manifest(), UpdateHeader{}});
  Send(*child, TaskFailedFrame{});
  Send(*child, EvalReportFrame{});
  downlinks_->Send("w0", Task{});
  Settle();
  EXPECT_THAT(children_.offered, IsEmpty());
  EXPECT_THAT(children_.failed, IsEmpty());
  EXPECT_THAT(children_.evaluated, IsEmpty());
  EXPECT_THAT(child->frames, IsEmpty());
}

TEST_F(DownlinksLinks, PassesFramesBothWays) {
  const auto child = Join();
  const auto other = Join("w1");
  Send(*child, TaskFailedFrame{.round = 4, .reason = "Error:\n  out of memory\n"});
  Send(*child, EvalReportFrame{.round = 5});
  ASSERT_EQ(children_.failed.size(), 1u);
  EXPECT_EQ(children_.failed[0].second.reason, "Error: out of memory");
  ASSERT_EQ(children_.evaluated.size(), 1u);
  EXPECT_EQ(children_.evaluated[0].second.round, 5u);
  downlinks_->Send("w0", Task{.round = 6});
  Settle();
  EXPECT_EQ(child->Last<Task>().round, 6u);
  EXPECT_THAT(other->All<Task>(), IsEmpty());
}

TEST_F(DownlinksLinks, GrantsAndAcksOfNothingAreIgnored) {
  const auto child = Join();
  Send(*child, AckFrame{99, 0, ""});
  Send(*child, GrantFrame{99, 1 << 20});
  Send(*child, ChunkOf(99, SampleTensors(10), 0, 10));
  Send(*child, TrailerFrame{99, ""});
  Send(*child, WelcomeFrame{});
  Send(*child, ByeFrame{"so long"});
  EXPECT_FALSE(child->closed.has_value());
  EXPECT_THAT(children_.progressed, IsEmpty());
  EXPECT_THAT(children_.broken, IsEmpty());
}

// ---- the end ----

TEST_F(DownlinksLinks, CloseEndsTheLinksOfEveryPhase) {
  const auto silent = Dial();
  const auto early = Hello("run", 1, "w1");
  downlinks_->SetRun("run");
  const auto greeted = Hello("run", 1, "w2");
  const auto welcomed = Join("w3");
  const size_t ups = children_.up.size();
  downlinks_->Close();
  Settle();
  EXPECT_TRUE(early->closed.has_value());
  EXPECT_TRUE(greeted->closed.has_value());
  EXPECT_TRUE(welcomed->closed.has_value());
  Send(*silent, HelloFrame{kProtocolVersion, "run", "w4", 7, 1});
  EXPECT_TRUE(silent->closed.has_value());
  EXPECT_TRUE(Dial()->closed.has_value());
  EXPECT_EQ(children_.up.size(), ups);
  EXPECT_THAT(children_.down, IsEmpty());  // nothing is told after Close
}

TEST_F(DownlinksLinks, CloseEndsTheLinksThatWaitForTheRunsName) {
  const auto early = Hello("run", 1);
  downlinks_->Close();
  Settle();
  EXPECT_TRUE(early->closed.has_value());
}

TEST_F(DownlinksLinks, CallsAfterCloseDoNothing) {
  const auto child = Join();
  downlinks_->Close();
  downlinks_->Close();
  downlinks_->SetRun("run");
  downlinks_->Welcome("w0", 1);
  downlinks_->Send("w0", Task{});
  downlinks_->OfferModel("w0", {}, {OutboundTensors(SampleTensors(10), "")});
  downlinks_->Grant({"w0", 1, 1}, nullptr);
  downlinks_->Acknowledge({"w0", 1, 1}, absl::OkStatus());
  EXPECT_EQ(downlinks_->Offer({"w0", 1, 1}), nullptr);
  EXPECT_EQ(downlinks_->Staged({"w0", 1, 1}), nullptr);
  Settle();
  EXPECT_THAT(child->All<Task>(), IsEmpty());
}

// ---- traffic ----

TEST_F(DownlinksLinks, TrafficIsTheEncodedSizeOfAllFramesAndOutlivesTheLinks) {
  uint64_t up = 0;
  uint64_t down = 0;
  const PackedTensors update = SampleTensors(5000);
  std::vector<std::shared_ptr<Peer>> peers;
  for (const NodeId node : {"w0", "w1"}) {
    peers.push_back(Join(node));
    Peer& child = *peers.back();
    const UploadId id{node, 1, 1};
    OfferUpdate(child, id, update);
    const std::vector<Frame> rest = {ChunkOf(1, update, 0, 5000), TrailerFrame{1, ""}};
    for (const Frame& frame : rest) Send(child, frame);
    downlinks_->Acknowledge(id, absl::OkStatus());
    Settle();
    up += EncodedSize(HelloFrame{kProtocolVersion, "run", node, 7, 1});
    up += EncodedSize(OfferFrame{1, update.manifest(), UpdateHeader{.seq = 1}});
    for (const Frame& frame : rest) up += EncodedSize(frame);
    for (const Frame& frame : child.frames) down += EncodedSize(frame);
  }
  EXPECT_EQ(downlinks_->Traffic(), std::pair(up, down));
  Leave(*peers[0]);
  EXPECT_EQ(downlinks_->Traffic(), std::pair(up, down));
  downlinks_->Close();
  Settle();
  EXPECT_EQ(downlinks_->Traffic(), std::pair(up, down));
}

TEST_F(DownlinksLinks, TrafficOfAReplacedLinkCountsOnce) {
  Join();
  Join();
  Settle();
  const uint64_t hello = EncodedSize(HelloFrame{kProtocolVersion, "run", "w0", 7, 1});
  const uint64_t welcome = EncodedSize(WelcomeFrame{kProtocolVersion, 21});
  EXPECT_EQ(downlinks_->Traffic(), std::pair(2 * hello, 2 * welcome));
}

}  // namespace
}  // namespace skein
