// Whole federations in virtual time whose tiers work with different folds, against a calculation in
// plain doubles.
#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>

#include "skein/strategy/strategy_spec.h"
#include "support/sim_federation.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr size_t kFloats = 3;   // the formula's tensors: two of parameters, then a buffer
constexpr size_t kRunning = 2;  // the buffer

// What a worker or a subtree contributes: differences of parameters, values of all else.
struct Plain {
  std::vector<std::vector<double>> floats = std::vector<std::vector<double>>(kFloats);
  double steps = 0;
  double samples = 0;
};
using Combine = std::function<Plain(const std::vector<Plain>&)>;

Plain OfWorker(const RunConfig& config, LeafIndex leaf, Seq seq, const PackedTensors& base) {
  const PackedTensors update = FormulaUpdate(config.seed, leaf, seq, base);
  Plain plain;
  for (size_t t = 0; t < kFloats; ++t) {
    const std::vector<float> values = FloatsOf(update, t);
    plain.floats[t].assign(values.begin(), values.end());
  }
  int64_t steps = 0;
  std::memcpy(&steps, update.tensor(3).data(), sizeof(steps));
  plain.steps = static_cast<double>(steps);
  plain.samples = static_cast<double>(FormulaSamples(config.seed, leaf));
  return plain;
}

// Element by element.
Plain ByElement(const std::vector<Plain>& of,
                const std::function<double(const std::vector<double>&)>& combine) {
  Plain result = of[0];
  const auto column = [&](auto value) {
    std::vector<double> values;
    for (const Plain& one : of) values.push_back(value(one));
    return combine(values);
  };
  for (size_t t = 0; t < kFloats; ++t) {
    for (size_t i = 0; i < result.floats[t].size(); ++i) {
      result.floats[t][i] = column([&](const Plain& one) { return one.floats[t][i]; });
    }
  }
  result.steps = std::nearbyint(column([](const Plain& one) { return one.steps; }));
  result.samples = 0;
  for (const Plain& one : of) result.samples += one.samples;
  return result;
}

Plain FedAvg(const std::vector<Plain>& of) {
  double total = 0;
  for (const Plain& one : of) total += one.samples;
  Plain mean = ByElement(of, [&](const std::vector<double>& values) {
    double sum = 0;
    for (size_t k = 0; k < of.size(); ++k) sum += of[k].samples * values[k];
    return sum / total;
  });
  mean.steps = 0;
  for (const Plain& one : of) mean.steps = std::max(mean.steps, one.steps);
  return mean;
}

Plain Mean(std::vector<Plain> of) {
  double total = 0;
  for (Plain& one : of) total += std::exchange(one.samples, 1);
  Plain mean = FedAvg(of);
  mean.samples = total;
  return mean;
}

Plain Median(const std::vector<Plain>& of) {
  return ByElement(of, [](std::vector<double> values) {
    std::ranges::sort(values);
    return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
  });
}

Plain Krum(const std::vector<Plain>& of, size_t f) {
  std::vector<double> scores;
  for (size_t i = 0; i < of.size(); ++i) {
    std::vector<double> distances;
    for (size_t j = 0; j < of.size(); ++j) {
      if (i == j) continue;
      double distance = 0;
      for (size_t t = 0; t < kRunning; ++t) {
        for (size_t e = 0; e < of[i].floats[t].size(); ++e) {
          distance += std::pow(of[i].floats[t][e] - of[j].floats[t][e], 2);
        }
      }
      distances.push_back(distance);
    }
    std::ranges::sort(distances);
    double score = 0;
    for (size_t k = 0; k < of.size() - f - 2; ++k) score += distances[k];
    scores.push_back(score);
  }
  Plain best = of[static_cast<size_t>(std::ranges::min_element(scores) - scores.begin())];
  best.samples = 0;
  for (const Plain& one : of) best.samples += one.samples;
  return best;
}

Plain Krum1(const std::vector<Plain>& of) { return Krum(of, 1); }

// The version after `base`: `combine` by tier, the root's first.
PackedTensors NextOf(const RunConfig& config, const RoundRecord& round, const Topology& tree,
                     const std::vector<Combine>& combine, double lr, const PackedTensors& base) {
  const std::function<Plain(const NodeId&, size_t)> of = [&](const NodeId& id, size_t tier) {
    const TopologyNode& node = tree.node(*tree.Find(id));
    std::vector<Plain> children;
    for (const auto child : node.children) {
      const TopologyNode& below = tree.node(child);
      if (below.role != NodeRole::kWorker) {
        children.push_back(of(below.id, tier + 1));
      } else if (round.contributors.Contains(below.leaf_begin)) {
        children.push_back(OfWorker(config, below.leaf_begin, round.seq_first, base));
      }
    }
    return combine[tier](children);
  };
  const Plain made = of("root", 0);
  PackedTensors next(base.manifest());
  for (size_t t = 0; t < kFloats; ++t) {
    std::vector<float> values = FloatsOf(base, t);
    for (size_t i = 0; i < values.size(); ++i) {
      const double x = values[i];
      values[i] =
          static_cast<float>(t == kRunning ? made.floats[t][i] : x + lr * made.floats[t][i]);
    }
    std::memcpy(next.mutable_tensor(t).data(), values.data(), values.size() * sizeof(float));
  }
  const auto steps = static_cast<int64_t>(made.steps);
  std::memcpy(next.mutable_tensor(3).data(), &steps, sizeof(steps));
  return next;
}

