#include "transport/shaped_acceptor.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/simulation.h"
#include "unit/transport/sample_frames.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// ---- the times ----

TEST(LinkShape, BandwidthIsTakenInTurnThenLatencyGoesBy) {
  LinkShape shape({.mb_per_s = 1, .latency_s = 0.5});
  LinkShape::Lane lane;
  EXPECT_EQ(shape.Pass(lane, true, 1'000'000, seconds(0)), milliseconds(1500));
  EXPECT_EQ(lane.free, seconds(1));
  EXPECT_EQ(shape.Pass(lane, true, 1'000'000, seconds(0)), milliseconds(2500));
  EXPECT_EQ(shape.Pass(lane, true, 0, seconds(10)), milliseconds(10500));
}

TEST(LinkShape, LinksOfAParentShareItsOwnBandwidthEachWay) {
  LinkShape shape({.mb_per_s = 10, .node_mb_per_s = 1});
  LinkShape::Lane one;
  LinkShape::Lane two;
  LinkShape::Lane down;
  EXPECT_EQ(shape.Pass(one, true, 1'000'000, seconds(0)), seconds(1));
  EXPECT_EQ(shape.Pass(two, true, 1'000'000, seconds(0)), seconds(2));
  EXPECT_EQ(shape.Pass(down, false, 1'000'000, seconds(0)), seconds(1));
}

TEST(LinkShape, FramesCostTheParentTime) {
  LinkShape shape({.frame_s = 0.25});
  LinkShape::Lane one;
  LinkShape::Lane two;
  EXPECT_EQ(shape.Pass(one, true, 1, seconds(0)), milliseconds(250));
  EXPECT_EQ(shape.Pass(two, true, 1, seconds(0)), milliseconds(500));
}

// 1.22 * 1460 bytes / (0.2 s * sqrt(0.01)) = 89,060 bytes a second (Mathis 1997).
TEST(LinkShape, LossBoundsTheRateAndDelaysSomeFrames) {
  LinkShape shape({.mb_per_s = 100, .latency_s = 0.1, .loss = 0.01});
  LinkShape::Lane lane{.random = Rng(1)};
  shape.Pass(lane, true, 89'060, seconds(0));
  EXPECT_NEAR(ToSeconds(lane.free), 1.0, 1e-6);

  LinkShape lossy({.latency_s = 0.1, .loss = 0.25});
  int late = 0;
  Time last{0};
  for (int i = 0; i < 1000; ++i) {
    const Time now = seconds(100 * (i + 1));
    const Time due = lossy.Pass(lane, true, 0, now);
    EXPECT_GE(due, last) << "in order";
    last = due;
    late += due - now > milliseconds(400);
  }
  EXPECT_NEAR(late, 250, 60);
}

// ---- links ----

class Recorder final : public LinkHandler {
 public:
  explicit Recorder(const Simulation& simulation) : simulation_(simulation) {}
  void OnFrame(Frame frame) override {
    EXPECT_FALSE(closed);
    frames.push_back(NameOf(frame));
    times.push_back(ToSeconds(simulation_.Now()));
  }
  void OnWritable() override { ++writable; }
  void OnClosed(absl::Status) override { closed = ToSeconds(simulation_.Now()); }

  std::vector<std::string> frames;
  std::vector<double> times;
  int writable = 0;
  std::optional<double> closed;

 private:
  const Simulation& simulation_;
};

class ShapedAcceptorTest : public ::testing::Test, public Acceptor {
 protected:
  void SetUp() override {
    const auto executor = simulation_.NewExecutor();
    acceptor_ = std::make_shared<ShapedAcceptor>(
        std::shared_ptr<Acceptor>(std::shared_ptr<void>(), this), executor);
    listener_ = transport_->Listen("", executor, acceptor_).value();
    child_link_ = transport_->Dial(listener_->address(), simulation_.NewExecutor(), child_);
    simulation_.RunFor(Duration(0));
    ASSERT_NE(parent_link_, nullptr);
  }
  // A link lets go of its handler once it has closed.
  void TearDown() override {
    child_link_.reset();
    parent_link_.reset();
    simulation_.RunFor(seconds(10));
  }
  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
    parent_link_ = std::move(link);
    return parent_;
  }
  static Frame Chunk(size_t bytes) { return SampleChunk(std::string(bytes, 'x')); }

  Simulation simulation_;
  std::shared_ptr<Recorder> child_ = std::make_shared<Recorder>(simulation_);
  std::shared_ptr<Recorder> parent_ = std::make_shared<Recorder>(simulation_);
  std::shared_ptr<Transport> transport_ = MakeInprocTransport();
  std::shared_ptr<ShapedAcceptor> acceptor_;
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<Link> child_link_;
  std::shared_ptr<Link> parent_link_;
};

