#ifndef SKEIN_SRC_STRATEGY_PARTS_H_
#define SKEIN_SRC_STRATEGY_PARTS_H_

#include "skein/strategy/registry.h"

// The parts that ship, one folder each. To add one: a folder, a line here and a line in
// builtins/strategies.cc.

namespace skein {

absl::Status RegisterFedAvg(StrategyRegistries& registries);
absl::Status RegisterMean(StrategyRegistries& registries);
absl::Status RegisterSgd(StrategyRegistries& registries);
absl::Status RegisterSelectAll(StrategyRegistries& registries);
absl::Status RegisterSelectFraction(StrategyRegistries& registries);
absl::Status RegisterSelectCount(StrategyRegistries& registries);
absl::Status RegisterPolicyAll(StrategyRegistries& registries);
absl::Status RegisterPolicyQuorum(StrategyRegistries& registries);
absl::Status RegisterMaxNormFilter(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PARTS_H_