// Reports a checksum of all of the model, so that a test can see it.
class Witness : public FormulaTrainer {
 public:
  using FormulaTrainer::FormulaTrainer;
  absl::StatusOr<EvalOutput> Evaluate(const PackedTensors& model, const TrainRequest&) override {
    return EvalOutput{1, {{"sum", SumOf(model)}}};
  }
  static double SumOf(const PackedTensors& model) {
    int64_t steps = 0;
    std::memcpy(&steps, model.tensor(3).data(), sizeof(steps));
    auto sum = static_cast<double>(steps);
    double factor = 1;
    for (size_t t = 0; t < kFloats; ++t) {
      for (const float value : FloatsOf(model, t)) sum += (factor += .01) * value;
    }
    return sum;
  }
};

struct Placement {
  std::string name;
  std::string shape;
  PartSpec fold;
  std::map<int, PartSpec> of_tiers;
  std::vector<Combine> combine;
  std::string recorded;
  friend void PrintTo(const Placement& p, std::ostream* out) { *out << p.name; }
};

class SimFoldsByTier : public ::testing::TestWithParam<Placement> {};

TEST_P(SimFoldsByTier, MakeWhatACalculationByHandMakes) {
  constexpr double kLr = 0.5;
  const Placement& placement = GetParam();
  RunConfig config = SimFederation::Config(4);
  config.evaluate = {.coordinator = true, .workers = false, .every = 1};
  config.strategy.fold = placement.fold;
  config.strategy.optimizer = {"sgd", {{"lr", kLr}}};
  for (const auto& [tier, fold] : placement.of_tiers) {
    config.strategy.tiers.push_back({.tier = tier, .fold = fold});
  }
  const Topology tree = Tree(placement.shape);
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  const absl::Status valid = ValidateStrategy(config.strategy, tree, strategies);
  ASSERT_TRUE(valid.ok()) << valid;
  SimFederation::Options options{.topology = tree, .config = config};
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    return std::make_unique<Witness>(1, view.leaf_begin);
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const auto rounds = federation.CommittedRounds();
  const auto evaluated = federation.EventsOf(event::kEvaluated);
  ASSERT_THAT(rounds, SizeIs(4));
  ASSERT_THAT(evaluated, SizeIs(4));
  PackedTensors model = FormulaModel();
  for (size_t r = 0; r < 4; ++r) {
    EXPECT_EQ(rounds[r].contributors, Roster::Range(0, tree.num_workers()));
    model = NextOf(config, rounds[r], tree, placement.combine, kLr, model);
    const double sum = *evaluated[r].fields.at("metrics").AsMap()->at("sum").AsDouble();
    EXPECT_NEAR(sum, Witness::SumOf(model), 1e-4) << "round " << r + 1;
  }
  const Event started = federation.EventsOf(event::kRunStarted).at(0);
  const auto recorded = started.fields.find("fold_placement");
  EXPECT_EQ(recorded == started.fields.end() ? "" : *recorded->second.AsString(),
            placement.recorded);
}

const PartSpec kFedAvg{"fedavg", {}}, kMean{"mean", {}}, kMedian{"median", {}};
const PartSpec kKrum{"krum", {{"f", 1}}};

