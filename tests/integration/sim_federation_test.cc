// Whole federations in virtual time: what they make of the updates, and that a bad network, slow
// learners and dying nodes change nothing but who contributes.
#include "support/sim_federation.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/iterations.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Three sites of 1, 2 and 5 workers; w0 ... w7 from left to right.
Topology UnbalancedTree() {
  std::vector<NodeSpec> nodes = {{"root", NodeRole::kCoordinator, std::nullopt, {}, ""}};
  const int sizes[] = {1, 2, 5};
  int worker = 0;
  for (int site = 0; site < 3; ++site) {
    const NodeId id = "site" + std::to_string(site);
    nodes.push_back({id, NodeRole::kAggregator, "root", {}, ""});
    for (int i = 0; i < sizes[site]; ++i) {
      nodes.push_back({"w" + std::to_string(worker++), NodeRole::kWorker, id, {}, ""});
    }
  }
  return Topology::Create(nodes).value();
}

std::string DigestOf(Topology topology, RunConfig config) {
  SimFederation federation({.topology = std::move(topology), .config = std::move(config)});
  EXPECT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  federation.ExpectReproducible();
  return federation.Digest();
}

PartSpec Quorum(int64_t count, double deadline_s) {
  return {"quorum", {{"count", count}, {"deadline_s", deadline_s}, {"timeout_s", 60.0}}};
}

// ---- what cannot be a model ----

class Exploding : public testing::PlainStep {
 public:
  void Step(size_t tensor, uint64_t offset, std::span<const double> x,
            std::span<const double> mean_delta, std::span<double> next) override {
    PlainStep::Step(tensor, offset, x, mean_delta, next);
    if (++steps_ > kBefore && !next.empty()) next[0] = std::numeric_limits<double>::infinity();
  }

 private:
  static constexpr int kBefore = 6;
  int steps_ = 0;
};

TEST(SimFederation, AStepToNoNumberFailsTheRoundAndTheModelBeforeItStays) {
  RunConfig config = SimFederation::Config(50);
  config.strategy.optimizer = {"exploding", {}};
  SimFederation federation(
      {.topology = Tree("tree:2x2"), .config = config, .parts = [](StrategyRegistries& parts) {
         const absl::Status added = parts.optimizers.Register(
             {.name = "exploding", .summary = "", .source = "", .schema = {}},
             [](const Params&) -> absl::StatusOr<std::shared_ptr<ServerOptimizer>> {
               return std::make_shared<Exploding>();
             });
         ASSERT_TRUE(added.ok()) << added;
       }});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason,
              ::testing::AllOf(HasSubstr("the step of optimizer 'exploding' is too large"),
                               HasSubstr("has Inf at index")));
  EXPECT_THAT(federation.CommittedRounds(), ::testing::Not(IsEmpty()));
}

// ---- one model ----

TEST(SimFederation, TheModelIsTheSameWhateverTheTree) {
  const RunConfig config = SimFederation::Config(4);
  const std::string flat = DigestOf(Tree("flat:8"), config);
  EXPECT_THAT(flat, SizeIs(64));
  for (const char* shape : {"flat:8", "tree:2x4", "tree:4x2", "tree:2x2x2", "tree:1x1x1x8"}) {
    EXPECT_EQ(DigestOf(Tree(shape), config), flat) << shape;
  }
  EXPECT_EQ(DigestOf(UnbalancedTree(), config), flat);
  EXPECT_NE(DigestOf(Tree("flat:8"), SimFederation::Config(4, 2)), flat);
  EXPECT_NE(DigestOf(Tree("flat:8"), SimFederation::Config(3)), flat);
}

TEST(SimFederation, AnUnbalancedTreeIsTheWeightedMeanInFloat64) {
  SimFederation federation({.topology = UnbalancedTree(), .config = SimFederation::Config(1)});
  ASSERT_TRUE(federation.Run());
  const PackedTensors base = FormulaModel();
  std::vector<double> sum(7);
  double weight = 0;
  for (LeafIndex leaf = 0; leaf < 8; ++leaf) {
    const double samples = static_cast<double>(FormulaSamples(1, leaf));
    const std::vector<float> update =
        FloatsOf(FormulaUpdate(1, leaf, federation.CommittedRounds().at(0).seq_first, base), 1);
    for (size_t i = 0; i < 7; ++i) sum[i] += samples * static_cast<double>(update[i]);
    weight += samples;
  }
  // Evaluation reports the first element of the bias.
  const auto evaluated = federation.EventsOf(event::kEvaluated);
  ASSERT_FALSE(evaluated.empty());
  const double bias = *evaluated[0].fields.at("metrics").AsMap()->at("bias").AsDouble();
  EXPECT_NEAR(bias, sum[0] / weight, 1e-6);
  EXPECT_GT(std::abs(bias), 1e-4);
}

