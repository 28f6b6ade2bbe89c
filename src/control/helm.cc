#include "skein/control/helm.h"

#include <exception>
#include <utility>

#include "skein/base/status.h"

namespace skein {
namespace {

// The part with the defaults of all of its parameters: what is recorded must be complete.
template <typename Part>
absl::StatusOr<PartSpec> Completed(const Registry<Part>& registry, const std::string& kind,
                                   PartSpec part) {
  SKEIN_RETURN_IF_ERROR(registry.Create(part).status());
  SKEIN_ASSIGN_OR_RETURN(const Params params, registry.Find(part.name)->schema.Resolve(
                                                  part.params, kind + " '" + part.name + "'"));
  part.params = params.values();
  return part;
}

}  // namespace

Helm::Helm(std::shared_ptr<Steering> steering, StrategySpec strategy,
           std::shared_ptr<const Topology> topology, const StrategyRegistries* registries)
    : steering_(std::move(steering)),
      topology_(std::move(topology)),
      registries_(registries),
      original_selector_(strategy.selector),
      barriers_(BarriersOf(strategy, topology_->num_tiers(), *registries)),
      strategy_(std::move(strategy)) {}

Helm::Outcome Helm::Ask(SteeringRecord record) {
  Outcome outcome;
  if (steering_ == nullptr) return outcome;
  record.strategy = strategy_;
  record.root_has_barrier = barriers_.front();
  auto decision = AskHook(record);
  if (!decision.ok()) {
    outcome.refused = Message(decision.status());
    return outcome;
  }
  if (decision->empty()) return outcome;
  if (decision->stop) {  // a run that ends needs no change
    outcome.decision.stop = std::move(decision->stop);
    outcome.decision.why = std::move(decision->why);
    return outcome;
  }
  absl::StatusOr<StrategySpec> changed = absl::UnknownError("");
  decision = Complete(*std::move(decision));
  if (decision.ok()) changed = Changed(*decision);
  if (!decision.ok() || !changed.ok()) {
    outcome.refused = Message(decision.ok() ? changed.status() : decision.status());
    return outcome;
  }
  strategy_ = *std::move(changed);
  outcome.decision = *std::move(decision);
  if (outcome.decision.selector) {
    outcome.selector = *registries_->selectors.Create(*outcome.decision.selector);
  }
  ++change_.number;
  if (outcome.decision.optimizer) change_.optimizer = outcome.decision.optimizer;
  for (const auto& [tier, policy] : outcome.decision.policies) change_.policies[tier] = policy;
  return outcome;
}

absl::StatusOr<SteeringDecision> Helm::AskHook(const SteeringRecord& record) {
  try {
    return steering_->Decide(record);
  } catch (const std::exception& error) {
    return absl::InternalError(std::string("the hook threw: ") + error.what());
  } catch (...) {
    return absl::InternalError("the hook threw something that is no std::exception");
  }
}

absl::StatusOr<SteeringDecision> Helm::Complete(SteeringDecision decision) const {
  if (decision.selector) {
    if (!barriers_.front()) {
      return absl::FailedPreconditionError(
          "the selector cannot change: the root has no barrier, so nobody is selected anew");
    }
    SKEIN_ASSIGN_OR_RETURN(decision.selector,
                           Completed(registries_->selectors, "selector", *decision.selector));
  }
  if (decision.optimizer) {
    PartSpec& optimizer = *decision.optimizer;
    if (optimizer.name.empty()) {
      optimizer.name = strategy_.optimizer.name;
      // merge() keeps what is there already.
      optimizer.params.merge(ValueMap(strategy_.optimizer.params));
    }
    SKEIN_ASSIGN_OR_RETURN(optimizer, Completed(registries_->optimizers, "optimizer", optimizer));
  }
  for (auto& [tier, policy] : decision.policies) {
    SKEIN_ASSIGN_OR_RETURN(policy, Completed(registries_->policies, "policy", policy));
  }
  return decision;
}

absl::StatusOr<StrategySpec> Helm::Changed(const SteeringDecision& decision) const {
  StrategySpec changed = WithPolicies(strategy_, decision.policies);
  if (decision.selector) changed.selector = *decision.selector;
  if (decision.optimizer) changed.optimizer = *decision.optimizer;
  SKEIN_RETURN_IF_ERROR(ValidateStrategy(changed, *topology_, *registries_));
  const std::vector<bool> barriers = BarriersOf(changed, topology_->num_tiers(), *registries_);
  for (const auto& [tier, policy] : decision.policies) {
    const auto at = static_cast<size_t>(tier);
    if (barriers[at] == barriers_[at]) continue;
    return absl::FailedPreconditionError(
        "tier " + std::to_string(tier) + ": policy '" + policy.name + "' has " +
        (barriers[at] ? "a barrier and the tier has none" : "no barrier and the tier has one") +
        ": that cannot change in a run");
  }
  return changed;
}

std::vector<bool> Helm::LossIsFatal() const {
  // Only known parts can say what they need; the coordinator refuses to start with others.
  const auto selector = registries_->selectors.Create(strategy_.selector);
  bool everyone = selector.ok() && (*selector)->SelectsEveryone();
  std::vector<bool> fatal;
  const int num_tiers = topology_->num_tiers();
  for (int tier = 0; everyone && tier < num_tiers - 1; ++tier) {
    const auto parts = MakeTierParts(strategy_, tier, num_tiers, *registries_);
    everyone = parts.ok() && parts->policy->NeedsEveryone();
    fatal.push_back(everyone);
  }
  return fatal;
}

}  // namespace skein