INSTANTIATE_TEST_SUITE_P(
    Placements, SimFoldsByTier,
    ::testing::Values(
        Placement{"KrumOverSiteMeans", "tree:5x3", kKrum, {{1, kFedAvg}}, {Krum1, FedAvg}, "root"},
        Placement{
            "MedianOverPlainMeans", "tree:4x3", kMean, {{0, kMedian}}, {Median, Mean}, "root"},
        Placement{
            "FedAvgOverMedians", "tree:3x5", kFedAvg, {{1, kMedian}}, {FedAvg, Median}, "leaf"},
        Placement{"MeanOverKrums", "tree:3x5", kMean, {{1, kKrum}}, {Mean, Krum1}, "leaf"},
        Placement{"MedianOfKrums", "tree:3x5", kKrum, {{0, kMedian}}, {Median, Krum1}, "two-tier"},
        Placement{
            "MediansOfMedians", "tree:3x3", kMedian, {{0, kMedian}}, {Median, Median}, "two-tier"},
        Placement{"MeanOverFedAvg", "tree:3x4", kFedAvg, {{0, kMean}}, {Mean, FedAvg}, ""},
        // The sums of the sites merge before the medians of regions are taken.
        Placement{"MedianOverTwoTiers",
                  "tree:3x2x3",
                  kFedAvg,
                  {{0, kMedian}},
                  {Median, FedAvg, FedAvg},
                  "root"},
        // Medians of the sites are averaged by the regions, whose partials merge.
        Placement{"FedAvgOverFedAvgOverMedians",
                  "tree:2x2x3",
                  kFedAvg,
                  {{2, kMedian}},
                  {FedAvg, FedAvg, Median},
                  "leaf"},
        Placement{"MeanOverMeanOverMedians",
                  "tree:2x3x3",
                  kMean,
                  {{2, kMedian}},
                  {[](const std::vector<Plain>& regions) { return Mean(regions); }, Mean, Median},
                  "leaf"}),
    [](const auto& tested) { return tested.param.name; });

// Where all work with one fold nothing has changed: sums merge, and the tree does not matter.
TEST(SimRobust, TheSameFoldAtATierOfItsOwnIsNoOtherFold) {
  const auto digest = [](const StrategySpec& strategy) {
    RunConfig config = SimFederation::Config(3);
    config.strategy = strategy;
    SimFederation federation({.topology = Tree("tree:3x4"), .config = config});
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    federation.ExpectReproducible();
    return federation.Digest();
  };
  StrategySpec own;
  own.tiers = {{.tier = 1, .fold = PartSpec{"fedavg", {{"bound", 1}}}}};
  EXPECT_EQ(digest(own), digest({}));
}

// All of one site, which does not move Krum's choice over the sites.
class CapturedSite : public FormulaTrainer {
 public:
  using FormulaTrainer::FormulaTrainer;
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override {
    SKEIN_ASSIGN_OR_RETURN(TrainOutput output, FormulaTrainer::Train(base, request));
    const std::vector<float> bias(7, -0.9f);
    std::memcpy(output.update.mutable_tensor(1).data(), bias.data(), 7 * sizeof(float));
    output.num_samples = kFormulaMaxSamples;
    return output;
  }
};

TEST(SimRobust, ACapturedSiteIsNotChosen) {
  const auto bias_with = [](const PartSpec& at_root) {
    RunConfig config = SimFederation::Config(6);
    config.strategy.tiers = {{.tier = 0, .fold = at_root}};
    SimFederation::Options options{.topology = Tree("tree:5x3"), .config = config};
    options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
      const bool captured = view.role == NodeRole::kWorker && view.leaf_begin / 3 == 2;
      return captured ? std::make_unique<CapturedSite>(1, view.leaf_begin) : nullptr;
    };
    SimFederation federation(options);
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    const Event last = federation.EventsOf(event::kEvaluated).back();
    return *last.fields.at("metrics").AsMap()->at("bias").AsDouble();
  };
  EXPECT_LT(bias_with(kFedAvg), -0.5);
  EXPECT_GT(bias_with(kKrum), -0.2);
}

// Each update goes on to the root by itself, through one tier and two: what the flat rule makes,
// but for digits that the way up has no room for.
TEST(SimRobust, CollectedUpdatesMakeWhatTheFlatRuleMakes) {
  const auto bias_of = [](const std::string& shape, const PartSpec& fold, size_t updates) {
    RunConfig config = SimFederation::Config(4);
    config.strategy.fold = fold;
    const Topology tree = Tree(shape);
    for (int tier = 1; tier < tree.num_tiers() - 1; ++tier) {
      config.strategy.tiers.push_back({.tier = tier, .collect = true});
    }
    SimFederation::Options options{.topology = tree, .config = config};
    options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
      return std::make_unique<Witness>(1, view.leaf_begin);
    };
    SimFederation federation(options);
    EXPECT_TRUE(federation.Run());
    EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
    EXPECT_THAT(federation.EventsOf(event::kPartialAccepted), SizeIs(4 * updates));
    for (const Event& accepted : federation.EventsOf(event::kPartialAccepted)) {
      EXPECT_EQ(*accepted.fields.at("updates").AsInt(), 1);
    }
    for (const RoundRecord& round : federation.CommittedRounds()) {
      EXPECT_EQ(round.contributors, Roster::Range(0, 12));
    }
    const Event last = federation.EventsOf(event::kEvaluated).back();
    return *last.fields.at("metrics").AsMap()->at("sum").AsDouble();
  };
  for (const PartSpec& fold : {PartSpec{"krum", {{"f", 2}}}, PartSpec{"geometric-median", {}},
                               PartSpec{"median", {{"memory_mb", 0}}}}) {
    const double flat = bias_of("flat:12", fold, 0);
    EXPECT_NEAR(bias_of("tree:3x4", fold, 12), flat, 1e-6) << fold.name;
    EXPECT_NEAR(bias_of("tree:2x2x3", fold, 24), flat, 1e-6) << fold.name;
  }
}

