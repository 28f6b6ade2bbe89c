// Whole federations that a rule ends, or that are steered, in virtual time.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sim_federation.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

RunConfig Stream(PartSpec policy) {
  RunConfig config = SimFederation::Config(1000);
  config.evaluate = {.coordinator = true, .workers = false, .every = 4};
  config.strategy.policy = std::move(policy);
  return config;
}

// Every worker takes a second for a task, those in `slow` ten.
std::function<testing::Simulation::TaskModel(const NodeId&)> Speeds(std::set<NodeId> slow) {
  return [slow](const NodeId& id) {
    testing::Simulation::TaskModel model;
    model.duration = [work = slow.contains(id) ? seconds(10) : seconds(1)](uint64_t n) -> Duration {
      return n == 0 ? Duration(0) : work;
    };
    return model;
  };
}

uint64_t Count(const Event& event, const std::string& field) {
  const auto it = event.fields.find(field);
  return it == event.fields.end() ? 0 : static_cast<uint64_t>(*it->second.AsInt());
}

// ---- rules ----

struct RuleRow {
  const char* what;
  StopRules rules;
};

std::vector<RuleRow> Rules() {
  std::vector<RuleRow> rows(6);
  rows[0].what = "stop.metric: bias";
  rows[0].rules.targets = {{"bias", true, -1e9, false}};
  rows[1].what = "stop.metric: loss";
  rows[1].rules.targets = {{"loss", false, 0.3, /*training=*/true}};
  rows[2].what = "stop.plateau: loss";
  rows[2].rules.plateaus = {{"loss", 2, 0.5, true, /*training=*/true}};
  rows[3].what = "stop.plateau: bias";
  rows[3].rules.plateaus = {{"bias", 3, 1e9, true, false}};
  rows[4].what = "stop.time_s";
  rows[4].rules.time_s = 3.5;
  rows[5].what = "stop.bytes_mb";
  rows[5].rules.bytes_mb = 0.02;
  return rows;
}

// It has completed with the rule's reason, and the last version is stored, known by its digest, and
// evaluated wherever versions are.
void ExpectEnded(const SimFederation& federation, const std::string& reason,
                 const std::set<std::string>& places) {
  const RunOutcome& outcome = federation.outcome();
  EXPECT_EQ(outcome.status, "completed") << outcome.reason;
  EXPECT_THAT(outcome.reason, HasSubstr(reason));
  const auto ended = federation.EventsOf(event::kRunEnded);
  ASSERT_THAT(ended, SizeIs(1));
  EXPECT_EQ(*ended[0].fields.at("reason").AsString(), outcome.reason);
  const std::string digest = *ended[0].fields.at("digest").AsString();
  EXPECT_THAT(digest, SizeIs(64));
  EXPECT_EQ(Count(ended[0], "version"), outcome.rounds);
  if (outcome.rounds > 0) {
    EXPECT_EQ(federation.Digest(), digest);
  }
  std::set<std::string> evaluated;
  for (const Event& event : federation.EventsOf(event::kEvaluated)) {
    if (event.round == outcome.rounds) evaluated.insert(*event.fields.at("where").AsString());
  }
  EXPECT_EQ(evaluated, places);
}

TEST(SimStopping, EveryRuleEndsRoundsWithABarrier) {
  for (const RuleRow& row : Rules()) {
    SCOPED_TRACE(row.what);
    SimFederation federation({.topology = Tree("tree:2x4"),
                              .config = SimFederation::Config(1000),
                              .work = Speeds({}),
                              .stop = row.rules});
    ASSERT_TRUE(federation.Run());
    EXPECT_GE(federation.outcome().rounds, 1u);
    EXPECT_LE(federation.outcome().rounds, 20u);
    ExpectEnded(federation, row.what, {"coordinator", "workers"});
    federation.ExpectReproducible();
  }
}

TEST(SimStopping, EveryRuleEndsAStream) {
  for (const char* shape : {"flat:8", "tree:2x4"}) {
    for (const RuleRow& row : Rules()) {
      SCOPED_TRACE(std::string(shape) + ": " + row.what);
      SimFederation federation({.topology = Tree(shape),
                                .config = Stream({"buffered", {{"size", 2}}}),
                                .work = Speeds({"w3"}),
                                .stop = row.rules});
      ASSERT_TRUE(federation.Run());
      EXPECT_GE(federation.outcome().rounds, 1u);
      EXPECT_LE(federation.outcome().rounds, 100u);
      ExpectEnded(federation, row.what, {"coordinator"});
    }
  }
}

