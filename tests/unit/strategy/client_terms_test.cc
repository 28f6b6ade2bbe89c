#include "strategy/client_terms.h"

#include <gmock/gmock.h>

#include "skein/topology/topology.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string WhyNot(const StrategySpec& spec, const std::string& shape = "tree:2x2") {
  return Message(ValidateStrategy(spec, *Topology::FromShape(shape), BuiltinStrategies()));
}

StrategySpec With(const std::string& term) {
  StrategySpec spec;
  spec.terms = {{term, {}}};
  return spec;
}

TEST(ClientTermsTest, AreWhatTheirPapersSay) {
  const StrategyRegistries parts = BuiltinStrategies();
  const auto fedprox = Make(parts.terms, "fedprox", {{"mu", 0.5}});
  EXPECT_EQ(fedprox->pull, 0.5);
  EXPECT_EQ(fedprox->keeps, ClientTerm::Keeps::kNothing);
  const auto scaffold = Make(parts.terms, "scaffold");
  EXPECT_EQ(scaffold->pull, 0);
  EXPECT_EQ(scaffold->keeps, ClientTerm::Keeps::kMeanGradient);
  EXPECT_TRUE(scaffold->has_companion);
  const auto feddyn = Make(parts.terms, "feddyn", {{"alpha", 0.1}});
  EXPECT_EQ(feddyn->pull, 0.1);
  EXPECT_EQ(feddyn->keeps, ClientTerm::Keeps::kPulledGradient);
  EXPECT_FALSE(feddyn->has_companion);
  EXPECT_TRUE(Make(parts.terms, "ditto", {{"lambda", 2}})->personal);
}

TEST(ClientTermsTest, SomeStandTogether) {
  StrategySpec spec;
  spec.fold = {"mean", {}};
  spec.terms = {{"scaffold", {}}, {"fedprox", {{"mu", 0.1}}}, {"ditto", {}}};
  EXPECT_EQ(WhyNot(spec), "");
  spec.terms.push_back({"fedprox", {}});
  EXPECT_EQ(WhyNot(spec), "strategy, term 'fedprox': it is listed twice");
  spec.terms = {{"scaffold", {}}, {"feddyn", {}}};
  EXPECT_THAT(WhyNot(spec), HasSubstr("term 'scaffold': it cannot stand beside term 'feddyn'"));
}

TEST(ClientTermsTest, UnknownOnesAndBadParametersAreNamed) {
  EXPECT_THAT(WhyNot(With("fedprocs")), HasSubstr("unknown term 'fedprocs'"));
  StrategySpec spec = With("fedprox");
  spec.terms[0].params = {{"mu", -1}};
  EXPECT_THAT(WhyNot(spec), HasSubstr("'mu'"));
}

TEST(ClientTermsTest, ScaffoldNeedsAverages) {
  StrategySpec spec = With("scaffold");
  EXPECT_EQ(WhyNot(spec), "") << "weighted by samples";
  spec.fold = {"median", {}};
  EXPECT_THAT(WhyNot(spec, "flat:4"),
              HasSubstr("term 'scaffold': fold 'median' does not average, which it counts on; use "
                        "fold 'mean' or 'fedavg'"));
  spec.fold = {"mean", {}};
  spec.tiers = {{.tier = 1, .fold = PartSpec{"median", {}}}};
  EXPECT_THAT(Message(CheckTerms(spec, 3, BuiltinStrategies())),
              HasSubstr("term 'scaffold': fold 'median' of tier 1"));
}

TEST(ClientTermsTest, WhatIsKeptNeedsRoundsOfTheWholeTree) {
  StrategySpec spec = With("scaffold");
  spec.tiers = {{.tier = 1, .kappa = 2}};
  EXPECT_THAT(WhyNot(spec), StartsWith("strategy, term 'scaffold': tier 1 has kappa 2"));
  spec.tiers = {{.tier = 1, .policy = PartSpec{"every_update", {}}}};
  EXPECT_THAT(WhyNot(spec), HasSubstr("the policy of tier 1 has none"));
  spec.terms = {{"fedprox", {}}, {"ditto", {}}};
  EXPECT_EQ(WhyNot(spec), "");
  spec.tiers = {{.tier = 1, .kappa = 2}};
  EXPECT_EQ(WhyNot(spec), "");
}

TEST(ClientTermsTest, FedDynNeedsItsOtherHalf) {
  EXPECT_THAT(WhyNot(With("feddyn")),
              HasSubstr("term 'feddyn': its other half is optimizer 'feddyn'"));
}

}  // namespace
}  // namespace skein
