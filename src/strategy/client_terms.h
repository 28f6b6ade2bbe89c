#ifndef SKEIN_SRC_STRATEGY_CLIENT_TERMS_H_
#define SKEIN_SRC_STRATEGY_CLIENT_TERMS_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/strategy/client_term.h"
#include "skein/strategy/strategy_spec.h"

namespace skein {

struct NamedTerm {
  std::string name;
  std::shared_ptr<const ClientTerm> term;
};

// The terms that a strategy lists. InvalidArgument for users: unknown, listed twice, bad
// parameters.
absl::StatusOr<std::vector<NamedTerm>> MakeTerms(const StrategySpec& spec,
                                                 const StrategyRegistries& registries);

// MakeTerms, and that each can stand beside the others and the rest of the strategy.
// InvalidArgument "strategy, term 'scaffold': ..." for users.
absl::Status CheckTerms(const StrategySpec& spec, int num_tiers,
                        const StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_CLIENT_TERMS_H_