TEST(SimStopping, NothingIsEvaluatedWhereNothingIsToBe) {
  for (const bool barrier : {true, false}) {
    RunConfig config = Stream(barrier ? PartSpec{"all", {}} : PartSpec{"buffered", {{"size", 2}}});
    config.evaluate.coordinator = false;
    StopRules rules;
    rules.time_s = 3.5;
    SimFederation federation(
        {.topology = Tree("flat:4"), .config = config, .work = Speeds({}), .stop = rules});
    ASSERT_TRUE(federation.Run());
    ExpectEnded(federation, "stop.time_s", {});
  }
}

TEST(SimStopping, TheModelIsTheOneOfTheLastCommittedRound) {
  const RunConfig config = SimFederation::Config(5);
  SimFederation whole({.topology = Tree("tree:2x4"), .config = config, .work = Speeds({})});
  ASSERT_TRUE(whole.Run());
  StopRules rules;
  rules.time_s = 3.5;  // in the third round: the second was evaluated, by workers
  SimFederation stopped(
      {.topology = Tree("tree:2x4"), .config = config, .work = Speeds({}), .stop = rules});
  ASSERT_TRUE(stopped.Run());
  ASSERT_EQ(stopped.outcome().rounds, 2u);
  EXPECT_EQ(stopped.Digest(), whole.CommittedRounds().at(1).digest);
  EXPECT_LT(ToSeconds(stopped.simulation().Now()), 4) << "nobody waits for the open round";
}

TEST(SimStopping, TimeThatEndsTheFirstRoundLeavesTheInitialModel) {
  StopRules rules;
  rules.time_s = 0.5;
  for (const PartSpec& policy : {PartSpec{"all", {}}, PartSpec{"buffered", {{"size", 2}}}}) {
    SimFederation federation(
        {.topology = Tree("flat:4"), .config = Stream(policy), .work = Speeds({}), .stop = rules});
    ASSERT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().rounds, 0u);
    ExpectEnded(federation, "stop.time_s", {"coordinator"});
    EXPECT_EQ(*federation.EventsOf(event::kRunEnded)[0].fields.at("digest").AsString(),
              ModelDigest(FormulaModel()));
  }
}

TEST(SimStopping, ATimeBudgetEndsARunInWhichNobodyIsLeft) {
  StopRules rules;
  rules.time_s = 60;
  RunConfig config = Stream({"interval", {{"period_s", 1000.0}}});
  SimFederation federation(
      {.topology = Tree("flat:2"), .config = config, .work = Speeds({}), .stop = rules});
  ASSERT_TRUE(federation.Run());
  ExpectEnded(federation, "stop.time_s", {"coordinator"});
}

TEST(SimStopping, AStreamThatNobodyIsLeftForFails) {
  SimFederation federation({.topology = Tree("flat:2"),
                            .config = Stream({"buffered", {{"size", 1}}}),
                            .work = Speeds({})});
  federation.simulation().At(seconds(5), [&] {
    federation.Kill("w0");
    federation.Kill("w1");
  });
  ASSERT_TRUE(federation.Run()) << "it hangs";
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_GE(federation.outcome().rounds, 3u);
}

// ---- steering ----

// Decides what the test says, for rounds when they are committed.
class Plan : public Steering {
 public:
  explicit Plan(std::map<uint64_t, SteeringDecision> decisions)
      : decisions_(std::move(decisions)) {}
  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
    if (record.moment != SteeringRecord::Moment::kCommitted) return SteeringDecision();
    const auto it = decisions_.find(record.round);
    return it == decisions_.end() ? SteeringDecision() : it->second;
  }

 private:
  std::map<uint64_t, SteeringDecision> decisions_;
};

SteeringDecision Rate(double lr) {
  SteeringDecision decision;
  decision.optimizer = PartSpec{"", {{"lr", lr}}};
  return decision;
}
SteeringDecision Policy(int tier, PartSpec policy) {
  SteeringDecision decision;
  decision.policies[tier] = std::move(policy);
  return decision;
}

// All but the times and the traffic, which are not the model's.
std::vector<std::string> Digests(const SimFederation& federation) {
  std::vector<std::string> digests;
  for (const RoundRecord& round : federation.CommittedRounds()) {
    digests.push_back(round.contributors.ToString() + " " + round.digest);
  }
  return digests;
}

