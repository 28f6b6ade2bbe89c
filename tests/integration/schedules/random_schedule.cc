#include "integration/schedules/random_schedule.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "skein/base/random.h"
#include "skein/builtins/strategies.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum Purpose : uint64_t { kDraw = 1, kFaults, kWork, kCodecs, kPasses };

uint64_t HashOf(const NodeId& node) {
  uint64_t hash = 0;
  for (const char c : node) hash = hash * 31 + static_cast<unsigned char>(c);
  return hash;
}

// Draws one schedule.
class Draw {
 public:
  explicit Draw(uint64_t seed)
      : rng_(DeriveSeed(seed, {kDraw})),
        codecs_(DeriveSeed(seed, {kCodecs})),
        passes_(DeriveSeed(seed, {kPasses})) {
    schedule_.seed = seed;
  }

  Schedule Make() {
    schedule_.topology = Tree();
    RunConfig& config = schedule_.config;
    config.run_id = config.name = "schedule";
    config.learner.name = "ledger";
    config.seed = schedule_.seed;
    Disturb();
    Choose();
    Limit();
    Encode();
    AskInPasses();
    config.rounds = 2 + rng_.Below(schedule_.has_barriers ? 4 : 12);
    config.evaluate = {.coordinator = true,
                       .workers = schedule_.has_barriers && Chance(4),
                       .every = 1 + rng_.Below(3)};
    return std::move(schedule_);
  }

 private:
  // One in `n`.
  bool Chance(uint64_t n) { return rng_.Below(n) == 0; }
  double Between(double least, double most) { return least + (most - least) * rng_.Uniform(); }

  // Two to four tiers; sites of any size, and workers beside sites.
  Topology Tree() {
    std::vector<NodeSpec> nodes = {{"root", NodeRole::kCoordinator, std::nullopt, {}, ""}};
    Grow(nodes, "root", 1 + static_cast<int>(rng_.Below(3)));
    return Topology::Create(nodes).value();
  }
  void Grow(std::vector<NodeSpec>& nodes, const NodeId& parent, int tiers_below) {
    const uint64_t children = 1 + rng_.Below(tiers_below == 1 ? 4 : 3);
    for (uint64_t i = 0; i < children; ++i) {
      const bool site = tiers_below > 1 && (i == 0 || !Chance(4));
      const NodeId id = (site ? "a" : "w") + std::to_string(site ? sites_++ : workers_++);
      nodes.push_back({id, site ? NodeRole::kAggregator : NodeRole::kWorker, parent, {}, ""});
      if (site) Grow(nodes, id, tiers_below - 1);
    }
  }

  // ---- what goes wrong ----

