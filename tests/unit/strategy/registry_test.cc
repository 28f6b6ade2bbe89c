#include "skein/strategy/registry.h"

#include <gmock/gmock.h>

#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::ElementsAre;

TEST(Registry, KnowsWhatShips) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_THAT(registries.folds.Names(),
              ElementsAre("bulyan", "centered-clipping", "clipped-mean", "fedavg", "fednova",
                          "fedsgd", "geometric-median", "krum", "mean", "median", "multi-krum",
                          "qfedavg", "signsgd", "trimmed-mean"));
  EXPECT_THAT(registries.optimizers.Names(),
              ElementsAre("fedadagrad", "fedadam", "fedavgm", "feddyn", "fedyogi", "sgd"));
  EXPECT_THAT(registries.selectors.Names(),
              ElementsAre("all", "count", "fraction", "oort", "power-of-choice", "round-robin",
                          "stratified", "where"));
  EXPECT_THAT(registries.policies.Names(),
              ElementsAre("all", "buffered", "every_update", "fedcompass", "interval",
                          "over_select", "quorum", "tiered"));
  EXPECT_THAT(registries.staleness.Names(),
              ElementsAre("constant", "exponential", "hinge", "inverse-sqrt", "polynomial"));
  EXPECT_THAT(registries.mixing.Names(), ElementsAre("deltas", "models"));
  EXPECT_THAT(registries.filters.Names(), ElementsAre("max-norm"));
}

TEST(Registry, EveryPartAndParameterIsDescribed) {
  const StrategyRegistries registries = BuiltinStrategies();
  const auto check = [](const auto& registry) {
    for (const std::string& name : registry.Names()) {
      const PartDescriptor* part = registry.Find(name);
      ASSERT_NE(part, nullptr);
      EXPECT_NE(part->summary, "") << name;
      EXPECT_NE(part->source, "") << name;
      for (const ParamSpec& spec : part->schema.specs()) {
        EXPECT_NE(spec.doc, "") << name << "." << spec.name;
      }
    }
  };
  check(registries.folds);
  check(registries.staleness);
  check(registries.mixing);
  check(registries.optimizers);
  check(registries.selectors);
  check(registries.policies);
  check(registries.filters);
  EXPECT_EQ(registries.folds.Find("kram"), nullptr);
}

TEST(Registry, AnUnknownPartIsAnsweredWithTheNearestOrTheList) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_EQ(Refusal(registries.folds, "fedagv"), "unknown fold 'fedagv', did you mean 'fedavg'?");
  EXPECT_EQ(Refusal(registries.mixing, "gradients"),
            "unknown mixing 'gradients', there is deltas, models");
  EXPECT_EQ(Message(UnknownPart("codec", "zip", {})), "unknown codec 'zip', there is none");
}

TEST(Registry, ANameIsTakenOnce) {
  StrategyRegistries registries = BuiltinStrategies();
  const absl::Status again = registries.selectors.Register(
      {.name = "all"}, [](const Params&) -> absl::StatusOr<std::shared_ptr<Selector>> {
        return absl::UnimplementedError("not called");
      });
  EXPECT_EQ(again.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Message(again), "selector 'all' is registered already");
  EXPECT_NE(Make(registries.selectors, "all"), nullptr) << "the first one stays";
}

TEST(Registry, ParametersAreCheckedBeforeThePartIsMade) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_EQ(Refusal(registries.folds, "fedavg", {{"integers", "sum"}}),
            "fold 'fedavg': 'integers' must be one of max, mean, not 'sum'");
  EXPECT_EQ(Refusal(registries.selectors, "all", {{"count", 3}}),
            "selector 'all': unknown parameter 'count', it takes none");
}

}  // namespace
}  // namespace skein