TEST_F(ShapedAcceptorTest, NothingHappensToLinksBeforeConditionsAreSet) {
  child_link_->Send(Chunk(1000));
  parent_link_->Send(Chunk(1000));
  simulation_.RunFor(Duration(0));
  EXPECT_THAT(parent_->times, ElementsAre(0));
  EXPECT_THAT(child_->times, ElementsAre(0));
}

TEST_F(ShapedAcceptorTest, BothWaysTakeTheirTime) {
  acceptor_->Set({.mb_per_s = 1, .latency_s = 1}, 0, 1);
  for (int i = 0; i < 2; ++i) {
    child_link_->Send(Chunk(500'000));
    parent_link_->Send(Chunk(1'000'000));
  }
  simulation_.RunFor(seconds(10));
  ASSERT_EQ(parent_->times.size(), 2u);
  EXPECT_NEAR(parent_->times[0], 1.5, 1e-3);
  EXPECT_NEAR(parent_->times[1], 2.0, 1e-3);
  ASSERT_EQ(child_->times.size(), 2u);
  EXPECT_NEAR(child_->times[0], 2.0, 1e-3);
  EXPECT_NEAR(child_->times[1], 3.0, 1e-3);
}

TEST_F(ShapedAcceptorTest, ASenderIsHeldBackUntilTheLinkHasCaughtUp) {
  acceptor_->Set({.mb_per_s = 1}, 0, 1);
  EXPECT_TRUE(parent_link_->Writable());
  parent_link_->Send(Chunk(1'000'000));
  EXPECT_FALSE(parent_link_->Writable());
  simulation_.RunFor(milliseconds(900));
  EXPECT_FALSE(parent_link_->Writable());
  EXPECT_EQ(parent_->writable, 0);
  simulation_.RunFor(milliseconds(200));
  EXPECT_TRUE(parent_link_->Writable());
  EXPECT_GE(parent_->writable, 1);
}

TEST_F(ShapedAcceptorTest, AModelCountsAsWhatItIsSaidToBe) {
  acceptor_->Set({.mb_per_s = 1}, 2'000'000, 1);
  const Manifest manifest = SampleManifest();
  const LinkStats before = parent_link_->stats();
  parent_link_->Send(OfferFrame{3, manifest, ModelHeader{}});
  parent_link_->Send(Chunk(manifest.total_bytes()));
  child_link_->Send(Chunk(manifest.total_bytes()));
  simulation_.RunFor(seconds(10));
  EXPECT_NEAR(child_->times.back(), 2.0, 0.01);
  EXPECT_NEAR(parent_->times.back(), 2.0, 0.01);
  const LinkStats after = parent_link_->stats();
  EXPECT_NEAR(static_cast<double>(after.bytes_sent - before.bytes_sent), 2e6, 2e3);
  EXPECT_NEAR(static_cast<double>(after.bytes_received - before.bytes_received), 2e6, 2e3);
}

TEST_F(ShapedAcceptorTest, WhatIsOnItsWayArrivesBeforeTheEnd) {
  acceptor_->Set({.latency_s = 1}, 0, 1);
  child_link_->Send(ByeFrame{"a"});
  child_link_->Close(absl::OkStatus());
  simulation_.RunFor(seconds(3));
  EXPECT_THAT(parent_->frames, ElementsAre("bye"));
  ASSERT_TRUE(parent_->closed.has_value());
  EXPECT_GE(*parent_->closed, 1);
}

TEST_F(ShapedAcceptorTest, WhatTheParentHasSentArrivesBeforeItCloses) {
  acceptor_->Set({.latency_s = 1}, 0, 1);
  parent_link_->Send(ByeFrame{"a"});
  parent_link_->Close(absl::OkStatus());
  simulation_.RunFor(seconds(3));
  EXPECT_THAT(child_->frames, ElementsAre("bye"));
  EXPECT_TRUE(child_->closed.has_value());
}

TEST_F(ShapedAcceptorTest, WhoClosesHearsNothingMore) {
  acceptor_->Set({.latency_s = 1}, 0, 1);
  child_link_->Send(ByeFrame{"a"});
  simulation_.RunFor(milliseconds(500));
  parent_link_->Close(absl::OkStatus());
  simulation_.RunFor(seconds(3));
  EXPECT_THAT(parent_->frames, ::testing::IsEmpty());
  EXPECT_TRUE(parent_->closed.has_value());
}

}  // namespace
}  // namespace skein
