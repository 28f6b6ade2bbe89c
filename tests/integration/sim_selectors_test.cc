// Selectors in whole federations: whom they take, and that what they know of workers gets to them
// through the tree.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sim_federation.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::Each;
using ::testing::HasSubstr;

// The formula's, but the loss is the test's; none: the learner does not tell.
class LossTrainer : public FormulaTrainer {
 public:
  LossTrainer(const NodeView& view, std::optional<double> loss)
      : FormulaTrainer(1, view.leaf_begin), loss_(loss) {}
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override {
    auto output = FormulaTrainer::Train(base, request);
    if (output.ok()) {
      output->metrics.clear();
      if (loss_) output->metrics["loss"] = *loss_;
    }
    return output;
  }

 private:
  const std::optional<double> loss_;
};

// Losses by leaf: w5 and w2 are the highest of eight, then w7.
double LossOf(LeafIndex leaf) {
  return leaf == 5 ? 9 : leaf == 2 ? 8 : leaf == 7 ? 7 : 1 + 0.01 * leaf;
}

SimFederation::Options Selecting(PartSpec selector, Topology topology, uint64_t rounds) {
  SimFederation::Options options{.topology = std::move(topology),
                                 .config = SimFederation::Config(rounds)};
  options.config.strategy.selector = std::move(selector);
  options.config.evaluate = {.coordinator = false, .workers = false};
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    return std::make_unique<LossTrainer>(view, LossOf(view.leaf_begin));
  };
  return options;
}

std::vector<Roster> RostersOf(SimFederation::Options options) {
  const size_t rounds = options.config.rounds;
  SimFederation federation(std::move(options));
  EXPECT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  federation.ExpectReproducible();
  std::vector<Roster> rosters;
  for (const RoundRecord& round : federation.CommittedRounds()) {
    EXPECT_EQ(round.contributors, round.participants);
    rosters.push_back(round.participants);
  }
  EXPECT_EQ(rosters.size(), rounds);
  return rosters;
}

std::vector<Roster> RostersOf(PartSpec selector, const std::string& shape, uint64_t rounds) {
  return RostersOf(Selecting(std::move(selector), Tree(shape), rounds));
}

TEST(SimSelectors, RoundRobinTakesTurns) {
  const std::vector<Roster> expected = {Roster::Of({0, 1, 2}), Roster::Of({3, 4, 5}),
                                        Roster::Of({0, 6, 7}), Roster::Of({1, 2, 3})};
  EXPECT_EQ(RostersOf({"round-robin", {{"count", 3}}}, "tree:2x4", 4), expected);
}

TEST(SimSelectors, WhereTakesOnlyThose) {
  const Topology sites = ParseTopologyYaml(R"(nodes:
  - {id: hq, role: coordinator}
  - {id: berlin, role: aggregator, parent: hq, attributes: {region: eu}}
  - {id: boston, role: aggregator, parent: hq, attributes: {region: us}}
  - {id: w0, role: worker, parent: berlin, attributes: {device: [gpu]}}
  - {id: w1, role: worker, parent: berlin}
  - {id: w2, role: worker, parent: berlin, attributes: {device: [cpu, gpu]}}
  - {id: w3, role: worker, parent: boston, attributes: {device: [gpu]}}
)",
                                           "sites")
                             .value();
  EXPECT_THAT(RostersOf(Selecting(
                  {"where", {{"expression", "region == \"eu\" and device has gpu"}}}, sites, 3)),
              Each(Roster::Of({0, 2})));
}

TEST(SimSelectors, StratifiedHasEveryBranchInEveryRound) {
  for (const Roster& roster : RostersOf({"stratified", {{"count", 5}}}, "tree:4x3", 8)) {
    EXPECT_EQ(roster.Count(), 5u);
    for (LeafIndex site = 0; site < 4; ++site) {
      EXPECT_TRUE(roster.Intersects(Roster::Range(3 * site, 3 * site + 3))) << roster.ToString();
    }
  }
}