TEST(SimFederation, LocalRoundsAtASiteStandForItsWorkers) {
  RunConfig config = SimFederation::Config(1);
  config.strategy.tiers.push_back({.tier = 1, .kappa = 2});
  SimFederation federation({.topology = UnbalancedTree(), .config = config});
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const RoundRecord round = federation.CommittedRounds().at(0);
  EXPECT_EQ(round.seq_count, 2u);

  // HierFAVG by hand: each site takes two local steps, the root averages their differences.
  double total = 0, change = 0;
  LeafIndex leaf = 0;
  for (const LeafIndex size : {1u, 2u, 5u}) {
    PackedTensors local = FormulaModel();
    double site_weight = 0;
    for (uint64_t step = 0; step < 2; ++step) {
      std::vector<double> mean(7 + 7 * 13);
      site_weight = 0;
      for (LeafIndex i = leaf; i < leaf + size; ++i) {
        const double samples = static_cast<double>(FormulaSamples(1, i));
        const PackedTensors update = FormulaUpdate(1, i, round.seq_first + step, local);
        const std::vector<float> bias = FloatsOf(update, 1);
        for (size_t k = 0; k < 7; ++k) mean[k] += samples * static_cast<double>(bias[k]);
        site_weight += samples;
      }
      std::vector<float> bias = FloatsOf(local, 1);
      for (size_t k = 0; k < 7; ++k) bias[k] += static_cast<float>(mean[k] / site_weight);
      PackedTensors next(local.manifest());
      std::ranges::copy(local.bytes(), next.mutable_bytes().begin());
      std::memcpy(next.mutable_tensor(1).data(), bias.data(), bias.size() * sizeof(float));
      local = next;
    }
    change += site_weight * static_cast<double>(FloatsOf(local, 1)[0]);
    total += site_weight;
    leaf += size;
  }
  const auto evaluated = federation.EventsOf(event::kEvaluated);
  ASSERT_FALSE(evaluated.empty());
  EXPECT_NEAR(*evaluated[0].fields.at("metrics").AsMap()->at("bias").AsDouble(), change / total,
              1e-6);
}

// ---- bad networks ----

// What a real network does to an ordered, reliable link: it delays, breaks, and now and then lets a
// flipped bit through. `lossy`: it also swallows or repeats single frames, as a hung peer might.
testing::FaultPlan BadNetwork(uint64_t seed, double rate, bool lossy) {
  auto rng = std::make_shared<Rng>(seed);
  return [rng, rate, lossy](const testing::FrameContext& context) -> testing::Fault {
    using Kind = testing::Fault::Kind;
    if (rng->Uniform() >= rate) return {};
    switch (rng->Below(lossy ? 5 : 3)) {
      case 0:
        return {Kind::kDelay, milliseconds(rng->Below(200))};
      case 1:
        return {Kind::kCut};
      case 2:
        return {std::holds_alternative<ChunkFrame>(*context.frame) ? Kind::kCorrupt : Kind::kNone};
      case 3:
        return {Kind::kDuplicate};
      default:
        return {Kind::kDrop};
    }
  };
}

testing::Simulation::TaskModel RandomWork(uint64_t seed, double longest_s) {
  return {.duration = [seed, longest_s](uint64_t n) {
    Rng rng(DeriveSeed(seed, {n}));
    return FromSeconds(rng.Uniform() * longest_s);
  }};
}

const char* const kShapes[] = {"flat:8", "tree:2x4", "tree:4x2", "tree:2x2x2"};

TEST(SimFederation, BrokenLinksNeverChangeTheModel) {
  const std::string undisturbed = DigestOf(Tree("flat:8"), SimFederation::Config(4));
  const int seeds = SimSeeds(30);
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const uint64_t mixed = DeriveSeed(11, {static_cast<uint64_t>(seed)});
    SimFederation federation(
        {.topology = Tree(kShapes[seed % 4]),
         .config = SimFederation::Config(4),
         .faults = BadNetwork(mixed, seed % 3 == 0 ? 0.25 : 0.05, /*lossy=*/false),
         .work = [mixed](const NodeId& id) {
           return RandomWork(DeriveSeed(mixed, {id.back() + 0u}), 3);
         }});
    ASSERT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_EQ(federation.Digest(), undisturbed);
    EXPECT_EQ(federation.EventsOf(event::kUpdateAccepted).size(), 4 * 8u);
    EXPECT_EQ(federation.EventsOf(event::kUpdateRejected).size(), 0u);
  }
}

