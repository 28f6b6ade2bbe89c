#include "skein/control/helm.h"

#include <functional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/builtins/strategies.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Hook : public Steering {
 public:
  using Function = std::function<absl::StatusOr<SteeringDecision>(const SteeringRecord&)>;
  explicit Hook(Function function) : function_(std::move(function)) {}
  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
    return function_(record);
  }

 private:
  Function function_;
};

class HelmTest : public ::testing::Test {
 protected:
  HelmTest() { RegisterBuiltinStrategies(registries_); }

  Helm Make(Hook::Function hook, StrategySpec strategy = {}) {
    return Helm(std::make_shared<Hook>(std::move(hook)), std::move(strategy),
                std::make_shared<const Topology>(Topology::FromShape("tree:2x3").value()),
                &registries_);
  }
  // What comes of a decision, under FedAvg of all unless told.
  Helm::Outcome Outcome(SteeringDecision decision, StrategySpec strategy = {}) {
    Helm helm = Make([&](const SteeringRecord&) { return decision; }, std::move(strategy));
    Helm::Outcome outcome = helm.Ask({});
    const bool changes = outcome.refused.empty() && !outcome.decision.stop;
    EXPECT_EQ(helm.change().number, changes && !decision.empty() ? 1u : 0u);
    return outcome;
  }

  StrategyRegistries registries_;
};

TEST_F(HelmTest, AHookThatHasNothingToSayChangesNothing) {
  Helm helm = Make([](const SteeringRecord&) { return SteeringDecision(); });
  const Helm::Outcome outcome = helm.Ask({});
  EXPECT_TRUE(outcome.decision.empty());
  EXPECT_EQ(outcome.refused, "");
  EXPECT_EQ(helm.change(), StrategyChange());
}

TEST_F(HelmTest, TheHookSeesTheStrategyAsItIsNow) {
  std::vector<double> rates;
  Helm helm = Make([&](const SteeringRecord& record) {
    const double lr = Params(record.strategy.optimizer.params).RealOr("lr", 1);
    rates.push_back(lr);
    EXPECT_TRUE(record.root_has_barrier);
    SteeringDecision decision;
    decision.optimizer = PartSpec{"", {{"lr", lr / 2}}};
    return decision;
  });
  for (int i = 0; i < 3; ++i) helm.Ask({});
  EXPECT_THAT(rates, ElementsAre(1, 0.5, 0.25));
  EXPECT_EQ(helm.change().number, 3u);
  EXPECT_EQ(helm.change().optimizer, (PartSpec{"sgd", {{"lr", 0.125}}}));
}

TEST_F(HelmTest, ChangesAddUp) {
  int asked = 0;
  Helm helm = Make([&](const SteeringRecord&) {
    SteeringDecision decision;
    decision.policies[asked] = PartSpec{"quorum", {{"count", 2}}};
    ++asked;
    return decision;
  });
  helm.Ask({});
  helm.Ask({});
  EXPECT_EQ(helm.change().policies.size(), 2u);
  EXPECT_FALSE(helm.change().optimizer);
  // Complete, so that a record of it needs no defaults.
  EXPECT_EQ(helm.change().policies.at(0).params.at("timeout_s"), Value(600.0));
}

TEST_F(HelmTest, ASelectorIsMade) {
  SteeringDecision decision;
  decision.selector = PartSpec{"count", {{"count", 4}}};
  const Helm::Outcome outcome = Outcome(decision);
  ASSERT_NE(outcome.selector, nullptr) << outcome.refused;
  EXPECT_EQ(outcome.selector->MinWorkers(), 4u);
}

TEST_F(HelmTest, AnEndLeavesTheRestAside) {
  SteeringDecision decision;
  decision.stop = "enough";
  decision.selector = PartSpec{"nonsense", {}};
  const Helm::Outcome outcome = Outcome(decision);
  EXPECT_EQ(outcome.refused, "");
  EXPECT_EQ(outcome.decision.stop, "enough");
  EXPECT_FALSE(outcome.decision.selector);
}

