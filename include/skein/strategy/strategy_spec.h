#ifndef SKEIN_STRATEGY_STRATEGY_SPEC_H_
#define SKEIN_STRATEGY_STRATEGY_SPEC_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/strategy/registry.h"
#include "skein/topology/topology.h"

namespace skein {

// How tensors travel on the links between a tier's nodes and their children: codecs one after
// another, none to send them as they are. What is absent is inherited.
struct LinkSpec {
  using Codecs = std::optional<std::vector<PartSpec>>;
  Codecs updates;   // of workers, up
  Codecs partials;  // of aggregators, up; one that loses something makes means of the exact sums
  Codecs models;    // down
  friend bool operator==(const LinkSpec&, const LinkSpec&) = default;
};

// What is different at one tier; what is absent is inherited from the strategy.
struct TierSpec {
  int tier = 0;  // of the aggregating node, 0 is the root
  std::optional<PartSpec> policy;
  std::optional<PartSpec> fold;
  int kappa = 1;  // local rounds per round of the tier above
  // Passes contributions on to the tier above, whose fold needs all of them, as they are.
  bool collect = false;
  // Holds contributions for the tier above, whose fold asks about them in passes.
  bool passes = false;
  LinkSpec link = {};  // to its children
  friend bool operator==(const TierSpec&, const TierSpec&) = default;
};

// A strategy as data: selector + fold + server optimizer + round policy + filters + terms + codecs.
struct StrategySpec {
  PartSpec fold{"fedavg", {}};
  PartSpec optimizer{"sgd", {}};
  PartSpec selector{"all", {}};
  PartSpec policy{"all", {}};
  // Without a barrier: what contributions to older versions weigh, and how they are mixed.
  PartSpec staleness{"inverse-sqrt", {}};
  PartSpec mixing{"deltas", {}};
  std::vector<PartSpec> filters;
  std::vector<PartSpec> terms;  // that learners apply while they train
  LinkSpec links;
  std::vector<TierSpec> tiers;
  friend bool operator==(const StrategySpec&, const StrategySpec&) = default;
};

// The strategy with these policies at their tiers.
StrategySpec WithPolicies(StrategySpec spec, const TierPolicies& policies);

// Whether a fold of it, at some tier, goes by the loss that a worker had before it trained.
bool WantsInitialLoss(const StrategySpec& spec, const StrategyRegistries& registries);

// What a tier's links work with: its own codecs, or else the strategy's; none where neither says.
LinkSpec LinksOf(const StrategySpec& spec, int tier);

// The parts that an aggregating node at one tier works with.
struct TierParts {
  std::shared_ptr<const Fold> fold;
  std::shared_ptr<const RoundPolicy> policy;
  std::vector<std::shared_ptr<const UpdateFilter>> filters;
  std::shared_ptr<const Staleness> staleness;
  std::shared_ptr<const Mixing> mixing;
  // The fold of the tier above, where what this tier makes is one contribution to it: it is another
  // one, or it does not compose. Null where partials merge, and at the root.
  std::shared_ptr<const Fold> above;
  int kappa = 1;
  bool collects = false;  // passes on what it was given, for the fold above, which is also its own
  // Answers what the fold above, which is also its own, asks in passes; the highest tier to do so
  // is led by the one above it.
  bool answers_passes = false;
  bool leads_passes = false;
};

// Makes the parts for a node at `tier` of a tree with `num_tiers` tiers (workers included). The
// inherited policy is relaxed for tiers above the lowest. InvalidArgument for users.
absl::StatusOr<TierParts> MakeTierParts(const StrategySpec& spec, int tier, int num_tiers,
                                        const StrategyRegistries& registries);

// By aggregating tier, whether its nodes wait for their children; true where a part is not known.
std::vector<bool> BarriersOf(const StrategySpec& spec, int num_tiers,
                             const StrategyRegistries& registries);

// Where the folds stand that do not compose, for the record of a run: "flat" if the root is the
// only aggregating node, "collect" if all others pass updates on to it, "passes" if all others
// answer what it asks about them, "leaf" right above the workers, "root", "two-tier" if both of
// these, or the tiers' numbers; empty if all folds compose.
std::string FoldPlacement(const StrategySpec& spec, int num_tiers,
                          const StrategyRegistries& registries);

// InvalidArgument "evaluate: ..." for users if some tier has no barrier, by what BarriersOf says:
// its workers are always at work.
absl::Status CheckWorkersCanEvaluate(const std::vector<bool>& barriers);

// InvalidArgument "strategy, tier 1: ..." for users if a policy with a barrier waits for less than
// the time between two heartbeats of a node.
absl::Status CheckDeadlines(const StrategySpec& spec, int num_tiers, Duration heartbeat,
                            const StrategyRegistries& registries);

// Checks a strategy against a tree: all parts exist with good parameters, tiers are aggregating
// tiers and listed once, kappa is 1 at the root and in range, a fold that does not compose stands
// above itself only where the tier asks for it, what reports as one has rounds, no part needs more
// workers or children than there are or are selected, what can only stand at the root stands there,
// terms have what they count on. Names the tier and, where it matters, the node.
absl::Status ValidateStrategy(const StrategySpec& spec, const Topology& topology,
                              const StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_STRATEGY_STRATEGY_SPEC_H_
