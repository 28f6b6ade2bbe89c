#ifndef SKEIN_TESTS_UNIT_STRATEGY_BUILTIN_PARTS_H_
#define SKEIN_TESTS_UNIT_STRATEGY_BUILTIN_PARTS_H_

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "skein/builtins/strategies.h"
#include "skein/strategy/registry.h"

namespace skein {

inline StrategyRegistries BuiltinStrategies() {
  StrategyRegistries registries;
  RegisterBuiltinStrategies(registries);
  return registries;
}

// The part, or a failure of the test.
template <typename Part>
std::shared_ptr<Part> Make(const Registry<Part>& registry, const std::string& name,
                           const ValueMap& params = {}) {
  auto part = registry.Create({name, params});
  EXPECT_TRUE(part.ok()) << part.status();
  return part.ok() ? *part : nullptr;
}

// The message with which making it is refused.
template <typename Part>
std::string Refusal(const Registry<Part>& registry, const std::string& name,
                    const ValueMap& params = {}) {
  auto part = registry.Create({name, params});
  EXPECT_EQ(part.status().code(), absl::StatusCode::kInvalidArgument);
  return Message(part.status());
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_STRATEGY_BUILTIN_PARTS_H_