// Everyone is a candidate: two at a time until all have told, then those with the highest losses.
TEST(SimSelectors, PowerOfChoicePrefersHighLosses) {
  const PartSpec selector = {"power-of-choice", {{"candidates", 8}, {"count", 2}}};
  const std::vector<Roster> expected = {Roster::Of({0, 1}), Roster::Of({2, 3}), Roster::Of({4, 5}),
                                        Roster::Of({6, 7}), Roster::Of({2, 5}), Roster::Of({2, 5}),
                                        Roster::Of({2, 5})};
  for (const char* shape : {"flat:8", "tree:2x4", "tree:2x2x2"}) {
    EXPECT_EQ(RostersOf(selector, shape, 7), expected) << shape;
  }
}

TEST(SimSelectors, LossesPassThroughLocalRounds) {
  SimFederation::Options options =
      Selecting({"power-of-choice", {{"candidates", 8}, {"count", 4}}}, Tree("tree:2x4"), 4);
  options.config.strategy.tiers.push_back({.tier = 1, .kappa = 2});
  SimFederation federation(std::move(options));
  ASSERT_TRUE(federation.Run());
  const auto rounds = federation.CommittedRounds();
  ASSERT_EQ(rounds.size(), 4u) << federation.outcome().reason;
  EXPECT_EQ(rounds[2].participants, Roster::Of({2, 5, 6, 7}));
  EXPECT_EQ(rounds[3].participants, Roster::Of({2, 5, 6, 7}));
}

TEST(SimSelectors, SayWhenLearnersTellNoLoss) {
  SimFederation::Options options =
      Selecting({"power-of-choice", {{"candidates", 4}, {"count", 2}}}, Tree("tree:2x2"), 4);
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    return std::make_unique<LossTrainer>(view,
                                         view.leaf_begin == 0 ? NAN : std::optional<double>());
  };
  SimFederation federation(std::move(options));
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason,
              HasSubstr("round 2: workers are chosen by their losses and no update came with a "
                        "finite metric 'loss'; have the learner's Train return it"));
}

TEST(SimSelectors, OnlyThoseWhoGoByLossesAskForThem) {
  for (const bool asks : {false, true}) {
    SimFederation federation(
        Selecting(asks ? PartSpec{"power-of-choice", {{"candidates", 4}, {"count", 4}}}
                       : PartSpec{"count", {{"count", 4}}},
                  Tree("tree:2x2"), 2));
    ASSERT_TRUE(federation.Run());
    const auto accepted = federation.EventsOf(event::kUpdateAccepted);
    EXPECT_EQ(accepted.size(), 8u);
    for (const Event& event : accepted) EXPECT_EQ(event.fields.contains("loss"), asks);
  }
}

// ---- Oort ----

// w0 ... w3 take a minute, the others a second.
SimFederation::Options OortOf(const std::string& shape, uint64_t rounds, ValueMap params) {
  SimFederation::Options options = Selecting({"oort", std::move(params)}, Tree(shape), rounds);
  options.work = [](const NodeId& id) -> testing::Simulation::TaskModel {
    const bool slow = id == "w0" || id == "w1" || id == "w2" || id == "w3";
    return {.duration = [slow](uint64_t) -> Duration { return seconds(slow ? 60 : 1); },
            .hang = nullptr};
  };
  return options;
}

TEST(SimSelectors, OortExploresFirst) {
  const auto rosters = RostersOf(OortOf("tree:4x8", 3, {{"count", 8}}));
  // .9 of 8 and no known ones at first; then .88 and .86: seven are new in each round at least.
  Roster seen;
  for (const Roster& roster : rosters) {
    EXPECT_GE(roster.Minus(seen).Count(), 7u) << roster.ToString();
    seen.Merge(roster);
  }
}

TEST(SimSelectors, OortLeavesTheSlowForLater) {
  const auto rosters = RostersOf(OortOf(
      "tree:2x4", 12, {{"count", 2}, {"exploration", 0.2}, {"cutoff", 1}, {"blacklist", 0}}));
  Roster seen;
  int slow = 0;
  for (const Roster& roster : rosters) {
    if (seen.Count() == 8)
      slow += static_cast<int>(roster.Intersection(Roster::Range(0, 4)).Count());
    seen.Merge(roster);
  }
  EXPECT_EQ(seen.Count(), 8u) << "every worker has been tried";
  EXPECT_EQ(slow, 0) << "(1 / 60)^2 of its utility is left to one that takes a minute";
}