TEST(SimFederation, WhateverHappensARunEndsAndItsRostersReproduceIt) {
  int completed = 0;
  const int seeds = SimSeeds(40);
  for (int seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const uint64_t mixed = DeriveSeed(12, {static_cast<uint64_t>(seed)});
    RunConfig config = SimFederation::Config(6);
    config.strategy.policy = Quorum(1, 5.0);
    const Topology topology = Tree(kShapes[seed % 4]);
    SimFederation federation({.topology = topology,
                              .config = config,
                              .faults = BadNetwork(mixed, 0.03, /*lossy=*/true),
                              .work = [mixed](const NodeId& id) {
                                return RandomWork(DeriveSeed(mixed, {id.back() + 0u}), 6);
                              }});
    // Some nodes die, most come back; the coordinator seldom.
    Rng rng(mixed);
    for (int deaths = 0; deaths < 4; ++deaths) {
      const size_t node = rng.Below(topology.nodes().size());
      if (node == 0 && rng.Below(8) != 0) continue;
      const NodeId id = topology.node(node).id;
      const Time when = milliseconds(rng.Below(40'000));
      federation.simulation().At(when, [&federation, id] { federation.Kill(id); });
      if (rng.Below(4) == 0) continue;
      federation.simulation().At(when + milliseconds(rng.Below(10'000)),
                                 [&federation, id] { federation.StartNode(id); });
    }
    ASSERT_TRUE(federation.Run()) << "never ended";
    completed += federation.outcome().status == "completed";
    EXPECT_EQ(federation.outcome().rounds, federation.CommittedRounds().size());
    federation.ExpectReproducible();
    std::set<std::pair<uint64_t, NodeId>> counted;
    std::set<std::pair<uint64_t, NodeId>> at_root;
    for (const Event& event : federation.events()) {
      if (event.type != event::kUpdateAccepted && event.type != event::kPartialAccepted) continue;
      if (*event.fields.at("parent").AsString() != "root") continue;
      EXPECT_TRUE(at_root.insert({event.round, event.node}).second)
          << event.node << " counted twice in round " << event.round;
    }
  }
  EXPECT_GT(completed, seeds / 2);  // or the faults leave nothing to test
}

TEST(SimFederation, TheSameScheduleGivesTheSameEvents) {
  auto run = [](uint64_t seed) {
    SimFederation federation(
        {.topology = Tree("tree:2x4"),
         .config = SimFederation::Config(3),
         .faults = BadNetwork(seed, 0.05, /*lossy=*/false),
         .work = [](const NodeId& id) { return RandomWork(id.back() + 0u, 3); }});
    EXPECT_TRUE(federation.Run());
    std::string log;
    for (Event event : federation.events()) {
      event.fields.erase("peak_rss_mib");
      log += ToJsonLine(event) + "\n";
    }
    return log;
  };
  const std::string first = run(5);
  EXPECT_THAT(first, HasSubstr("round_committed"));
  EXPECT_EQ(run(5), first);
  EXPECT_NE(run(6), first);
}

// ---- bad workers ----

class FailingTrainer : public FormulaTrainer {
 public:
  using FormulaTrainer::FormulaTrainer;
  absl::StatusOr<TrainOutput> Train(const PackedTensors&, const TrainRequest&) override {
    return absl::InternalError("the disk is on fire");
  }
};

SimFederation::Options OneBadWorker(PartSpec policy, bool silent) {
  SimFederation::Options options{.topology = Tree("tree:2x3"), .config = SimFederation::Config(3)};
  options.config.strategy.policy = std::move(policy);
  options.config.strategy.tiers.push_back({.tier = 0, .policy = PartSpec{"all", {}}});
  if (silent) {
    options.work = [](const NodeId& id) {
      testing::Simulation::TaskModel model;
      if (id == "w4") model.hang = [](uint64_t n) { return n > 0; };
      return model;
    };
  } else {
    options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
      if (view.id != "w4") return nullptr;
      return std::make_unique<FailingTrainer>(1, view.leaf_begin);
    };
  }
  return options;
}

TEST(SimFederation, AQuorumGoesOnWithoutAWorkerThatFails) {
  SimFederation federation(OneBadWorker(Quorum(2, 5.0), /*silent=*/false));
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const auto left_out = federation.EventsOf(event::kWorkerLeftOut);
  ASSERT_FALSE(left_out.empty());
  EXPECT_EQ(left_out[0].node, "w4");
  EXPECT_THAT(*left_out[0].fields.at("reason").AsString(), HasSubstr("the disk is on fire"));
  for (const RoundRecord& round : federation.CommittedRounds()) {
    EXPECT_EQ(round.contributors.ToString(), "0-3,5");
  }
  federation.ExpectReproducible();
}

TEST(SimFederation, AQuorumGoesOnWithoutAWorkerThatNeverAnswers) {
  SimFederation federation(OneBadWorker(Quorum(2, 5.0), /*silent=*/true));
  ASSERT_TRUE(federation.Run(minutes(5)));
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const auto left_out = federation.EventsOf(event::kWorkerLeftOut);
  ASSERT_FALSE(left_out.empty());
  EXPECT_EQ(left_out[0].node, "w4");
  EXPECT_THAT(*left_out[0].fields.at("reason").AsString(), HasSubstr("deadline"));
  federation.ExpectReproducible();
}

TEST(SimFederation, AllEndsTheRunAndNamesAWorkerThatFails) {
  SimFederation federation(OneBadWorker({"all", {}}, /*silent=*/false));
  ASSERT_TRUE(federation.Run(minutes(1)));
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason, HasSubstr("'w4'"));
  EXPECT_THAT(federation.outcome().reason, HasSubstr("the disk is on fire"));
}

TEST(SimFederation, AllEndsTheRunAndNamesAWorkerThatNeverAnswers) {
  SimFederation federation(OneBadWorker({"all", {{"timeout_s", 20.0}}}, /*silent=*/true));
  ASSERT_TRUE(federation.Run(minutes(5)));
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason, HasSubstr("'w4'"));
}

// Moves every parameter by 3, which is beyond the bound of a model of zeros.
class LeapingTrainer : public FormulaTrainer {
 public:
  using FormulaTrainer::FormulaTrainer;
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base, const TrainRequest&) override {
    PackedTensors update(base.manifest());
    std::ranges::copy(base.bytes(), update.mutable_bytes().begin());
    const std::vector<float> bias(7, 3.0f);
    std::memcpy(update.mutable_tensor(1).data(), bias.data(), 7 * sizeof(float));
    return TrainOutput{update, 1, {}};
  }
};

