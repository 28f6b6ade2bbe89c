#include "runtime/uplink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/runtime/uplink_fixture.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- the link ----

TEST_F(UplinkTest, DialsAndSaysHelloWithTheEpochOfTheAttachment) {
  Attach(7);
  ASSERT_EQ(parent_->arrivals.size(), 1u);
  const auto hello = parent_->last().Last<HelloFrame>();
  EXPECT_EQ(hello.protocol, kProtocolVersion);
  EXPECT_EQ(hello.run, "run");
  EXPECT_EQ(hello.node, "w0");
  EXPECT_EQ(hello.incarnation, 3u);
  EXPECT_EQ(hello.epoch, 7u);
  EXPECT_THAT(owner_->ups, IsEmpty());
  Welcome();
  EXPECT_THAT(owner_->ups, ElementsAre(7));
}

TEST_F(UplinkTest, SendsAndOffersNothingBeforeTheWelcome) {
  Attach();
  uplink_->Send(TaskFailedFrame{});
  uplink_->Offer(1, OutboundTensors(SampleTensors(10), ""), UpdateHeader{}, nullptr);
  Settle();
  EXPECT_EQ(parent_->last().frames.size(), 1u);  // its hello
  Welcome();
  uplink_->Send(TaskFailedFrame{});
  uplink_->Offer(2, OutboundTensors(SampleTensors(10), ""), UpdateHeader{}, nullptr);
  Settle();
  EXPECT_EQ(parent_->last().All<TaskFailedFrame>().size(), 1u);
  EXPECT_EQ(parent_->last().Last<OfferFrame>().transfer, 2u);
}

TEST_F(UplinkTest, AWelcomeHeardTwiceCountsOnce) {
  AttachAndWelcome();
  Welcome();
  EXPECT_THAT(owner_->ups, ElementsAre(7));
}

TEST_F(UplinkTest, AParentOfAnotherProtocolIsLeftForGood) {
  Attach();
  Send(WelcomeFrame{kProtocolVersion + 1, 1});
  EXPECT_THAT(owner_->ups, IsEmpty());
  ASSERT_TRUE(parent_->last().closed.has_value());
  EXPECT_EQ(parent_->last().closed->code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Message(owner_->foreign),
            "its parent 'p' speaks protocol 2 and 'w0' 1; use the same "
            "release on both");
  Run(minutes(5));
  EXPECT_EQ(parent_->arrivals.size(), 1u);
}

TEST_F(UplinkTest, PassesOnWhatTheParentSays) {
  AttachAndWelcome();
  Send(Task{.round = 4});
  Send(CancelFrame{4, 1, "late"});
  Send(CommittedFrame{3, {3, 0, 0}});
  ASSERT_EQ(owner_->tasks.size(), 1u);
  EXPECT_EQ(owner_->tasks[0].round, 4u);
  ASSERT_EQ(owner_->cancels.size(), 1u);
  EXPECT_EQ(owner_->cancels[0].reason, "late");
  ASSERT_EQ(owner_->committed.size(), 1u);
  EXPECT_EQ(owner_->committed[0].round, 3u);
}

// ---- redialing ----

TEST_F(UplinkTest, DialsAgainAfterGrowingBoundedPauses) {
  parent_->on_frame = [](Peer& peer, const Frame&) {
    peer.link->Close(absl::UnavailableError("not now"));
  };
  Attach();
  Run(minutes(5));
  ASSERT_GT(parent_->arrivals.size(), 30u);
  Duration base = milliseconds(50);
  for (size_t i = 1; i < parent_->arrivals.size(); ++i) {
    const Duration pause = parent_->arrivals[i].at - parent_->arrivals[i - 1].at;
    EXPECT_GE(pause, base) << i;
    EXPECT_LE(pause, 2 * base) << i;
    base = std::min<Duration>(2 * base, seconds(5));
  }
}

TEST_F(UplinkTest, DialsAgainWhereNothingListensYet) {
  Attach(7, "later");
  Run(seconds(3));
  EXPECT_THAT(parent_->arrivals, IsEmpty());
  const auto later = *transport_->Listen("later", simulation_.NewExecutor(), parent_);
  Run(seconds(10));
  ASSERT_EQ(parent_->arrivals.size(), 1u);
  Welcome();
  EXPECT_THAT(owner_->ups, ElementsAre(7));
}

TEST_F(UplinkTest, ChildrenOfOneParentDoNotDialAgainTogether) {
  parent_->on_frame = [](Peer& peer, const Frame&) {
    peer.link->Close(absl::UnavailableError("not now"));
  };
  const auto other = MakeUplink(12);
  Attach();
  other->Attach({"p", "parent", 8});
  Run(seconds(5));
  std::map<Time, int> at;
  for (const Arrival& arrival : parent_->arrivals) ++at[arrival.at];
  at.erase(at.begin());  // the first dials
  for (const auto& [when, count] : at) EXPECT_EQ(count, 1);
  other->Close();
}