// Runs twice: steered, then by a replay of the first one's events.
void ExpectReplay(const RunConfig& config, const std::string& shape, std::set<NodeId> slow,
                  std::map<uint64_t, SteeringDecision> plan) {
  SimFederation plain({.topology = Tree(shape), .config = config, .work = Speeds(slow)});
  ASSERT_TRUE(plain.Run());
  SimFederation steered({.topology = Tree(shape),
                         .config = config,
                         .work = Speeds(slow),
                         .steering = std::make_shared<Plan>(std::move(plan))});
  ASSERT_TRUE(steered.Run());
  EXPECT_THAT(steered.EventsOf(event::kSteeringRefused), IsEmpty());
  auto replay = MakeReplaySteering(steered.events());
  ASSERT_TRUE(replay.ok()) << replay.status();
  SimFederation replayed({.topology = Tree(shape),
                          .config = config,
                          .work = Speeds(slow),
                          .steering = *std::move(replay)});
  ASSERT_TRUE(replayed.Run());
  EXPECT_EQ(steered.outcome().status, "completed") << steered.outcome().reason;
  EXPECT_NE(steered.Digest(), plain.Digest()) << "it was steered to no effect";
  EXPECT_THAT(steered.Digest(), SizeIs(64));
  EXPECT_EQ(replayed.Digest(), steered.Digest());
  EXPECT_EQ(Digests(replayed), Digests(steered));
  EXPECT_EQ(replayed.outcome().reason, steered.outcome().reason);
  std::vector<std::string> texts[2];
  for (const SimFederation* run : {&steered, &replayed}) {
    for (const Event& event : run->EventsOf(event::kSteered)) {
      Event here = event;
      here.fields.erase("from");  // what was asked for, and what it came to
      texts[run == &replayed].push_back(ToJsonLine(here));
    }
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST(SimSteering, ASteeredRunIsReplayed) {
  SteeringDecision selector;
  selector.selector = PartSpec{"count", {{"count", 5}}};
  SteeringDecision stop;
  stop.stop = "that is enough";
  ExpectReplay(
      SimFederation::Config(20), "tree:2x4", {"w5"},
      {{2, Rate(0.5)}, {3, Policy(1, {"quorum", {{"fraction", 0.5}}})}, {5, selector}, {9, stop}});
}

TEST(SimSteering, ASteeredStreamIsReplayed) {
  SteeringDecision late = Rate(0.25);
  late.from_version = 25;
  SteeringDecision stop;
  stop.stop = "that is enough";
  RunConfig config = Stream({"buffered", {{"size", 4}}});
  config.rounds = 60;
  ExpectReplay(
      config, "flat:8", {"w3"},
      {{5, Rate(0.5)}, {10, Policy(0, {"buffered", {{"size", 2}}})}, {15, late}, {40, stop}});
}

TEST(SimSteering, ARateHoldsFromTheNextRoundOn) {
  const RunConfig config = SimFederation::Config(4);
  const auto rounds = [&](std::map<uint64_t, SteeringDecision> plan, double lr) {
    RunConfig with = config;
    with.strategy.optimizer = {"sgd", {{"lr", lr}}};
    SimFederation federation({.topology = Tree("flat:4"),
                              .config = with,
                              .steering = std::make_shared<Plan>(std::move(plan))});
    EXPECT_TRUE(federation.Run());
    return federation.CommittedRounds();
  };
  const auto whole = rounds({}, 1);
  const auto steered = rounds({{2, Rate(0.5)}}, 1);
  ASSERT_THAT(steered, SizeIs(4));
  EXPECT_EQ(steered[1].digest, whole[1].digest);
  EXPECT_NE(steered[2].digest, whole[2].digest);
  // The other way round: what began with one half and was set to one.
  const auto half = rounds({{1, Rate(1)}}, 0.5);
  EXPECT_NE(half[0].digest, whole[0].digest);
  EXPECT_EQ(rounds({{1, Rate(0.5)}, {2, Rate(1)}}, 1)[0].digest, whole[0].digest);
}

TEST(SimSteering, APolicyReachesTheNodesOfItsTier) {
  SimFederation federation({.topology = Tree("tree:2x4"),
                            .config = SimFederation::Config(6),
                            .work = Speeds({"w5"}),
                            .steering = std::make_shared<Plan>(std::map<uint64_t, SteeringDecision>{
                                {3, Policy(1, {"quorum", {{"count", 3}}})}})});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  std::vector<uint64_t> contributors;
  for (const Event& event : federation.EventsOf(event::kRoundCommitted)) {
    contributors.push_back(Count(event, "contributors"));
    EXPECT_EQ(Count(event, "change"), event.round > 3 ? 1u : 0u);
  }
  EXPECT_THAT(contributors, ::testing::ElementsAre(8, 8, 8, 6, 6, 6));
}

TEST(SimSteering, APolicyOfAStreamHoldsFromAVersionThatTheRecordNames) {
  RunConfig config = Stream({"buffered", {{"size", 4}}});
  config.rounds = 30;
  SimFederation federation({.topology = Tree("flat:8"),
                            .config = config,
                            .work = Speeds({"w3"}),
                            .steering = std::make_shared<Plan>(std::map<uint64_t, SteeringDecision>{
                                {10, Policy(0, {"buffered", {{"size", 2}}})}})});
  ASSERT_TRUE(federation.Run());
  std::vector<uint64_t> before;
  std::vector<uint64_t> after;
  for (const Event& event : federation.EventsOf(event::kVersionCommitted)) {
    (Count(event, "change") == 0 ? before : after).push_back(Count(event, "updates"));
  }
  EXPECT_GE(before.size(), 10u);
  EXPECT_GE(after.size(), 10u);
  EXPECT_THAT(before, Each(::testing::Ge(4u)));
  EXPECT_THAT(after, Each(::testing::Ge(2u)));
  EXPECT_LT(after.back(), 4u);
}

TEST(SimSteering, TheImpossibleIsRecordedAndTheRunIsAsItWouldBe) {
  for (const PartSpec& policy : {PartSpec{"all", {}}, PartSpec{"buffered", {{"size", 2}}}}) {
    RunConfig config = Stream(policy);
    config.rounds = 8;
    SteeringDecision selector;
    selector.selector = PartSpec{"nonsense", {}};
    SimFederation plain({.topology = Tree("flat:4"), .config = config, .work = Speeds({"w1"})});
    ASSERT_TRUE(plain.Run());
    SimFederation federation(
        {.topology = Tree("flat:4"),
         .config = config,
         .work = Speeds({"w1"}),
         .steering = std::make_shared<Plan>(
             std::map<uint64_t, SteeringDecision>{{1, selector},
                                                  {2, Policy(0, {"quorum", {{"count", 9}}})},
                                                  {3, Rate(-1)},
                                                  {4, Policy(0, {"buffered", {{"size", 5}}})}})});
    ASSERT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed");
    EXPECT_THAT(federation.EventsOf(event::kSteeringRefused), SizeIs(4));
    EXPECT_THAT(federation.EventsOf(event::kSteered), IsEmpty());
    EXPECT_EQ(federation.Digest(), plain.Digest());
  }
}

// Its steps get smaller with their number; the parameter `tag` has no effect.
class Tiring : public ServerOptimizer {
 public:
  void BeginStep(const Manifest&) override { ++steps_; }
  void Step(size_t, uint64_t, std::span<const double> x, std::span<const double> mean_delta,
            std::span<double> next) override {
    for (size_t i = 0; i < x.size(); ++i) {
      next[i] = x[i] + mean_delta[i] / static_cast<double>(steps_);
    }
  }
  void Continue(const ServerOptimizer& previous) override {
    steps_ = static_cast<const Tiring&>(previous).steps_;
  }

 private:
  uint64_t steps_ = 0;
};

TEST(SimSteering, AnOptimizerKeepsWhatItHasGathered) {
  const auto digest = [](std::map<uint64_t, SteeringDecision> plan) {
    RunConfig config = SimFederation::Config(5);
    config.strategy.optimizer = {"tiring", {}};
    SimFederation federation(
        {.topology = Tree("flat:4"),
         .config = config,
         .steering = std::make_shared<Plan>(std::move(plan)),
         .parts = [](StrategyRegistries& parts) {
           const ParamSpec tag{.name = "tag", .default_value = 0.0, .min = 0, .max = 9};
           const ParamSpec lr{.name = "lr", .default_value = 1.0, .min = 0, .max = 9};
           EXPECT_TRUE(parts.optimizers
                           .Register({"tiring", "", "", ParamSchema({tag, lr})},
                                     [](const Params&) { return std::make_shared<Tiring>(); })
                           .ok());
         }});
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    return federation.Digest();
  };
  SteeringDecision tag;
  tag.optimizer = PartSpec{"", {{"tag", 1}}};
  SteeringDecision another;
  another.optimizer = PartSpec{"sgd", {}};
  EXPECT_EQ(digest({{2, tag}}), digest({}));
  EXPECT_NE(digest({{2, another}}), digest({}));
}

}  // namespace
}  // namespace skein
