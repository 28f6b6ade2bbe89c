#include "app/sweep/grid.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein::sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> ValuesOf(const std::string& text) {
  const auto axis = ParseAxis(text);
  EXPECT_TRUE(axis.ok()) << axis.status();
  return axis.ok() ? axis->values : std::vector<std::string>();
}

std::vector<std::string> NamesOf(const std::vector<std::string>& texts) {
  const auto grid = ParseGrid(texts);
  EXPECT_TRUE(grid.ok()) << grid.status();
  std::vector<std::string> names;
  if (!grid.ok()) return names;
  for (const Point& point : PointsOf(*grid)) names.push_back(point.name);
  return names;
}

TEST(GridAxis, ValuesAreSeparatedByCommas) {
  const auto axis = ParseAxis("learner.params.lr=0.1, 0.2 ,0.3");
  ASSERT_TRUE(axis.ok()) << axis.status();
  EXPECT_EQ(axis->path, "learner.params.lr");
  EXPECT_THAT(axis->values, ElementsAre("0.1", "0.2", "0.3"));
  EXPECT_THAT(ValuesOf("seed=7"), ElementsAre("7"));
}

TEST(GridAxis, CommasWithinBracketsBelongToTheValue) {
  EXPECT_THAT(ValuesOf("strategy.policy={name: quorum, fraction: 0.5},all"),
              ElementsAre("{name: quorum, fraction: 0.5}", "all"));
  EXPECT_THAT(ValuesOf("x=[1,2],[3,[4,5]],{a: [6,7]}"),
              ElementsAre("[1,2]", "[3,[4,5]]", "{a: [6,7]}"));
}

TEST(GridAxis, CommasWithinQuotesBelongToTheValue) {
  EXPECT_THAT(ValuesOf(R"(x='a,b',"c,\",d",e)"), ElementsAre("'a,b'", R"("c,\",d")", "e"));
  EXPECT_THAT(ValuesOf("x='it''s, so',b"), ElementsAre("'it''s, so'", "b"));
  EXPECT_THAT(ValuesOf("x=['],[',2],b"), ElementsAre("['],[',2]", "b"));
  EXPECT_THAT(ValuesOf("x={a: 'b,}'},c"), ElementsAre("{a: 'b,}'}", "c"));
}

TEST(GridAxis, AnApostropheInAWordIsNoQuote) {
  EXPECT_THAT(ValuesOf("x=don't,won't"), ElementsAre("don't", "won't"));
}

TEST(GridAxis, AnEqualsSignMayStandInAValue) {
  EXPECT_THAT(ValuesOf("x=a=b,c"), ElementsAre("a=b", "c"));
}

TEST(GridAxis, NonsenseIsRefused) {
  const std::pair<const char*, const char*> bad[] = {
      {"lr", "path=value"},       {"=1,2", "path=value"},     {"lr=", "empty value"},
      {"lr=1,,2", "empty value"}, {"lr=1,2,", "empty value"}, {"lr=1, ", "empty value"},
      {"lr=1,2,1", "'1' twice"},  {"lr=[1,2", "other half"},  {"lr=1]", "other half"},
      {"lr=[1}", "other half"},   {"lr='a,b", "other half"},  {"lr=\"a\\\",b", "other half"},
      {"lr={a: b: c}", "lr"},
  };
  for (const auto& [text, words] : bad) {
    const auto axis = ParseAxis(text);
    EXPECT_EQ(axis.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(Message(axis.status()), HasSubstr(words)) << text;
    EXPECT_THAT(Message(axis.status()), HasSubstr("--grid")) << text;
  }
}

TEST(Grid, TheProductChangesTheLastAxisFirst) {
  EXPECT_THAT(NamesOf({"learner.params.lr=0.1,0.2", "seed=1,2"}),
              ElementsAre("lr=0.1,seed=1", "lr=0.1,seed=2", "lr=0.2,seed=1", "lr=0.2,seed=2"));
  const auto grid = ParseGrid({"a=1,2", "b=x,y,z"});
  ASSERT_TRUE(grid.ok());
  EXPECT_THAT(PointsOf(*grid)[4].values, ElementsAre("2", "y"));
}

TEST(Grid, APathGivenTwiceIsRefused) {
  EXPECT_THAT(Message(ParseGrid({"seed=1", "seed=2"}).status()), HasSubstr("seed is given twice"));
}

TEST(Grid, TooManyPointsAreRefused) {
  std::string many = "=0";
  for (int i = 1; i < 101; ++i) many += ',' + std::to_string(i);
  EXPECT_TRUE(ParseGrid({"a" + many}).ok());
  EXPECT_THAT(Message(ParseGrid({"a" + many, "b" + many}).status()), HasSubstr("10000 points"));
}

TEST(GridNames, TellAxesApartByAsLittleAsNeeded) {
  EXPECT_THAT(NamesOf({"learner.params.lr=1", "strategy.optimizer.lr=2"}),
              ElementsAre("params.lr=1,optimizer.lr=2"));
  EXPECT_THAT(NamesOf({"strategy.policy.name=all"}), ElementsAre("policy.name=all"));
  EXPECT_THAT(NamesOf({"name=all"}), ElementsAre("name=all"));
  EXPECT_THAT(NamesOf({"a.lr=1", "lr=2"}), ElementsAre("a.lr=1,lr=2"));
}

TEST(GridNames, AreFitForFiles) {
  EXPECT_THAT(NamesOf({"strategy.policy={name: quorum, fraction: 0.5},all"}),
              ElementsAre("policy=name_quorum_fraction_0.5", "policy=all"));
  EXPECT_THAT(NamesOf({"init=/models/a.safetensors,../b"}),
              ElementsAre("init=models_a.safetensors", "init=.._b"));
  EXPECT_THAT(NamesOf({"x=1e-3,-2"}), ElementsAre("x=1e-3", "x=-2"));
}

TEST(GridNames, ThatWouldBeEqualOrTooLongHaveTheNumberOfThePoint) {
  EXPECT_THAT(NamesOf({"x=a b,a_b,c"}), ElementsAre("x=a_b~1", "x=a_b~2", "x=c"));
  const std::string longest(400, 'v');
  const std::vector<std::string> names = NamesOf({"x=" + longest + "1," + longest + "2"});
  ASSERT_EQ(names.size(), 2u);
  EXPECT_NE(names[0], names[1]);
  for (const std::string& name : names) EXPECT_LE(name.size(), 200u);
}

}  // namespace
}  // namespace skein::sweep
