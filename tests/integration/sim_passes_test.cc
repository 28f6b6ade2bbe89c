// Whole federations in virtual time whose fold is worked out in passes over the tree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/strategy/strategy_spec.h"
#include "support/sim_federation.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

RunConfig PassesConfig(const PartSpec& fold, int tiers, int finishes_at = 0) {
  RunConfig config = SimFederation::Config(3);
  if (finishes_at == 0) {
    config.strategy.fold = fold;
  } else {
    config.strategy.tiers.push_back({.tier = finishes_at, .fold = fold});
  }
  for (int tier = finishes_at + 1; tier < tiers - 1; ++tier) {
    config.strategy.tiers.push_back({.tier = tier, .passes = true});
  }
  return config;
}

class SimPassesTest : public ::testing::TestWithParam<PartSpec> {};

// Every model is, bit for bit, what one flat fold makes of the same updates.
TEST_P(SimPassesTest, AnyTreeMakesWhatTheFlatRuleMakes) {
  SimFederation flat({.topology = Tree("flat:12"), .config = PassesConfig(GetParam(), 2)});
  ASSERT_TRUE(flat.Run());
  flat.ExpectReproducible();
  for (const char* shape : {"tree:3x4", "tree:2x2x3", "tree:6x2", "tree:1x2x6"}) {
    const Topology tree = Tree(shape);
    const RunConfig config = PassesConfig(GetParam(), tree.num_tiers());
    ASSERT_TRUE(ValidateStrategy(config.strategy, tree,
                                 [] {
                                   StrategyRegistries all;
                                   RegisterBuiltinStrategies(all);
                                   return all;
                                 }())
                    .ok());
    SimFederation federation({.topology = tree, .config = config});
    ASSERT_TRUE(federation.Run()) << shape;
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_THAT(federation.CommittedRounds(), SizeIs(3));
    federation.ExpectReproducible();
    EXPECT_EQ(federation.Digest(), flat.Digest()) << shape;
    EXPECT_THAT(federation.EventsOf(event::kUpdateAccepted), SizeIs(36)) << shape;
  }
}

// Sites and workers side by side, at several depths.
TEST_P(SimPassesTest, NodesMayHaveWorkersBesideSites) {
  const std::vector<NodeSpec> nodes = {{"root", NodeRole::kCoordinator, std::nullopt, {}, ""},
                                       {"a", NodeRole::kAggregator, "root", {}, ""},
                                       {"w0", NodeRole::kWorker, "root", {}, ""},
                                       {"b", NodeRole::kAggregator, "a", {}, ""},
                                       {"w1", NodeRole::kWorker, "a", {}, ""},
                                       {"w2", NodeRole::kWorker, "a", {}, ""},
                                       {"w3", NodeRole::kWorker, "b", {}, ""},
                                       {"w4", NodeRole::kWorker, "b", {}, ""},
                                       {"w5", NodeRole::kWorker, "root", {}, ""},
                                       {"w6", NodeRole::kWorker, "b", {}, ""}};
  SimFederation federation(
      {.topology = Topology::Create(nodes).value(), .config = PassesConfig(GetParam(), 4)});
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  federation.ExpectReproducible();
}

// Links are cut all the time: what is asked is asked again, and answered as before.
TEST_P(SimPassesTest, CutLinksDoNotShow) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    SimFederation::Options options{.topology = Tree("tree:2x2x3"),
                                   .config = PassesConfig(GetParam(), 4)};
    options.config.seed = seed;
    uint64_t cuts = 0;
    Rng rng(seed);
    options.faults = [&](const testing::FrameContext&) -> testing::Fault {
      if (rng.Below(40) != 0) return {};
      ++cuts;
      return {testing::Fault::Kind::kCut};
    };
    SimFederation federation(options);
    ASSERT_TRUE(federation.Run());
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_GT(cuts, 5u);
    federation.ExpectReproducible();
  }
}

// A node that holds contributions dies between two passes: they are gone. Where the policy can do
// without, the passes begin anew with the others; under a policy of all, the run ends and says why.
TEST_P(SimPassesTest, ANodeThatDiesBetweenPassesIsLeftOut) {
  for (const bool all : {false, true}) {
    SimFederation::Options options{.topology = Tree("tree:3x4"),
                                   .config = PassesConfig(GetParam(), 3)};
    if (!all) {
      options.config.strategy.tiers.push_back(
          {.tier = 0, .policy = PartSpec{"quorum", {{"fraction", 0.6}, {"deadline_s", 600}}}});
    }
    SimFederation* running = nullptr;
    bool died = false;
    const NodeId victim = options.topology.nodes()[2].id;
    options.faults = [&](const testing::FrameContext& context) -> testing::Fault {
      const auto* task = std::get_if<Task>(context.frame);
      if (died || task == nullptr || task->round != 2 || task->base.pass != 3) return {};
      died = true;
      running->Kill(victim);
      running->StartNode(victim);
      return {};
    };
    SimFederation federation(options);
    running = &federation;
    ASSERT_TRUE(federation.Run());
    ASSERT_TRUE(died);
    if (all) {
      EXPECT_EQ(federation.outcome().status, "failed");
      EXPECT_THAT(federation.outcome().reason, HasSubstr("was lost"));
      continue;
    }
    ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    const auto rounds = federation.CommittedRounds();
    ASSERT_THAT(rounds, SizeIs(3));
    EXPECT_EQ(rounds[1].contributors.ToString(), "0-3,8-11");
    federation.ExpectReproducible();
  }
}

