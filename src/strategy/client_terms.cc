#include "strategy/client_terms.h"

#include <algorithm>

#include "skein/base/status.h"

namespace skein {
namespace {

absl::Status Bad(const std::string& term, const std::string& why) {
  return absl::InvalidArgumentError("strategy, term '" + term + "': " + why);
}

std::string ListOf(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "'" : " or '") + name + "'";
  }
  return text;
}

absl::Status CheckFolds(const NamedTerm& named, const StrategySpec& spec) {
  const std::vector<std::string>& folds = named.term->folds;
  const auto fits = [&](const PartSpec& fold) {
    return folds.empty() || std::ranges::find(folds, fold.name) != folds.end();
  };
  for (const TierSpec& tier : spec.tiers) {
    if (!tier.fold || fits(*tier.fold)) continue;
    return Bad(named.name, "fold '" + tier.fold->name + "' of tier " + std::to_string(tier.tier) +
                               " does not average, which it counts on; use fold " + ListOf(folds));
  }
  if (fits(spec.fold)) return absl::OkStatus();
  return Bad(named.name, "fold '" + spec.fold.name +
                             "' does not average, which it counts on; use fold " + ListOf(folds));
}

absl::Status CheckRounds(const NamedTerm& named, const StrategySpec& spec, int num_tiers,
                         const StrategyRegistries& registries) {
  if (!named.term->needs_rounds) return absl::OkStatus();
  for (const TierSpec& tier : spec.tiers) {
    if (tier.kappa == 1) continue;
    return Bad(named.name, "tier " + std::to_string(tier.tier) + " has kappa " +
                               std::to_string(tier.kappa) +
                               ", and what workers keep is for rounds of the whole tree; "
                               "leave kappa out");
  }
  const std::vector<bool> barriers = BarriersOf(spec, num_tiers, registries);
  const auto without = std::ranges::find(barriers, false);
  if (without == barriers.end()) return absl::OkStatus();
  return Bad(named.name, "it counts on rounds, and the policy of tier " +
                             std::to_string(without - barriers.begin()) +
                             " has none; use one with a barrier, such as 'all' or 'quorum'");
}

}  // namespace

absl::StatusOr<std::vector<NamedTerm>> MakeTerms(const StrategySpec& spec,
                                                 const StrategyRegistries& registries) {
  std::vector<NamedTerm> terms;
  for (const PartSpec& part : spec.terms) {
    auto term = registries.terms.Create(part);
    if (!term.ok()) return Annotate(term.status(), "strategy");
    if (std::ranges::find(terms, part.name, &NamedTerm::name) != terms.end()) {
      return Bad(part.name, "it is listed twice");
    }
    terms.push_back({part.name, *std::move(term)});
  }
  return terms;
}

absl::Status CheckTerms(const StrategySpec& spec, int num_tiers,
                        const StrategyRegistries& registries) {
  SKEIN_ASSIGN_OR_RETURN(const std::vector<NamedTerm> terms, MakeTerms(spec, registries));
  for (const NamedTerm& named : terms) {
    for (const NamedTerm& other : terms) {
      const std::vector<std::string>& conflicts = named.term->conflicts;
      if (std::ranges::find(conflicts, other.name) == conflicts.end()) continue;
      return Bad(named.name,
                 "it cannot stand beside term '" + other.name + "'; leave one of them out");
    }
    SKEIN_RETURN_IF_ERROR(CheckFolds(named, spec));
    SKEIN_RETURN_IF_ERROR(CheckRounds(named, spec, num_tiers, registries));
    const std::string& optimizer = named.term->optimizer;
    if (!optimizer.empty() && spec.optimizer.name != optimizer) {
      return Bad(named.name, "its other half is optimizer '" + optimizer +
                                 "', and the strategy has optimizer '" + spec.optimizer.name +
                                 "'; set that");
    }
  }
  return absl::OkStatus();
}

}  // namespace skein