TEST(SimFederation, AFoldsBoundAdmitsLargeChanges) {
  SimFederation::Options options{.topology = Tree("tree:2x2"), .config = SimFederation::Config(1)};
  options.trainer = [](const NodeView& view) {
    return std::make_unique<LeapingTrainer>(1, view.leaf_begin);
  };
  {
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "failed");
    EXPECT_THAT(federation.outcome().reason,
                HasSubstr("tensor 'bias' has 3, beyond its bound 2^0, at index 0; set "
                          "strategy.fold.bound higher"));
  }
  options.config.strategy.fold.params["bound"] = 3.0;
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
}

TEST(SimFederation, AWorkerThatDiesAndComesBackTakesPartAgain) {
  SimFederation::Options options{.topology = Tree("tree:2x2"), .config = SimFederation::Config(8)};
  options.config.strategy.policy = Quorum(1, 5.0);
  options.work = [](const NodeId&) {
    return testing::Simulation::TaskModel{.duration = [](uint64_t) { return seconds(2); }};
  };
  SimFederation federation(options);
  federation.simulation().At(seconds(5), [&] { federation.Kill("w3"); });
  federation.simulation().At(seconds(9), [&] { federation.StartNode("w3"); });
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_EQ(federation.EventsOf(event::kNodeLost).size(), 1u);
  const auto rounds = federation.CommittedRounds();
  EXPECT_TRUE(std::any_of(rounds.begin(), rounds.end(), [](const RoundRecord& round) {
    return !round.contributors.Contains(3);
  }));
  EXPECT_TRUE(rounds.back().contributors.Contains(3));
  federation.ExpectReproducible();
}

TEST(SimFederation, AllEndsTheRunWhenANodeIsLostEvenBetweenRounds) {
  for (const int64_t at_ms : {3000, 3999, 4000, 4001, 4500, 5000}) {
    SCOPED_TRACE(at_ms);
    SimFederation::Options options{.topology = Tree("tree:2x2"),
                                   .config = SimFederation::Config(50)};
    options.work = [](const NodeId&) {
      return testing::Simulation::TaskModel{.duration = [](uint64_t) { return seconds(2); }};
    };
    SimFederation federation(options);
    federation.simulation().At(milliseconds(at_ms), [&] { federation.Kill("w3"); });
    ASSERT_TRUE(federation.Run(minutes(5)));
    EXPECT_EQ(federation.outcome().status, "failed");
    EXPECT_THAT(federation.outcome().reason, HasSubstr("'w3'"));
    EXPECT_THAT(federation.outcome().rounds, ::testing::Lt(10u));
  }
}

