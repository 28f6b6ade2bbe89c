#include "skein/testing/fold_conformance.h"

#include "skein/builtins/strategies.h"

namespace skein::testing {
namespace {

std::function<std::shared_ptr<const Fold>()> Builtin(const std::string& name, ValueMap params) {
  return [name, params] {
    StrategyRegistries registries;
    RegisterBuiltinStrategies(registries);
    auto fold = registries.folds.Create({name, params});
    return fold.ok() ? *fold : nullptr;
  };
}

double Samples(const UpdateHeader& header) { return static_cast<double>(header.num_samples); }
double One(const UpdateHeader&) { return 1; }

INSTANTIATE_TEST_SUITE_P(
    Linear, FoldConformance,
    ::testing::Values(FoldCase{"FedAvg", Builtin("fedavg", {}), Samples},
                      FoldCase{"FedAvgIntegerMean", Builtin("fedavg", {{"integers", "mean"}}),
                               Samples},
                      FoldCase{"Mean", Builtin("mean", {}), One},
                      FoldCase{"MeanIntegerMean", Builtin("mean", {{"integers", "mean"}}), One}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace skein::testing