// Two runs are one: choices, events and model.
TEST(SimSelectors, RunsRepeat) {
  for (const PartSpec& selector :
       {PartSpec{"oort", {{"count", 4}, {"pacer_rounds", 2}, {"blacklist", 4}}},
        PartSpec{"power-of-choice", {{"candidates", 6}, {"count", 3}}},
        PartSpec{"stratified", {{"fraction", 0.4}}}, PartSpec{"round-robin", {{"count", 3}}}}) {
    const auto run = [&] {
      auto options = OortOf("tree:2x2x3", 12, {});
      options.config.strategy.selector = selector;
      SimFederation federation(std::move(options));
      EXPECT_TRUE(federation.Run());
      EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
      std::string record;
      for (Event event : federation.events()) {
        event.fields.erase("peak_rss_mib");  // of this process
        record += ToJsonLine(event) + "\n";
      }
      return record + federation.Digest();
    };
    EXPECT_TRUE(run() == run()) << selector.name;
  }
}

// What the control plane was told is in the record: a history made from the events alone leads to
// the same choices.
TEST(SimSelectors, TheRecordIsEnoughToChooseAgain) {
  auto options = OortOf("tree:2x2x3", 16, {{"count", 4}, {"pacer_rounds", 3}, {"blacklist", 5}});
  const Topology topology = options.topology;
  const PartSpec part = options.config.strategy.selector;
  const uint64_t seed = options.config.seed;
  SimFederation federation(std::move(options));
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  const auto selector = strategies.selectors.Create(part).value();
  SelectionHistory history;
  const Roster everyone = Roster::Range(0, 12);
  for (const RoundRecord& round : federation.CommittedRounds()) {
    const auto again = selector->Select({.round = round.round,
                                         .seed = seed,
                                         .available = &everyone,
                                         .num_workers = 12,
                                         .topology = &topology,
                                         .history = &history});
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again, round.participants) << round.round;
    std::map<LeafIndex, WorkerReport> reports;
    for (const Event& event : federation.EventsOf(event::kUpdateAccepted)) {
      if (event.round != round.round) continue;
      const LeafIndex leaf = topology.node(*topology.Find(event.node)).leaf_begin;
      reports[leaf] = {.leaf = leaf,
                       .num_samples = static_cast<uint64_t>(*event.fields.at("samples").AsInt()),
                       .loss = *event.fields.at("loss").AsDouble(),
                       .seconds = *event.fields.at("task_s").AsDouble()};
    }
    std::vector<WorkerReport> in_order;
    for (const auto& [leaf, report] : reports) in_order.push_back(report);
    history.Add(round.round, round.participants, in_order);
  }
}

// A worker that dies before its update counts is not known, and is tried again.
TEST(SimSelectors, WhoWasLostIsNotKnown) {
  SimFederation::Options options =
      Selecting({"power-of-choice", {{"candidates", 4}, {"count", 2}}}, Tree("flat:4"), 3);
  options.config.strategy.policy = {"quorum", {{"count", 1}, {"deadline_s", 5.0}}};
  options.work = [](const NodeId& id) -> testing::Simulation::TaskModel {
    // w1 never returns from its first task.
    return {.duration = [](uint64_t) -> Duration { return seconds(1); },
            .hang = [id](uint64_t n) { return id == "w1" && n == 1; }};
  };
  SimFederation federation(std::move(options));
  ASSERT_TRUE(federation.Run());
  const auto rounds = federation.CommittedRounds();
  ASSERT_EQ(rounds.size(), 3u) << federation.outcome().reason;
  EXPECT_EQ(rounds[0].contributors, Roster::Of({0}));
  EXPECT_EQ(rounds[1].participants, Roster::Of({1, 2})) << "both have told nothing";
}

}  // namespace
}  // namespace skein