TEST_F(HelmTest, LossIsFatalWhereAllAreNeeded) {
  Helm helm = Make([](const SteeringRecord&) {
    SteeringDecision decision;
    decision.policies[1] = PartSpec{"quorum", {{"fraction", 0.5}}};
    return decision;
  });
  EXPECT_THAT(helm.LossIsFatal(), ElementsAre(true, true));
  helm.Ask({});
  EXPECT_THAT(helm.LossIsFatal(), ElementsAre(true, false));
}

TEST_F(HelmTest, TheImpossibleIsRefused) {
  const auto selector = [](PartSpec part) {
    SteeringDecision decision;
    decision.selector = std::move(part);
    return decision;
  };
  const auto optimizer = [](PartSpec part) {
    SteeringDecision decision;
    decision.optimizer = std::move(part);
    return decision;
  };
  const auto policy = [](int tier, PartSpec part) {
    SteeringDecision decision;
    decision.policies[tier] = std::move(part);
    return decision;
  };
  StrategySpec stream;
  stream.policy = {"buffered", {{"size", 2}}};
  const struct {
    SteeringDecision decision;
    StrategySpec strategy;
    const char* words;
  } rows[] = {
      {selector({"cuont", {}}), {}, "unknown selector 'cuont'"},
      {selector({"count", {{"count", 7}}}), {}, "takes 7 workers or more and the tree has 6"},
      {selector({"all", {}}), stream, "the root has no barrier"},
      {optimizer({"", {{"lr", -1.0}}}), {}, "'lr' is -1"},
      {optimizer({"", {{"rate", 1.0}}}), {}, "unknown parameter 'rate'"},
      {optimizer({"adamm", {}}), {}, "unknown optimizer 'adamm'"},
      {policy(0, {"quorum", {{"count", 3}}}), {}, "needs 3 children and 'root' has 2"},
      {policy(1, {"buffered", {{"size", 4}}}), stream, "needs 4 children and 'a0' has 3"},
      {policy(2, {"all", {}}), {}, "tier 2: the tree's aggregating tiers are 0 to 1"},
      {policy(0, {"every_update", {}}), {}, "no barrier and the tier has one"},
      {policy(1, {"all", {}}), stream, "a barrier and the tier has none"},
      {policy(0, {"quorum", {}}), {}, "give either 'fraction' or 'count'"},
  };
  for (const auto& row : rows) {
    const Helm::Outcome outcome = Outcome(row.decision, row.strategy);
    EXPECT_THAT(outcome.refused, HasSubstr(row.words));
    EXPECT_TRUE(outcome.decision.empty()) << row.words;
  }
}

TEST_F(HelmTest, ADecisionIsTakenWholeOrNotAtAll) {
  Helm helm = Make([](const SteeringRecord&) {
    SteeringDecision decision;
    decision.optimizer = PartSpec{"", {{"lr", 0.5}}};
    decision.policies[0] = PartSpec{"quorum", {{"count", 9}}};
    return decision;
  });
  EXPECT_NE(helm.Ask({}).refused, "");
  EXPECT_EQ(helm.strategy(), StrategySpec());
  EXPECT_EQ(helm.change(), StrategyChange());
}

TEST_F(HelmTest, AHookThatThrowsOrFailsIsHeard) {
  Helm throws = Make([](const SteeringRecord&) -> absl::StatusOr<SteeringDecision> {
    throw std::runtime_error("no idea");
  });
  EXPECT_EQ(throws.Ask({}).refused, "the hook threw: no idea");
  Helm odd = Make([](const SteeringRecord&) -> absl::StatusOr<SteeringDecision> { throw 7; });
  EXPECT_THAT(odd.Ask({}).refused, HasSubstr("the hook threw"));
  Helm fails = Make([](const SteeringRecord&) -> absl::StatusOr<SteeringDecision> {
    return absl::UnavailableError("the oracle is away");
  });
  EXPECT_EQ(fails.Ask({}).refused, "the oracle is away");
}

}  // namespace
}  // namespace skein
