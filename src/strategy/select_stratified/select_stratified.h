#ifndef SKEIN_SRC_STRATEGY_SELECT_STRATIFIED_SELECT_STRATIFIED_H_
#define SKEIN_SRC_STRATEGY_SELECT_STRATIFIED_SELECT_STRATIFIED_H_

#include "skein/strategy/registry.h"

namespace skein {

// Adds the selector `stratified`: random workers of every branch of the tree. {count or fraction,
// tier: 1}. AlreadyExists if the name is taken.
absl::Status RegisterSelectStratified(StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_STRATIFIED_SELECT_STRATIFIED_H_