INSTANTIATE_TEST_SUITE_P(Builtin, SimPassesTest,
                         ::testing::Values(PartSpec{"median", {}},
                                           PartSpec{"median", {{"memory_mb", 0}}},
                                           PartSpec{"trimmed-mean", {{"trim", 2}}},
                                           PartSpec{"geometric-median", {{"iterations", 2}}},
                                           PartSpec{"centered-clipping", {{"clip", 1}}}),
                         [](const auto& tested) {
                           std::string name = tested.param.name;
                           std::ranges::replace(name, '-', '_');
                           return name + std::to_string(tested.index);
                         });

// A round's bytes are its own, those of the passes too.
TEST(SimPasses, BytesAreOfTheRoundThatMovedThem) {
  RunConfig config = PassesConfig({"median", {}}, 4);
  config.evaluate = {.coordinator = false, .workers = false};
  SimFederation federation({.topology = Tree("tree:2x2x3"), .config = config});
  ASSERT_TRUE(federation.Run());
  const auto committed = federation.EventsOf(event::kRoundCommitted);
  ASSERT_THAT(committed, SizeIs(3));
  const auto up = [&](size_t round, size_t tier) {
    const ValueList& tiers = *committed[round].fields.at("bytes").AsList();
    return static_cast<double>(*tiers.at(tier).AsMap()->at("up").AsInt());
  };
  for (const size_t tier : {0u, 1u}) {
    EXPECT_GT(up(0, tier), 32 * 2 * 100.0) << "32 answers and more on each of two links";
    EXPECT_NEAR(up(1, tier), up(0, tier), 0.1 * up(0, tier)) << "tier " << tier;
    EXPECT_NEAR(up(2, tier), up(0, tier), 0.1 * up(0, tier)) << "tier " << tier;
  }
}

// Below another fold: the regions' medians are those of all their workers, and the root's mean is
// of the regions.
TEST(SimPasses, PassesMayEndBelowTheRoot) {
  const auto digest_of = [](const std::string& shape) {
    const Topology tree = Tree(shape);
    const RunConfig config = PassesConfig({"median", {}}, tree.num_tiers(), 1);
    SimFederation federation({.topology = tree, .config = config});
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    return federation.Digest();
  };
  const std::string two_tiers = digest_of("tree:2x6");
  EXPECT_THAT(two_tiers, SizeIs(64));
  EXPECT_EQ(digest_of("tree:2x2x3"), two_tiers);
  EXPECT_EQ(digest_of("tree:2x3x2"), two_tiers);
}

// Local rounds of a region, each with its passes.
TEST(SimPasses, ARegionMayHaveLocalRounds) {
  const auto digest_of = [](const std::string& shape) {
    const Topology tree = Tree(shape);
    RunConfig config = PassesConfig({"median", {}}, tree.num_tiers(), 1);
    config.strategy.tiers.front().kappa = 3;
    SimFederation federation({.topology = tree, .config = config});
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    return federation.Digest();
  };
  EXPECT_EQ(digest_of("tree:2x2x3"), digest_of("tree:2x6"));
}

TEST(SimPasses, CodecsThatLoseNothingDoNotShow) {
  const auto digest_of = [](const LinkSpec& links) {
    RunConfig config = PassesConfig({"trimmed-mean", {}}, 4);
    config.strategy.links = links;
    SimFederation federation({.topology = Tree("tree:2x2x3"), .config = config});
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    return federation.Digest();
  };
  const std::vector<PartSpec> zstd = {{"zstd", {}}};
  EXPECT_EQ(digest_of({}),
            digest_of({.updates = zstd,
                       .partials = zstd,
                       .models = std::vector<PartSpec>{{"delta", {}}, {"zstd", {}}}}));
}

// Fewer than the rule needs: the round fails and says so, as without a tree.
TEST(SimPasses, TooFewAreTooFew) {
  RunConfig config = PassesConfig({"trimmed-mean", {{"trim", 5}}}, 3);
  SimFederation federation({.topology = Tree("tree:2x4"), .config = config});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason,
              HasSubstr("fold 'trimmed-mean' needs 11 contributions, 2 trim + 1 with trim = 5, and "
                        "8 came"));
}

}  // namespace
}  // namespace skein
