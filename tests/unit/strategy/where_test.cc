#include <gmock/gmock.h>

#include "skein/topology/attributes.h"
#include "unit/strategy/selectors_fixture.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

// Two regions with three workers each, of which the first of each has a GPU; a0 in the second says
// that its region is another.
constexpr char kTree[] = R"(nodes:
  - {id: hq, role: coordinator, attributes: {owner: us}}
  - {id: eu, role: aggregator, parent: hq, attributes: {region: eu, cores: 4}}
  - {id: us, role: aggregator, parent: hq, attributes: {region: us}}
  - {id: w0, role: worker, parent: eu, attributes: {device: [cpu, gpu]}}
  - {id: w1, role: worker, parent: eu, attributes: {device: [cpu], cores: 32}}
  - {id: w2, role: worker, parent: eu}
  - {id: w3, role: worker, parent: us, attributes: {device: [cpu, gpu]}}
  - {id: w4, role: worker, parent: us, attributes: {region: eu}}
  - {id: w5, role: worker, parent: us, attributes: {region: null}}
)";

Selecting Where(const std::string& expression, ValueMap params = {}) {
  params["expression"] = expression;
  return Selecting("where", params, ParseTopologyYaml(kTree, "tree").value());
}

TEST(SelectWhere, TakesThoseThatSatisfyTheExpression) {
  EXPECT_EQ(Where("region == \"eu\" and device has gpu").Chosen(), Roster::Of({0}));
  EXPECT_EQ(Where("device has gpu").Chosen(), Roster::Of({0, 3}));
  EXPECT_EQ(Where("cores >= 8").Chosen(), Roster::Of({1}));
}

TEST(SelectWhere, InheritsFromTheNearestAncestorThatHasTheAttribute) {
  EXPECT_EQ(Where("region == eu").Chosen(), Roster::Of({0, 1, 2, 4})) << "w4 has its own";
  EXPECT_EQ(Where("region == us").Chosen(), Roster::Of({3, 5})) << "null is no value";
  EXPECT_EQ(Where("cores == 4").Chosen(), Roster::Of({0, 2}));
  EXPECT_EQ(Where("owner == us").Chosen(), Roster::Range(0, 6)) << "from the root";
}

TEST(SelectWhere, TakesOnlyWhoIsThere) {
  Selecting where = Where("region == eu");
  where.available = Roster::Of({1, 3, 4});
  EXPECT_EQ(where.Chosen(), Roster::Of({1, 4}));
  where.available = Roster::Of({3});
  EXPECT_EQ(Message(where.Select().status()),
            "1 workers are to be selected and 0 are available and satisfy the expression");
}

TEST(SelectWhere, TakesACountOrAFractionOfThem) {
  const Selecting two = Where("region == eu", {{"count", 2}});
  const Selecting half = Where("region == eu", {{"fraction", 0.5}});
  Roster seen;
  for (uint64_t round = 1; round <= 30; ++round) {
    EXPECT_EQ(two.Chosen(round).Count(), 2u);
    EXPECT_EQ(half.Chosen(round), two.Chosen(round));
    EXPECT_TRUE(two.Chosen(round).IsSubsetOf(Roster::Of({0, 1, 2, 4})));
    seen.Merge(two.Chosen(round));
  }
  EXPECT_EQ(seen.Count(), 4u) << "drawn anew each round";
  Selecting gone = Where("region == eu", {{"count", 3}});
  gone.available = Roster::Of({0, 1, 3, 5});
  EXPECT_EQ(gone.Select().status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(SelectWhere, RefusesWrongParameters) {
  const auto refusal = [](const ValueMap& params) {
    return Refusal(BuiltinStrategies().selectors, "where", params);
  };
  EXPECT_THAT(refusal({}), HasSubstr("'expression' is required"));
  EXPECT_EQ(refusal({{"expression", "region = eu"}}),
            "selector 'where': 'expression': column 8: '=' compares nothing; use '=='");
  EXPECT_THAT(refusal({{"expression", "x"}, {"count", 1}, {"fraction", 0.5}}),
              HasSubstr("'count' and 'fraction' exclude each other"));
}

TEST(SelectWhere, TheValidatorKnowsWhatTheTreeHas) {
  EXPECT_EQ(Where("region == eu").Verdict(), "");
  EXPECT_EQ(Where("regoin == eu").Verdict(),
            "strategy: selector 'where' has an expression that none of the tree's 6 workers "
            "satisfies; no node has 'regoin', did you mean 'region'?");
  EXPECT_EQ(Where("region == asia").Verdict(),
            "strategy: selector 'where' has an expression that none of the tree's 6 workers "
            "satisfies; its nodes have cores, device, owner, region");
  EXPECT_THAT(Selecting("where", {{"expression", "region == eu"}}, "flat:3").Verdict(),
              HasSubstr("its nodes have no attributes"));
  EXPECT_EQ(Where("device has gpu", {{"count", 3}}).Verdict(),
            "strategy: selector 'where' takes 3 workers or more and the tree has 2 that it may "
            "take");
}

// A policy that waits for more than there can be would never close.
TEST(SelectWhere, PoliciesKnowHowManyThereCanBe) {
  StrategySpec spec;
  spec.selector = {"where", {{"expression", "device has gpu"}}};
  spec.policy = {"quorum", {{"count", 3}, {"deadline_s", 10}}};
  const Topology tree = ParseTopologyYaml(R"(nodes:
  - {id: hq, role: coordinator}
  - {id: w0, role: worker, parent: hq, attributes: {device: [gpu]}}
  - {id: w1, role: worker, parent: hq, attributes: {device: [gpu]}}
  - {id: w2, role: worker, parent: hq}
)",
                                          "tree")
                            .value();
  EXPECT_THAT(Message(ValidateStrategy(spec, tree, BuiltinStrategies())),
              HasSubstr("needs 3 children and selector 'where' takes 2 workers at most"));
}

TEST(FindAttribute, IsTheNearest) {
  const Topology tree = ParseTopologyYaml(kTree, "tree").value();
  const auto find = [&](const char* node, const char* name) {
    const Value* value = FindAttribute(tree, tree.node(*tree.Find(node)), name);
    return value != nullptr ? ToJson(*value) : "none";
  };
  EXPECT_EQ(find("w4", "region"), "\"eu\"");
  EXPECT_EQ(find("w5", "region"), "\"us\"");
  EXPECT_EQ(find("hq", "region"), "none");
  EXPECT_EQ(find("w1", "cores"), "32");
}

}  // namespace
}  // namespace skein
