#include "skein/builtins/strategies.h"

#include <cstdio>
#include <cstdlib>

#include "skein/base/status.h"
#include "strategy/parts.h"

namespace skein {

void RegisterBuiltinStrategies(StrategyRegistries& registries) {
  for (auto* register_part :
       {RegisterFedAvg, RegisterMean, RegisterSgd, RegisterSelectAll, RegisterSelectFraction,
        RegisterSelectCount, RegisterPolicyAll, RegisterPolicyQuorum, RegisterMaxNormFilter}) {
    const absl::Status status = register_part(registries);
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", Message(status).c_str());
    std::abort();
  }
}

}  // namespace skein
