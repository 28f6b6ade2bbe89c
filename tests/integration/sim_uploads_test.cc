// Whole federations in virtual time whose children all want to upload at once, with credit for few.
#include <algorithm>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sim_federation.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr size_t kChildren = 24;
constexpr uint64_t kOneAtATime = 1;  // bytes of credit: an upload is always admitted, but alone

bool IsChunk(const testing::FrameContext& context) {
  return context.up && std::holds_alternative<ChunkFrame>(*context.frame);
}

// Training takes no time, and a model or an update a tenth of a second on each child's own link.
SimFederation::Options Crowd(uint64_t rounds, PartSpec policy) {
  SimFederation::Options options{.topology = Tree("flat:" + std::to_string(kChildren)),
                                 .config = SimFederation::Config(rounds)};
  options.config.evaluate = {.coordinator = false, .workers = false};
  options.config.strategy.policy = std::move(policy);
  options.config.limits.staging_bytes = kOneAtATime;
  options.config.conditions = {.links = {{.tier = 0, .mb_per_s = 10}}, .model_mb = 1};
  return options;
}

std::map<NodeId, size_t> AcceptedOf(const SimFederation& federation) {
  std::map<NodeId, size_t> accepted;
  for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) ++accepted[event.node];
  return accepted;
}

TEST(SimUploads, WithoutABarrierEveryChildHasItsTurn) {
  constexpr uint64_t kTurns = 10;
  SimFederation federation(Crowd(kTurns * kChildren, {"every_update", {}}));
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const auto accepted = AcceptedOf(federation);
  EXPECT_THAT(accepted, SizeIs(kChildren));
  for (const auto& [node, count] : accepted) {
    EXPECT_GE(count, kTurns - 1) << node;
    EXPECT_LE(count, kTurns + 1) << node;
  }
}

// Some ten uploads fit into a round, and the children are always asked in the same order.
TEST(SimUploads, ChildrenThatWereTooLateComeFirstInTheNextRound) {
  constexpr uint64_t kRounds = 24;
  SimFederation federation(Crowd(kRounds, {"quorum", {{"count", 3}, {"deadline_s", 1.05}}}));
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const size_t total = federation.EventsOf(event::kUpdateAccepted).size();
  ASSERT_GE(total, 8 * kRounds);
  ASSERT_LE(total, 12 * kRounds) << "or nobody has to wait";
  const auto accepted = AcceptedOf(federation);
  EXPECT_THAT(accepted, SizeIs(kChildren));
  for (const auto& [node, count] : accepted) EXPECT_GE(count, total / kChildren / 2) << node;
}

// ---- a child that stalls in the middle of its upload ----

// The first child's first upload: what it sends of it does not arrive.
SimFederation::Options Stalling(uint64_t rounds, PartSpec policy) {
  SimFederation::Options options = Crowd(rounds, std::move(policy));
  options.config.conditions = {};
  options.config.limits.upload_stall_timeout = seconds(20);
  auto lost = std::make_shared<std::pair<bool, bool>>();
  options.faults = [lost](const testing::FrameContext& context) -> testing::Fault {
    const bool trailer = context.up && std::holds_alternative<TrailerFrame>(*context.frame);
    if (context.node != "w0" || !(IsChunk(context) || trailer)) return {};
    if (std::exchange(trailer ? lost->second : lost->first, true)) return {};
    return {testing::Fault::Kind::kDrop};
  };
  return options;
}

// When the other children's first updates had all been accepted, and when w0 was left out.
struct Times {
  double others_s = 0;
  double left_out_s = 0;
  std::string reason;
};
Times TimesOf(const SimFederation& federation) {
  Times times;
  std::map<NodeId, double> first;
  for (const Event& event : federation.events()) {
    if (event.type == event::kUpdateAccepted) first.try_emplace(event.node, event.time_s);
    if (event.type == event::kWorkerLeftOut && event.node == "w0" && times.left_out_s == 0) {
      times.left_out_s = event.time_s;
      times.reason = *event.fields.at("reason").AsString();
    }
  }
  for (const auto& [node, time_s] : first) {
    if (node != "w0") times.others_s = std::max(times.others_s, time_s);
  }
  EXPECT_THAT(first, SizeIs(kChildren)) << "w0 contributes later";
  return times;
}

const PartSpec kQuorum = {"quorum", {{"fraction", 0.9}, {"deadline_s", 60.0}}};

TEST(SimUploads, AChildThatStallsHoldsNobodyBackWhereThereIsCreditLeft) {
  for (const auto& [policy, rounds] :
       {std::pair<PartSpec, uint64_t>{kQuorum, 2}, {{"every_update", {}}, 3000}}) {
    SCOPED_TRACE(policy.name);
    SimFederation::Options options = Stalling(rounds, policy);
    options.config.limits.staging_bytes = 1 << 10;  // two updates
    // Without a barrier the versions must last until w0 is back.
    options.work = [](const NodeId&) {
      return testing::Simulation::TaskModel{
          .duration = [](uint64_t n) { return n < 2 ? milliseconds(0) : milliseconds(500); }};
    };
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    const Times times = TimesOf(federation);
    EXPECT_LE(times.others_s, 2);
    EXPECT_NEAR(times.left_out_s, 20, 2);
    EXPECT_THAT(times.reason, HasSubstr("its upload made no progress for 20 s"));
  }
}

TEST(SimUploads, AChildThatStallsGivesTheOnlyCreditBackWhenItsTimeIsUp) {
  SimFederation federation(Stalling(2, kQuorum));
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const Times times = TimesOf(federation);
  EXPECT_NEAR(times.left_out_s, 20, 2);
  EXPECT_GE(times.others_s, 20) << "it was the first, and there is credit for one";
  EXPECT_LE(times.others_s, 22);
  const auto rounds = federation.CommittedRounds();
  EXPECT_EQ(rounds.at(0).contributors.ToString(), "1-23");
  EXPECT_EQ(rounds.at(1).contributors.ToString(), "0-23");
  federation.ExpectReproducible();
}

}  // namespace
}  // namespace skein
