#include "skein/strategy/strategy_spec.h"

#include <algorithm>
#include <set>

#include "skein/base/status.h"
#include "strategy/client_terms.h"

namespace skein {
namespace {

constexpr int kMaxKappa = 10000;

const TierSpec* FindTier(const StrategySpec& spec, int tier) {
  auto it = std::ranges::find(spec.tiers, tier, &TierSpec::tier);
  return it == spec.tiers.end() ? nullptr : &*it;
}

std::string TierName(int tier) { return "strategy, tier " + std::to_string(tier); }

absl::Status CheckTiers(const StrategySpec& spec, int num_tiers) {
  std::set<int> seen;
  for (const TierSpec& tier : spec.tiers) {
    const std::string name = TierName(tier.tier);
    if (tier.tier < 0 || tier.tier > num_tiers - 2) {
      return absl::InvalidArgumentError(name + ": the tree's aggregating tiers are 0 to " +
                                        std::to_string(num_tiers - 2));
    }
    if (!seen.insert(tier.tier).second) {
      return absl::InvalidArgumentError(name + ": it is listed twice");
    }
    if (tier.kappa < 1 || tier.kappa > kMaxKappa) {
      return absl::InvalidArgumentError(name + ": kappa is " + std::to_string(tier.kappa) +
                                        ", it must be from 1 to " + std::to_string(kMaxKappa));
    }
    if (tier.tier == 0 && tier.collect) {
      return absl::InvalidArgumentError(name +
                                        ": collect passes contributions on to the tier "
                                        "above, and there is none");
    }
    if (tier.tier == 0 && tier.passes) {
      return absl::InvalidArgumentError(name +
                                        ": passes answers what the tier above asks, and there is "
                                        "none; say it of the tiers below");
    }
    if (tier.tier == 0 && tier.kappa != 1) {
      return absl::InvalidArgumentError(
          name + ": kappa counts local rounds below the root; use 'rounds' for the root's");
    }
  }
  uint64_t tasks = 1;
  for (const TierSpec& tier : spec.tiers) {
    tasks *= static_cast<uint64_t>(tier.kappa);  // checked at each step, so that it cannot wrap
    if (tasks > 1'000'000) {
      return absl::InvalidArgumentError("strategy: the tiers' kappas multiply to " +
                                        std::to_string(tasks) +
                                        " tasks a round or more, at most 1000000");
    }
  }
  return absl::OkStatus();
}

const PartSpec& PolicyOf(const StrategySpec& spec, int tier) {
  const TierSpec* own = FindTier(spec, tier);
  return own != nullptr && own->policy ? *own->policy : spec.policy;
}

bool HasOwnPolicy(const StrategySpec& spec, int tier) {
  const TierSpec* own = FindTier(spec, tier);
  return own != nullptr && own->policy;
}

bool Collects(const StrategySpec& spec, int tier) {
  const TierSpec* own = FindTier(spec, tier);
  return tier > 0 && own != nullptr && own->collect;
}

bool AnswersPasses(const StrategySpec& spec, int tier) {
  const TierSpec* own = FindTier(spec, tier);
  return tier > 0 && own != nullptr && own->passes;
}

// Whether it finishes nothing: a tier above does, with the contributions that come here.
bool ServesAbove(const StrategySpec& spec, int tier) {
  return Collects(spec, tier) || AnswersPasses(spec, tier);
}

// Of a tier that serves one above: that one's.
const PartSpec& FoldOf(const StrategySpec& spec, int tier) {
  while (ServesAbove(spec, tier)) --tier;
  const TierSpec* own = FindTier(spec, tier);
  return own != nullptr && own->fold ? *own->fold : spec.fold;
}

bool HasOwnFold(const StrategySpec& spec, int tier) {
  const TierSpec* own = FindTier(spec, tier);
  return own != nullptr && own->fold;
}

std::string FoldName(const StrategySpec& spec, int tier) {
  return TierName(tier) + ": fold '" + FoldOf(spec, tier).name + "'";
}

// Whether they are one fold, also where one says what is the other's default.
bool SameFold(const PartSpec& a, const PartSpec& b, const StrategyRegistries& registries) {
  if (a.name != b.name) return false;
  const PartDescriptor* known = registries.folds.Find(a.name);
  if (known == nullptr) return a == b;
  const auto of_a = known->schema.Resolve(a.params, "");
  const auto of_b = known->schema.Resolve(b.params, "");
  return of_a.ok() && of_b.ok() && of_a->values() == of_b->values();
}

// For messages: "strategy, tier 1: policy 'quorum'".
std::string PolicyName(const StrategySpec& spec, int tier) {
  return TierName(tier) + ": policy '" + PolicyOf(spec, tier).name + "'";
}

absl::Status CheckPolicyFits(const StrategySpec& spec, int tier, const RoundPolicy& policy,
                             const Topology& topology, const Selector& selector) {
  const std::string remedy =
      HasOwnPolicy(spec, tier) ? "" : "; give the tier a policy of its own under 'tiers'";
  if (const std::string why = policy.WhyOnlyAtRoot(); tier > 0 && !why.empty()) {
    return absl::InvalidArgumentError(PolicyName(spec, tier) +
                                      " can only stand at the root, tier 0: " + why + remedy);
  }
  const auto needed = static_cast<size_t>(policy.MinChildren());
  const size_t selected = selector.MaxWorkers(selector.EligibleWorkers(topology));
  if (policy.has_barrier() && selected < needed && needed <= topology.num_workers()) {
    return absl::InvalidArgumentError(PolicyName(spec, tier) + " needs " + std::to_string(needed) +
                                      " children and selector '" + spec.selector.name + "' takes " +
                                      std::to_string(selected) +
                                      " workers at most: it could never close");
  }
  for (const TopologyNode& node : topology.nodes()) {
    if (node.tier != tier || node.role == NodeRole::kWorker || node.children.size() >= needed) {
      continue;
    }
    return absl::InvalidArgumentError(PolicyName(spec, tier) + " needs " + std::to_string(needed) +
                                      " children and '" + node.id + "' has " +
                                      std::to_string(node.children.size()) + remedy);
  }
  return absl::OkStatus();
}

// What a tier that makes one contribution of its own is to be folded by.
absl::Status CheckReportsAsOne(int tier, const TierParts& parts, const StrategySpec& spec) {
  const bool other = parts.above != nullptr;
  if ((other ? *parts.above : *parts.fold).TakesSubtrees()) return absl::OkStatus();
  const std::string above = FoldName(spec, other ? tier - 1 : tier);
  if (other) {
    return absl::InvalidArgumentError(above + " goes by what single workers say, and tier " +
                                      std::to_string(tier) + "'s '" + FoldOf(spec, tier).name +
                                      "' makes one contribution of all of them; use one fold at "
                                      "both, or 'fedavg' or 'mean' above");
  }
  return absl::InvalidArgumentError(above + " goes by what single workers say in one round, and " +
                                    "kappa is " + std::to_string(parts.kappa) +
                                    "; use kappa 1, or another fold");
}

// What only makes sense with a barrier, or only without.
absl::Status CheckBarriers(int tier, int num_tiers, const TierParts& parts,
                           const StrategyRegistries& registries, const StrategySpec& spec) {
  if (tier == 0 && parts.policy->has_barrier() && parts.mixing->MixesModels()) {
    return absl::InvalidArgumentError(TierName(0) + ": mixing '" + spec.mixing.name +
                                      "' needs a policy without a barrier, such as "
                                      "'every_update', and this one has one");
  }
  if (tier == 0 && parts.mixing->MixesModels() && !parts.fold->MixesModels()) {
    return absl::InvalidArgumentError(FoldName(spec, 0) + " goes by changes alone, which mixing '" +
                                      spec.mixing.name +
                                      "' makes models of; use mixing 'deltas', or another fold");
  }
  if (!parts.policy->has_barrier() && parts.fold->composition() == Composition::kNone) {
    return absl::InvalidArgumentError(
        FoldName(spec, tier) + " needs every update of a round at once, and policy '" +
        PolicyOf(spec, tier).name + "' has no rounds; use one with a barrier, such as 'all' or " +
        "'quorum'");
  }
  const bool passes_on = parts.collects || parts.answers_passes;
  if (parts.kappa == 1 && parts.above == nullptr && !passes_on) return absl::OkStatus();
  SKEIN_RETURN_IF_ERROR(CheckReportsAsOne(tier, parts, spec));
  const std::vector<bool> barriers = BarriersOf(spec, num_tiers, registries);
  for (int below = tier; below < num_tiers - 1; ++below) {
    if (barriers[static_cast<size_t>(below)]) continue;
    if (parts.kappa > 1) {
      return absl::InvalidArgumentError(TierName(tier) + ": kappa counts local rounds, and tier " +
                                        std::to_string(below) +
                                        " has none: its policy has no barrier");
    }
    const std::string what =
        parts.collects         ? TierName(tier) + ": collect passes on the contributions of a round"
        : parts.answers_passes ? TierName(tier) + ": passes hold the contributions of a round"
                               : FoldName(spec, tier) + " makes one contribution a round";
    return absl::InvalidArgumentError(
        what + " to tier " + std::to_string(tier - 1) + "'s '" + FoldOf(spec, tier - 1).name +
        "', and tier " + std::to_string(below) +
        " has no rounds; give it a policy with a barrier, such as 'all'");
  }
  return absl::OkStatus();
}

absl::Status CheckCollecting(const StrategySpec& spec, int tier, int lowest, const Fold& fold) {
  const std::string name = TierName(tier) + ": collect";
  for (int below = tier + 1; below <= lowest && ServesAbove(spec, below); ++below) {
    if (!AnswersPasses(spec, below)) continue;
    return absl::InvalidArgumentError(name + " passes contributions on, and tier " +
                                      std::to_string(below) +
                                      " holds them to answer passes; set the same for both");
  }
  if (HasOwnFold(spec, tier)) {
    return absl::InvalidArgumentError(name +
                                      " passes contributions on for the fold of the tier "
                                      "above; leave out 'fold' here, or 'collect'");
  }
  if (fold.composition() != Composition::kNone) {
    return absl::InvalidArgumentError(name + ": the fold above, '" + FoldOf(spec, tier).name +
                                      "', has no need of single updates, partials of it merge; "
                                      "leave it out");
  }
  if (FindTier(spec, tier)->kappa > 1) {
    return absl::InvalidArgumentError(name + " makes no model of its own for the local rounds of " +
                                      "kappa; leave out one of the two");
  }
  return absl::OkStatus();
}

absl::Status CheckAnswering(const StrategySpec& spec, int tier, int lowest, const Fold& fold) {
  const std::string name = TierName(tier) + ": passes";
  if (Collects(spec, tier)) {
    return absl::InvalidArgumentError(name +
                                      " hold contributions here and collect passes them on; "
                                      "leave out one of the two");
  }
  if (HasOwnFold(spec, tier)) {
    return absl::InvalidArgumentError(name +
                                      " answer what the fold of the tier above asks; leave "
                                      "out 'fold' here, or 'passes'");
  }
  if (!fold.HasPasses()) {
    const bool sum = fold.composition() != Composition::kNone;
    return absl::InvalidArgumentError(
        name + ": the fold above, '" + FoldOf(spec, tier).name + "', " +
        (sum ? "is one sum, partials of it merge; leave it out"
             : "goes by pairs of contributions, which no sums tell; use collect instead"));
  }
  if (FindTier(spec, tier)->kappa > 1) {
    return absl::InvalidArgumentError(name +
                                      " make no model here for the local rounds of kappa; "
                                      "leave out one of the two");
  }
  for (int below = tier + 1; below <= lowest; ++below) {
    if (AnswersPasses(spec, below)) continue;
    return absl::InvalidArgumentError(name +
                                      " need to reach those that hold the updates; set it "
                                      "for tier " +
                                      std::to_string(below) + ", too");
  }
  return absl::OkStatus();
}

// What a node is given in a round: one a child, or all that a child collects or speaks for.
size_t ContributionsTo(const StrategySpec& spec, const Topology& topology,
                       const TopologyNode& node) {
  size_t count = 0;
  for (const size_t child : node.children) {
    const TopologyNode& below = topology.nodes()[child];
    const bool all = below.role != NodeRole::kWorker && ServesAbove(spec, below.tier);
    count += all ? ContributionsTo(spec, topology, below) : 1;
  }
  return count;
}

// A fold that needs every update at once, and enough of them.
absl::Status CheckFold(const StrategySpec& spec, int tier, int lowest, const Fold& fold,
                       const Topology& topology, const Selector& selector) {
  if (AnswersPasses(spec, tier)) return CheckAnswering(spec, tier, lowest, fold);
  if (Collects(spec, tier)) return CheckCollecting(spec, tier, lowest, fold);
  int next = tier + 1;  // that has a fold of its own
  while (next <= lowest && ServesAbove(spec, next)) ++next;
  if (next <= lowest && fold.composition() == Composition::kNone && !HasOwnFold(spec, tier) &&
      FoldOf(spec, next).name == FoldOf(spec, tier).name) {
    const std::string below = "tier " + std::to_string(next);
    return absl::InvalidArgumentError(
        FoldName(spec, tier) + " needs every update at once, and " + below +
        " passes none on; under 'tiers', set " + (fold.HasPasses() ? "passes" : "collect") +
        ": true there, or give one of the two another "
        "fold, such as 'mean', or this one a '" +
        FoldOf(spec, tier).name + "' of its own to combine the results of " + below + "'s");
  }
  const auto needed = static_cast<size_t>(fold.MinContributions());
  const std::string needs = FoldName(spec, tier) + " needs " + std::to_string(needed);
  const size_t selected = selector.MaxWorkers(topology.num_workers());
  if (selected < needed && needed <= topology.num_workers()) {
    return absl::InvalidArgumentError(needs + " contributions and selector '" + spec.selector.name +
                                      "' takes " + std::to_string(selected) +
                                      " workers at most: no round could be made");
  }
  for (const TopologyNode& node : topology.nodes()) {
    if (node.tier != tier || node.role == NodeRole::kWorker) continue;
    const size_t given = ContributionsTo(spec, topology, node);
    if (given >= needed) continue;
    return absl::InvalidArgumentError(needs + " children and '" + node.id + "' has " +
                                      std::to_string(given) +
                                      "; give the node more, or the tier another fold" +
                                      (HasOwnFold(spec, tier) ? "" : " under 'tiers'"));
  }
  return absl::OkStatus();
}

// A round's own participants are no use to a node below that has no rounds: it holds what it
// collects for the next task, whoever that is for.
absl::Status CheckSelection(const StrategySpec& spec, int num_tiers, const Selector& selector,
                            const StrategyRegistries& registries) {
  const std::vector<bool> barriers = BarriersOf(spec, num_tiers, registries);
  if (!barriers.front() && selector.Needs() != SelectionNeeds::kNothing) {
    return absl::InvalidArgumentError(
        PolicyName(spec, 0) + " has no rounds, and selector '" + spec.selector.name +
        "' chooses by the rounds before; use selector 'all', or policies with a barrier");
  }
  if (selector.SelectsEveryone() || !barriers.front()) return absl::OkStatus();
  const auto without = std::ranges::find(barriers, false);
  if (without == barriers.end()) return absl::OkStatus();
  const auto tier = static_cast<int>(without - barriers.begin());
  return absl::InvalidArgumentError(
      PolicyName(spec, tier) + " has no rounds, and selector '" + spec.selector.name +
      "' chooses anew in each; use selector 'all', or policies with a barrier at every tier");
}

absl::Status CheckSelectorFits(const std::string& name, const Selector& selector,
                               const Topology& topology) {
  const std::string place = "strategy: selector '" + name + "'";
  if (const absl::Status fits = selector.CheckTree(topology); !fits.ok()) {
    return absl::InvalidArgumentError(place + " " + Message(fits));
  }
  const size_t eligible = selector.EligibleWorkers(topology);
  if (selector.MinWorkers() > eligible) {
    const bool all = eligible == topology.num_workers();
    return absl::InvalidArgumentError(place + " takes " + std::to_string(selector.MinWorkers()) +
                                      " workers or more and the tree has " +
                                      std::to_string(eligible) + (all ? "" : " that it may take"));
  }
  const size_t most = selector.MaxWorkers(eligible);
  if (selector.Needs() == SelectionNeeds::kReports && most > kMaxWorkerReports) {
    return absl::InvalidArgumentError(
        place + " takes up to " + std::to_string(most) + " workers, and reports of at most " +
        std::to_string(kMaxWorkerReports) + " can travel with a round; take fewer");
  }
  return absl::OkStatus();
}

}  // namespace

StrategySpec WithPolicies(StrategySpec spec, const TierPolicies& policies) {
  for (const auto& [tier, policy] : policies) {
    auto own = std::ranges::find(spec.tiers, tier, &TierSpec::tier);
    if (own == spec.tiers.end()) own = spec.tiers.insert(own, TierSpec{.tier = tier});
    own->policy = policy;
  }
  return spec;
}

LinkSpec LinksOf(const StrategySpec& spec, int tier) {
  const TierSpec* own = FindTier(spec, tier);
  LinkSpec link = spec.links;
  if (own == nullptr) return link;
  if (own->link.updates) link.updates = own->link.updates;
  if (own->link.partials) link.partials = own->link.partials;
  if (own->link.models) link.models = own->link.models;
  return link;
}

bool WantsInitialLoss(const StrategySpec& spec, const StrategyRegistries& registries) {
  const auto wants = [&](const PartSpec& part) {
    const auto fold = registries.folds.Create(part);
    return fold.ok() && (*fold)->NeedsInitialLoss();
  };
  return wants(spec.fold) || std::ranges::any_of(spec.tiers, [&](const TierSpec& tier) {
           return tier.fold && wants(*tier.fold);
         });
}

absl::StatusOr<TierParts> MakeTierParts(const StrategySpec& spec, int tier, int num_tiers,
                                        const StrategyRegistries& registries) {
  const TierSpec* own = FindTier(spec, tier);
  TierParts parts;
  SKEIN_ASSIGN_OR_RETURN(parts.fold, registries.folds.Create(FoldOf(spec, tier)));
  if (tier > 0) {
    const PartSpec& above = FoldOf(spec, tier - 1);
    SKEIN_ASSIGN_OR_RETURN(auto fold, registries.folds.Create(above));
    const bool merges = fold->composition() != Composition::kNone &&
                        SameFold(above, FoldOf(spec, tier), registries);
    if (!merges) parts.above = std::move(fold);
    parts.collects = Collects(spec, tier);
    parts.answers_passes = AnswersPasses(spec, tier);
    if (parts.collects || parts.answers_passes) parts.above = nullptr;
  }
  parts.leads_passes = !parts.answers_passes && AnswersPasses(spec, tier + 1);
  const bool own_policy = own != nullptr && own->policy;
  SKEIN_ASSIGN_OR_RETURN(parts.policy,
                         registries.policies.Create(own_policy ? *own->policy : spec.policy));
  // An inherited deadline is meant for those who wait for workers.
  for (int below = num_tiers - 2; !own_policy && below > tier; --below) {
    const TierSpec* spec_below = FindTier(spec, below);
    const int times = spec_below != nullptr ? spec_below->kappa : 1;
    if (auto relaxed = parts.policy->Relaxed(times)) parts.policy = std::move(relaxed);
  }
  for (const PartSpec& filter : spec.filters) {
    SKEIN_ASSIGN_OR_RETURN(auto made, registries.filters.Create(filter));
    parts.filters.push_back(std::move(made));
  }
  SKEIN_ASSIGN_OR_RETURN(parts.staleness, registries.staleness.Create(spec.staleness));
  SKEIN_ASSIGN_OR_RETURN(parts.mixing, registries.mixing.Create(spec.mixing));
  parts.kappa = own != nullptr ? own->kappa : 1;
  return parts;
}

std::vector<bool> BarriersOf(const StrategySpec& spec, int num_tiers,
                             const StrategyRegistries& registries) {
  std::vector<bool> barriers;
  for (int tier = 0; tier < num_tiers - 1; ++tier) {
    const auto parts = MakeTierParts(spec, tier, num_tiers, registries);
    barriers.push_back(!parts.ok() || parts->policy->has_barrier());
  }
  return barriers;
}

std::string FoldPlacement(const StrategySpec& spec, int num_tiers,
                          const StrategyRegistries& registries) {
  const int lowest = num_tiers - 2;
  std::vector<int> tiers;
  int collecting = 0;
  int answering = 0;
  for (int tier = 0; tier <= lowest; ++tier) {
    if (Collects(spec, tier)) ++collecting;
    if (AnswersPasses(spec, tier)) ++answering;
    if (ServesAbove(spec, tier)) continue;
    const auto fold = registries.folds.Create(FoldOf(spec, tier));
    if (fold.ok() && (*fold)->composition() == Composition::kNone) tiers.push_back(tier);
  }
  if (tiers.empty()) return "";
  if (lowest == 0) return "flat";
  if (collecting == lowest) return "collect";
  if (answering == lowest) return "passes";
  if (collecting == 0 && answering == 0) {
    if (tiers == std::vector{lowest}) return "leaf";
    if (tiers == std::vector{0}) return "root";
    if (tiers == std::vector{0, lowest}) return "two-tier";
  }
  std::string text = "tiers";
  for (const int tier : tiers) text += (tier == tiers.front() ? " " : ", ") + std::to_string(tier);
  return text;
}

absl::Status CheckWorkersCanEvaluate(const std::vector<bool>& barriers) {
  const auto without = std::find(barriers.begin(), barriers.end(), false);
  if (without == barriers.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "evaluate: workers evaluate where every tier has a barrier, and tier " +
      std::to_string(without - barriers.begin()) + " has none; use 'coordinator' or 'none'");
}

absl::Status CheckDeadlines(const StrategySpec& spec, int num_tiers, Duration heartbeat,
                            const StrategyRegistries& registries) {
  const auto seconds = [](Duration d) { return ToJson(Value(ToSeconds(d))) + " s"; };
  for (int tier = 0; tier < num_tiers - 1; ++tier) {
    SKEIN_ASSIGN_OR_RETURN(const TierParts parts, MakeTierParts(spec, tier, num_tiers, registries));
    const std::optional<Duration> patience = parts.policy->Patience();
    if (!patience || *patience >= heartbeat) continue;
    return absl::InvalidArgumentError(PolicyName(spec, tier) + " waits for " + seconds(*patience) +
                                      ", less than the time between two signs of life of a node, " +
                                      seconds(heartbeat) +
                                      "; give it more, or set limits.heartbeat_interval_s lower");
  }
  return absl::OkStatus();
}

absl::Status ValidateStrategy(const StrategySpec& spec, const Topology& topology,
                              const StrategyRegistries& registries) {
  const int num_tiers = topology.num_tiers();
  SKEIN_RETURN_IF_ERROR(
      Annotate(registries.optimizers.Create(spec.optimizer).status(), "strategy"));
  const auto selector = registries.selectors.Create(spec.selector);
  SKEIN_RETURN_IF_ERROR(Annotate(selector.status(), "strategy"));
  SKEIN_RETURN_IF_ERROR(CheckSelectorFits(spec.selector.name, **selector, topology));
  SKEIN_RETURN_IF_ERROR(Annotate(registries.folds.Create(spec.fold).status(), "strategy"));
  SKEIN_RETURN_IF_ERROR(Annotate(registries.policies.Create(spec.policy).status(), "strategy"));
  SKEIN_RETURN_IF_ERROR(Annotate(registries.staleness.Create(spec.staleness).status(), "strategy"));
  SKEIN_RETURN_IF_ERROR(Annotate(registries.mixing.Create(spec.mixing).status(), "strategy"));
  for (const PartSpec& filter : spec.filters) {
    SKEIN_RETURN_IF_ERROR(Annotate(registries.filters.Create(filter).status(), "strategy"));
  }
  SKEIN_RETURN_IF_ERROR(CheckTiers(spec, num_tiers));
  SKEIN_RETURN_IF_ERROR(CheckSelection(spec, num_tiers, **selector, registries));
  SKEIN_RETURN_IF_ERROR(CheckTerms(spec, num_tiers, registries));
  const int lowest = num_tiers - 2;
  for (int tier = 0; tier <= lowest; ++tier) {
    auto parts = MakeTierParts(spec, tier, num_tiers, registries);
    if (!parts.ok()) return Annotate(parts.status(), TierName(tier));
    SKEIN_RETURN_IF_ERROR(CheckFold(spec, tier, lowest, *parts->fold, topology, **selector));
    SKEIN_RETURN_IF_ERROR(CheckPolicyFits(spec, tier, *parts->policy, topology, **selector));
    SKEIN_RETURN_IF_ERROR(CheckBarriers(tier, num_tiers, *parts, registries, spec));
  }
  return absl::OkStatus();
}

}  // namespace skein