TEST_F(UplinkTest, PausesStartAnewAfterAWelcome) {
  parent_->on_frame = [this](Peer& peer, const Frame&) {
    if (parent_->arrivals.size() < 8) peer.link->Close(absl::UnavailableError("not now"));
  };
  Attach();
  Run(minutes(1));
  ASSERT_EQ(parent_->arrivals.size(), 8u);
  Welcome();
  const Time broken = simulation_.Now();
  Break();
  Run(seconds(1));
  ASSERT_EQ(parent_->arrivals.size(), 9u);
  EXPECT_LE(parent_->arrivals[8].at - broken, milliseconds(100));
}

// A frame that cannot be read comes again with every link.
TEST_F(UplinkTest, PausesGrowWhereTheParentSaysWhatCannotBeRead) {
  parent_->on_frame = [](Peer& peer, const Frame& frame) {
    if (!std::holds_alternative<HelloFrame>(frame)) return;
    peer.link->Send(WelcomeFrame{});
    peer.link->Close(absl::InvalidArgumentError("bad offer frame"));
  };
  Attach();
  Run(minutes(1));
  EXPECT_LE(parent_->arrivals.size(), 30u);
  parent_->on_frame = nullptr;
  Run(seconds(10));
  Welcome();
  const size_t before = parent_->arrivals.size();
  Break();
  Run(seconds(10));
  Welcome();
  Break();
  Run(milliseconds(100));
  EXPECT_EQ(parent_->arrivals.size(), before + 2) << "as if nothing had been";
}

TEST_F(UplinkTest, ALinkThatBreaksAfterTheWelcomeIsWelcomedAgain) {
  AttachAndWelcome();
  BreakAndComeBack();
  EXPECT_EQ(parent_->arrivals.size(), 2u);
  EXPECT_EQ(parent_->last().Last<HelloFrame>().epoch, 7u);
  EXPECT_THAT(owner_->ups, ElementsAre(7, 7));
}

TEST_F(UplinkTest, AVoidAttachmentIsNotDialedAgainUntilTheNext) {
  for (const absl::Status& why : {absl::FailedPreconditionError("the attachment is void"),
                                  absl::NotFoundError("no child of mine")}) {
    parent_->arrivals.clear();
    Attach(7);
    parent_->last().link->Close(why);
    Run(minutes(10));
    EXPECT_EQ(parent_->arrivals.size(), 1u) << why;
    uplink_->Send(TaskFailedFrame{});
    uplink_->Offer(1, OutboundTensors(SampleTensors(10), ""), UpdateHeader{}, nullptr);
    uplink_->Withdraw(1);
    Attach(8);
    ASSERT_EQ(parent_->arrivals.size(), 2u) << why;
    EXPECT_EQ(parent_->last().Last<HelloFrame>().epoch, 8u);
  }
}

TEST_F(UplinkTest, AttachesToAnotherParent) {
  AttachAndWelcome();
  const auto other = std::make_shared<Parent>(simulation_);
  const auto listener = *transport_->Listen("other", simulation_.NewExecutor(), other);
  Attach(8, "other");
  EXPECT_TRUE(parent_->last().closed.has_value());
  ASSERT_EQ(other->arrivals.size(), 1u);
  EXPECT_EQ(other->last().Last<HelloFrame>().epoch, 8u);
  other->last().link->Send(WelcomeFrame{kProtocolVersion, 1});
  Run(minutes(1));
  EXPECT_THAT(owner_->ups, ElementsAre(7, 8));
  EXPECT_EQ(parent_->arrivals.size(), 1u);  // the old one is not dialed again
  EXPECT_EQ(other->arrivals.size(), 1u);
}

TEST_F(UplinkTest, AttachingWhileItWaitsToRedialLeavesOneLink) {
  AttachAndWelcome();
  Break();
  Attach(8);
  Run(minutes(1));
  ASSERT_EQ(parent_->arrivals.size(), 2u);
  EXPECT_FALSE(parent_->last().closed.has_value());
}

TEST_F(UplinkTest, WhatAnOldLinkStillSaysIsIgnored) {
  AttachAndWelcome();
  const auto old = parent_->arrivals[0].peer;
  old->link->Send(Task{.round = 1});  // on its way when the child turns elsewhere
  uplink_->Attach({"p", "parent", 8});
  Settle();
  EXPECT_THAT(owner_->tasks, IsEmpty());
}

// ---- offers ----

TEST_F(UplinkTest, SendsAnUpdateAndHearsTheAnswer) {
  AttachAndWelcome();
  const PackedTensors update = SampleTensors(5000);
  std::vector<absl::Status> answers;
  uplink_->Offer(1, OutboundTensors(update, ""), UpdateHeader{},
                 [&](const absl::Status& s) { answers.push_back(s); });
  Send(GrantFrame{1, 0});
  const auto chunk = parent_->last().Last<ChunkFrame>();
  EXPECT_TRUE(std::equal(chunk.bytes.begin(), chunk.bytes.end(), update.bytes().begin(),
                         update.bytes().end()));
  EXPECT_EQ(parent_->last().Last<TrailerFrame>().transfer, 1u);
  Send(AckFrame{1, 0, ""});
  EXPECT_THAT(answers, ElementsAre(absl::OkStatus()));
}