TEST(SimFederation, AFractionGoesOnWhenAWorkerIsLost) {
  SimFederation::Options options{.topology = Tree("flat:4"), .config = SimFederation::Config(6)};
  options.config.strategy.selector = {"fraction", {{"fraction", 0.5}}};
  options.config.strategy.policy = Quorum(1, 5.0);
  options.work = [](const NodeId&) {
    return testing::Simulation::TaskModel{.duration = [](uint64_t) { return seconds(2); }};
  };
  SimFederation federation(options);
  federation.simulation().At(seconds(5), [&] { federation.Kill("w3"); });
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  federation.ExpectReproducible();
}

TEST(SimFederation, ADeadlineAboveLeavesTimeForLocalRoundsBelow) {
  SimFederation::Options options{.topology = Tree("tree:2x3"), .config = SimFederation::Config(3)};
  options.config.strategy.policy = Quorum(2, 1.0);
  options.config.strategy.tiers.push_back({.tier = 1, .kappa = 3});
  options.work = [](const NodeId& id) {
    testing::Simulation::TaskModel model;
    if (id == "w4") model.hang = [](uint64_t n) { return n > 0; };
    return model;
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  for (const RoundRecord& round : federation.CommittedRounds()) {
    EXPECT_EQ(round.contributors.ToString(), "0-3,5") << "the site of w4 is not lost with it";
  }
}

// A learner without a formula, whose model is five chunks long.
class LargeModelTrainer : public Trainer {
 public:
  absl::StatusOr<PackedTensors> Initialize() override {
    PackedTensors model(Manifest::Create({{"x", DType::kFloat32, {5 << 18}}}).value());
    std::memset(model.mutable_bytes().data(), 0, model.bytes().size());
    return model;
  }
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base, const TrainRequest&) override {
    return TrainOutput{base, 1, {}};
  }
  absl::StatusOr<EvalOutput> Evaluate(const PackedTensors&, const TrainRequest&) override {
    return EvalOutput{1, {}};
  }
};

TEST(SimFederation, AWorkerGetsBytesOfAModelThatItsAggregatorDoesNotHaveAllOf) {
  SimFederation::Options options{.topology = Tree("tree:1x1x1"),
                                 .config = SimFederation::Config(1)};
  options.config.evaluate = {};
  options.trainer = [](const NodeView&) { return std::make_unique<LargeModelTrainer>(); };
  SimFederation* running = nullptr;
  std::map<NodeId, Time> first_chunk;  // sent down to the node
  std::map<NodeId, Time> has_it_all;
  std::map<NodeId, int> models;
  options.faults = [&](const testing::FrameContext& frame) -> testing::Fault {
    const Time now = running == nullptr ? Time{0} : running->simulation().Now();
    if (frame.up && std::holds_alternative<AckFrame>(*frame.frame)) {
      has_it_all.try_emplace(frame.node, now);
    }
    if (frame.up) return {};
    const auto* offer = std::get_if<OfferFrame>(frame.frame);
    if (offer != nullptr && std::holds_alternative<ModelHeader>(offer->header)) {
      ++models[frame.node];
    }
    if (!std::holds_alternative<ChunkFrame>(*frame.frame)) return {};
    first_chunk.try_emplace(frame.node, now);
    return {testing::Fault::Kind::kDelay, seconds(1)};
  };
  SimFederation federation(options);
  running = &federation;
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_THAT(first_chunk, SizeIs(3));
  for (const char* aggregator : {"a0", "a1"}) {
    ASSERT_TRUE(has_it_all.contains(aggregator));
    EXPECT_LE(first_chunk["w0"] + seconds(2), has_it_all[aggregator]) << aggregator;
  }
  for (const auto& [node, count] : models) EXPECT_EQ(count, 1) << node << " downloads it once";
}

TEST(SimFederation, ALostCoordinatorEndsTheRun) {
  SimFederation::Options options{.topology = Tree("tree:2x2"),
                                 .config = SimFederation::Config(1000)};
  options.work = [](const NodeId&) {
    return testing::Simulation::TaskModel{.duration = [](uint64_t) { return seconds(2); }};
  };
  SimFederation federation(options);
  federation.simulation().At(seconds(15), [&] { federation.Kill("root"); });
  ASSERT_TRUE(federation.Run(minutes(5)));
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason, HasSubstr("'root'"));
  federation.ExpectReproducible();
}

}  // namespace
}  // namespace skein