class Absent : public FormulaTrainer {
 public:
  using FormulaTrainer::FormulaTrainer;
  absl::StatusOr<TrainOutput> Train(const PackedTensors&, const TrainRequest&) override {
    return absl::InternalError("no battery");
  }
};

// With one of five gone Krum cannot stand one liar: the round fails, and says so.
TEST(SimRobust, TooFewAfterDropOutsFailTheRound) {
  RunConfig config = SimFederation::Config(2);
  config.strategy.fold = kKrum;
  config.strategy.policy = {"quorum", {{"count", 4}, {"deadline_s", 60}}};
  SimFederation::Options options{.topology = Tree("flat:5"), .config = config};
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    const bool absent = view.role == NodeRole::kWorker && view.leaf_begin == 3;
    return absent ? std::make_unique<Absent>(1, view.leaf_begin) : nullptr;
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason,
              HasSubstr("fold 'krum' needs 5 contributions, 2f + 3 with f = 1, and 4 came"));
}

// The same at a site: it is left out of the round, and the root's policy decides.
TEST(SimRobust, ASiteOfTooFewIsLeftOut) {
  RunConfig config = SimFederation::Config(2);
  config.strategy.tiers = {
      {.tier = 0, .policy = PartSpec{"quorum", {{"count", 2}, {"deadline_s", 600}}}},
      {.tier = 1, .policy = PartSpec{"quorum", {{"count", 4}, {"deadline_s", 60}}}, .fold = kKrum}};
  SimFederation::Options options{.topology = Tree("tree:3x5"), .config = config};
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    const bool absent = view.role == NodeRole::kWorker && view.leaf_begin == 7;
    return absent ? std::make_unique<Absent>(1, view.leaf_begin) : nullptr;
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  for (const RoundRecord& round : federation.CommittedRounds()) {
    EXPECT_EQ(round.contributors.ToString(), "0-4,10-14");
  }
}

// A site that cannot make the model of its next local round is left out, and those workers that
// it has taken updates of hear that they do not count.
TEST(SimRobust, ASiteOfTooFewForALocalModelIsLeftOut) {
  RunConfig config = SimFederation::Config(1);
  config.strategy.tiers = {
      {.tier = 0, .policy = PartSpec{"quorum", {{"count", 2}, {"deadline_s", 600}}}},
      {.tier = 1,
       .policy = PartSpec{"quorum", {{"count", 4}, {"deadline_s", 60}}},
       .fold = kKrum,
       .kappa = 2}};
  SimFederation::Options options{.topology = Tree("tree:3x5"), .config = config};
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    const bool absent = view.role == NodeRole::kWorker && view.leaf_begin == 7;
    return absent ? std::make_unique<Absent>(1, view.leaf_begin) : nullptr;
  };
  std::map<NodeId, int> cancelled;
  options.faults = [&](const testing::FrameContext& context) -> testing::Fault {
    if (!context.up && std::holds_alternative<CancelFrame>(*context.frame)) {
      ++cancelled[context.node];
    }
    return {};
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  ASSERT_THAT(federation.CommittedRounds(), SizeIs(1));
  EXPECT_EQ(federation.CommittedRounds()[0].contributors.ToString(), "0-4,10-14");
  EXPECT_THAT(cancelled, SizeIs(4)) << "all of the site but the one that failed";
  for (const auto& [worker, times] : cancelled) EXPECT_EQ(times, 1) << worker;
}

// Local rounds of a site before its median goes up; held in a file at the root.
TEST(SimRobust, LocalRoundsGoWithOtherFolds) {
  RunConfig config = SimFederation::Config(3);
  config.strategy.fold = {"median", {}};
  config.strategy.tiers = {
      {.tier = 0, .fold = PartSpec{"trimmed-mean", {{"trim", 1}, {"memory_mb", 0}}}},
      {.tier = 1, .kappa = 2}};
  SimFederation federation({.topology = Tree("tree:4x3"), .config = config});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_THAT(federation.EventsOf(event::kUpdateAccepted), SizeIs(12 * 2 * 3));
  for (const Event& accepted : federation.EventsOf(event::kPartialAccepted)) {
    EXPECT_EQ(*accepted.fields.at("updates").AsInt(), 3);
  }
}

}  // namespace
}  // namespace skein