TEST_F(UplinkTest, AnOfferDoesNotSurviveItsLink) {
  AttachAndWelcome();
  int answers = 0;
  uplink_->Offer(1, OutboundTensors(SampleTensors(5000), ""), UpdateHeader{},
                 [&](const absl::Status&) { ++answers; });
  Settle();
  BreakAndComeBack();
  Send(GrantFrame{1, 0});
  Send(AckFrame{1, 0, ""});
  EXPECT_EQ(answers, 0);
  EXPECT_THAT(parent_->last().All<ChunkFrame>(), IsEmpty());
}

TEST_F(UplinkTest, AWithdrawnOfferIsNotAnswered) {
  AttachAndWelcome();
  int answers = 0;
  uplink_->Offer(1, OutboundTensors(SampleTensors(5000), ""), UpdateHeader{},
                 [&](const absl::Status&) { ++answers; });
  uplink_->Withdraw(1);
  Send(GrantFrame{1, 0});
  Send(AckFrame{1, 0, ""});
  EXPECT_EQ(answers, 0);
  EXPECT_THAT(parent_->last().All<ChunkFrame>(), IsEmpty());
}

// ---- the end ----

// Ways into every phase of an uplink.
struct Phase {
  std::string name;
  std::function<void()> enter;
};

TEST_F(UplinkTest, AfterCloseNothingCallsBack) {
  const PackedTensors model = SampleTensors(3000);
  const std::vector<Phase> phases = {
      {"never attached", [] {}},
      {"dialing",
       [&] {
         uplink_->Attach({"p", "parent", 7});
       }},
      {"said hello", [&] { Attach(); }},
      {"welcomed", [&] { AttachAndWelcome(); }},
      {"a model half here",
       [&] {
         AttachAndWelcome();
         OfferModel(1, model);
         Send(ChunkOf(1, model, 0, 1000));
       }},
      {"an update half there",
       [&] {
         AttachAndWelcome();
         uplink_->Offer(1, OutboundTensors(SampleTensors(20 << 20), ""), UpdateHeader{},
                        [](const absl::Status&) { FAIL() << "answered"; });
         parent_->last().link->Send(GrantFrame{1, 0});
       }},
      {"waiting to dial again",
       [&] {
         AttachAndWelcome();
         Break();
       }},
      {"nothing listens", [&] { Attach(7, "nowhere"); }},
  };
  for (const Phase& phase : phases) {
    SCOPED_TRACE(phase.name);
    parent_->arrivals.clear();
    uplink_->Close();
    uplink_ = MakeUplink(5);
    phase.enter();
    const size_t calls = owner_->calls();
    uplink_->Close();
    const auto dead = std::exchange(owner_, std::make_unique<UplinkOwner>());
    if (!parent_->arrivals.empty()) {  // on its way down
      parent_->last().link->Send(WelcomeFrame{kProtocolVersion, 1});
      parent_->last().link->Send(Task{});
      parent_->last().link->Send(AckFrame{1, 0, ""});
    }
    uplink_->Attach({"p", "parent", 9});
    uplink_->Send(TaskFailedFrame{});
    uplink_->Offer(2, OutboundTensors(SampleTensors(10), ""), UpdateHeader{}, nullptr);
    uplink_->Withdraw(2);
    const size_t links = parent_->arrivals.size();
    Run(minutes(1));
    EXPECT_EQ(dead->calls(), calls);
    EXPECT_LE(parent_->arrivals.size(), std::max<size_t>(links, 1));
    for (const Arrival& arrival : parent_->arrivals) {
      EXPECT_TRUE(arrival.peer->closed.has_value());
    }
  }
}

TEST_F(UplinkTest, TheOwnerMayCloseWhileItIsCalled) {
  const PackedTensors model = SampleTensors(10);
  const std::vector<Phase> phases = {
      {"welcome", [&] { Welcome(); }},
      {"task",
       [&] {
         Welcome();
         Send(Task{});
       }},
      {"model",
       [&] {
         Welcome();
         OfferModel(1, model);
         SendRest(1, model, 0);
       }},
      {"answer",
       [&] {
         Welcome();
         uplink_->Offer(1, OutboundTensors(model, ""), UpdateHeader{},
                        [&](const absl::Status&) { uplink_->Close(); });
         Send(AckFrame{1, 0, ""});
       }},
  };
  for (size_t i = 0; i < phases.size(); ++i) {
    SCOPED_TRACE(phases[i].name);
    uplink_->Close();
    uplink_ = MakeUplink(5);
    const size_t last = owner_->calls() + (i == 0 ? 1 : 2);
    owner_->on_call = [&, last] {
      if (owner_->calls() == last) uplink_->Close();
    };
    Attach();
    phases[i].enter();
    Run(minutes(1));
    EXPECT_TRUE(parent_->last().closed.has_value());
  }
}

TEST_F(UplinkTest, MayGoAwayWithoutAClose) {
  AttachAndWelcome();
  Break();
  uplink_.reset();
  Run(minutes(1));
  EXPECT_EQ(parent_->arrivals.size(), 1u);
  uplink_ = MakeUplink(5);
}

}  // namespace
}  // namespace skein