  void Disturb() {
    schedule_.task_s = Chance(4) ? 0.02 : Between(0.2, 3);
    schedule_.control_latency = milliseconds(1 + (Chance(3) ? rng_.Below(400) : 0));
    const double rates[] = {0, 0, 0.005, 0.03, 0.15};
    schedule_.fault_rate = rates[rng_.Below(5)];
    if (Chance(3)) return;  // nothing that could end the run
    if (Chance(5)) schedule_.bad_updates = 0.05;
    schedule_.loses_frames = Chance(4);
    schedule_.hangs = Chance(8);
    for (uint64_t deaths = rng_.Below(5); deaths > 0; --deaths) AddDeath();
  }
  void AddDeath() {
    const size_t node = rng_.Below(schedule_.topology.nodes().size());
    if (node == 0 && !Chance(8)) return;
    Schedule::Death death{schedule_.topology.node(node).id,
                          milliseconds(1 + rng_.Below(Chance(2) ? 5'000 : 60'000)),
                          {}};
    if (!Chance(4)) death.away = milliseconds(rng_.Below(Chance(2) ? 100 : 15'000));
    schedule_.deaths.push_back(std::move(death));
  }

  // ---- strategy ----

  void Choose() {
    StrategySpec& strategy = schedule_.config.strategy;
    enum { kSynchronous, kBarriers, kStreams, kMixture };
    const int kind = static_cast<int>(rng_.Below(4));
    strategy.fold = {Chance(3) ? "mean" : "fedavg", {}};
    strategy.policy = AllPolicy();
    // Where only some take part a node may have fewer children than the tree says.
    if (kind != kSynchronous && Chance(3)) {
      strategy.selector = {"fraction", {{"fraction", Between(0.4, 1)}}};
    }
    const int tiers = schedule_.topology.num_tiers() - 1;
    std::vector<bool> barriers;
    schedule_.synchronous = strategy.selector.name == "all";
    for (int tier = 0; tier < tiers; ++tier) {
      TierSpec spec{.tier = tier, .policy = AllPolicy(), .fold = {}};
      if (kind == kBarriers || (kind == kMixture && Chance(2))) spec.policy = BarrierPolicy(tier);
      if (kind == kStreams || (kind == kMixture && Chance(2))) spec.policy = StreamPolicy(tier);
      barriers.push_back(Strategies().policies.Create(*spec.policy).value()->has_barrier());
      schedule_.synchronous = schedule_.synchronous && spec.policy->name == "all";
      strategy.tiers.push_back(std::move(spec));
    }
    schedule_.has_barriers = std::ranges::count(barriers, false) == 0;
    // Rounds of some over nodes without rounds are refused.
    if (barriers.front() && !schedule_.has_barriers) strategy.selector = {"all", {}};
    if (schedule_.has_barriers && tiers > 1 && Chance(4)) {
      strategy.tiers.back().kappa = 2;
      schedule_.has_local_rounds = true;
    }
    const char* const kinds[] = {"constant", "polynomial", "hinge", "exponential", "inverse-sqrt"};
    strategy.staleness = {kinds[rng_.Below(5)], {}};
    schedule_.bounds_staleness = Chance(2);
    if (schedule_.bounds_staleness) {
      strategy.staleness.params["max"] = static_cast<int64_t>(rng_.Below(6));
    }
    if (!barriers.front() && Chance(3)) {
      strategy.mixing = {"models", {{"alpha", Between(0.1, 1)}}};
    } else if (Chance(2)) {
      strategy.mixing = {"deltas", {{"divisor", "discounted"}}};
    }
  }

  // By codecs that lose nothing: what is made is what would be made without them.
  void Encode() {
    if (codecs_.Below(2) == 0) return;
    const auto some = [this](std::vector<PartSpec> codecs) -> LinkSpec::Codecs {
      if (codecs_.Below(3) == 0) return std::nullopt;
      return codecs;
    };
    const auto link = [&] {
      return LinkSpec{.updates = some({{"zstd", {}}}),
                      .partials = some({{"zstd", {}}}),
                      .models = codecs_.Below(2) == 0 ? some({{"zstd", {}}})
                                                      : some({{"delta", {}}, {"zstd", {}}})};
    };
    StrategySpec& strategy = schedule_.config.strategy;
    strategy.links = link();
    // At the lowest tier there are no partials to encode.
    if (codecs_.Below(2) == 0 && strategy.tiers.size() > 1) strategy.tiers.front().link = link();
  }

  // By a fold that is worked out in passes over the tree.
  void AskInPasses() {
    if (!schedule_.has_barriers || schedule_.has_local_rounds || passes_.Below(3) != 0) return;
    // Such folds take what the bad ones say, unless it is no number.
    if (schedule_.bad_updates != 0) return;
    const PartSpec folds[] = {{"median", {}},
                              {"trimmed-mean", {{"trim", 0}}},
                              {"geometric-median", {{"iterations", 1}}},
                              {"centered-clipping", {{"clip", 1}, {"iterations", 1}}}};
    StrategySpec& strategy = schedule_.config.strategy;
    strategy.fold = folds[passes_.Below(4)];
    strategy.mixing = {"deltas", {}};
    for (TierSpec& tier : strategy.tiers) tier.passes = tier.tier > 0;
  }

  static const StrategyRegistries& Strategies() {
    static const StrategyRegistries registries = [] {
      StrategyRegistries all;
      RegisterBuiltinStrategies(all);
      return all;
    }();
    return registries;
  }

  // Long enough that only those run into it who will never answer; shorter where that is tried.
  double Deadline() {
    return schedule_.harmless() || Chance(2) ? 900 : Between(2, 10) * schedule_.task_s + 2;
  }
  double Patience() const { return schedule_.harmless() ? 2000 : 300; }
  PartSpec AllPolicy() const { return {"all", {{"timeout_s", Patience()}}}; }
  PartSpec BarrierPolicy(int tier) {
    switch (rng_.Below(schedule_.config.strategy.selector.name == "all" ? 4 : 3)) {
      case 0:
        return AllPolicy();
      case 1:
        return {"quorum", {{"fraction", Between(0.1, 1)}, {"deadline_s", Deadline()}}};
      case 3:
        return {"quorum",
                {{"count", static_cast<int64_t>(1 + rng_.Below(FewestChildren(tier)))},
                 {"timeout_s", Deadline()}}};
      default:
        return {"over_select",
                {{"factor", Between(1, 2)},
                 {"min_fraction", Between(0.1, 1)},
                 {"deadline_s", Deadline()}}};
    }
  }
  PartSpec StreamPolicy(int tier) {
    PartSpec policy = WithoutBarrier(tier);
    policy.params["timeout_s"] = Patience();
    return policy;
  }
  PartSpec WithoutBarrier(int tier) {
    const auto some_children = [&] {
      return static_cast<int64_t>(1 + rng_.Below(FewestChildren(tier)));
    };
    switch (rng_.Below(5)) {
      case 0:
        return {"every_update", {}};
      case 1:
        return {"interval", {{"period_s", Between(0.5, 3) * schedule_.task_s}}};
      case 2:
        return {"tiered",
                {{"groups", some_children()},
                 {"regroup_every", static_cast<int64_t>(1 + rng_.Below(5))},
                 {"weights", tier == 0 && Chance(2) ? "inverse" : "none"}}};
      case 3:
        // It can stand at the root only.
        if (tier == 0) return {"fedcompass", {{"q_min", 20}, {"q_max", 100}}};
        [[fallthrough]];
      default: {
        PartSpec buffered{"buffered", {{"size", some_children()}}};
        if (Chance(2)) buffered.params["max_wait_s"] = Between(1, 5) * schedule_.task_s;
        return buffered;
      }
    }
  }
  uint64_t FewestChildren(int tier) const {
    uint64_t fewest = 100;
    for (const TopologyNode& node : schedule_.topology.nodes()) {
      if (node.tier != tier || node.role == NodeRole::kWorker) continue;
      fewest = std::min<uint64_t>(fewest, node.children.size());
    }
    return fewest;
  }

  void Limit() {
    RuntimeLimits& limits = schedule_.config.limits;
    limits.heartbeat_interval = seconds(2);
    limits.heartbeat_timeout = seconds(6 + rng_.Below(25));
    // Stalls of up to 10 s, several in a row perhaps, do no harm to an upload.
    limits.upload_stall_timeout = seconds(rng_.Below(26) + (schedule_.harmless() ? 120 : 5));
    // Made-up work takes its time even if it is cancelled.
    limits.cancel_grace = seconds(1 + rng_.Below(5) + (schedule_.harmless() ? 120 : 0));
    limits.staging_bytes = Chance(3) ? 0 : 1 + rng_.Below(200);
  }

  Rng rng_;
  // Apart, so that the rest of a seed's schedule does not depend on them.
  Rng codecs_;
  Rng passes_;
  Schedule schedule_;
  int sites_ = 0;
  int workers_ = 0;
};

}  // namespace

Schedule DrawSchedule(uint64_t seed) { return Draw(seed).Make(); }

// Links keep their promise, or break: they delay, are cut, let a flipped bit through, or fall
// silent and are cut later.
testing::FaultPlan Schedule::Faults() const {
  if (fault_rate == 0 && !loses_frames) return nullptr;
  auto rng = std::make_shared<Rng>(DeriveSeed(seed, {kFaults}));
  const double rate = std::max(fault_rate, 0.005);
  return [rng, rate, lossy = loses_frames](const testing::FrameContext& context) -> testing::Fault {
    using Kind = testing::Fault::Kind;
    if (rng->Uniform() >= rate) return {};
    switch (rng->Below(lossy ? 8 : 6)) {
      case 0:
      case 1:
      case 2:
        return {Kind::kDelay, milliseconds(rng->Below(rng->Below(4) == 0 ? 4000 : 200))};
      case 3:
        return {Kind::kCut};
      case 4:
        return {std::holds_alternative<ChunkFrame>(*context.frame) ? Kind::kCorrupt : Kind::kNone};
      case 5:
        return {Kind::kStall, milliseconds(rng->Below(10'000))};
      case 6:
        return {Kind::kDuplicate};
      default:
        return {Kind::kDrop};
    }
  };
}

Simulation::TaskModel Schedule::Work(const NodeId& node) const {
  const uint64_t mine = DeriveSeed(seed, {kWork, HashOf(node)});
  Rng rng(mine);
  const double slow = rng.Below(5) == 0 ? 10 : 1;
  const bool stuck = hangs && rng.Below(6) == 0;
  Simulation::TaskModel model;
  model.duration = [mine, longest = 2 * task_s * slow](uint64_t n) -> Duration {
    if (n == 0) return Duration(0);  // to make its learner
    return FromSeconds(Rng(DeriveSeed(mine, {n})).Uniform() * longest);
  };
  if (stuck) {
    model.hang = [mine](uint64_t n) {
      return n > 0 && Rng(DeriveSeed(mine, {n, 1})).Below(4) == 0;
    };
  }
  return model;
}

std::string Schedule::Describe() const {
  std::string text = RenderTree(topology, {.ascii = true});
  for (const TierSpec& tier : config.strategy.tiers) {
    text += "tier " + std::to_string(tier.tier) + ": " + tier.policy->name;
    for (const auto& [name, value] : tier.policy->params) text += " " + name + "=" + ToJson(value);
    text += " kappa=" + std::to_string(tier.kappa) + (tier.passes ? " passes" : "") + "\n";
  }
  text += "fold " + config.strategy.fold.name + ", selector " + config.strategy.selector.name +
          ", staleness " + config.strategy.staleness.name + ", mixing " +
          config.strategy.mixing.name + ", rounds " + std::to_string(config.rounds) + "\n";
  text += "faults " + std::to_string(fault_rate) + (loses_frames ? " with losses" : "") +
          (hangs ? ", hangs" : "") + ", bad updates " + std::to_string(bad_updates) + ", task_s " +
          std::to_string(task_s) + ", staging " + std::to_string(config.limits.staging_bytes) +
          "\n";
  for (const Death& death : deaths) {
    text += death.node + " dies at " + std::to_string(ToSeconds(death.at)) +
            (death.away ? " for " + std::to_string(ToSeconds(*death.away)) : " for good") + "\n";
  }
  return text;
}

}  // namespace skein
