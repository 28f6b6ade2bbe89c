#include "skein/strategy/params.h"

#include <cmath>

#include <gmock/gmock.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using Type = ParamSpec::Type;

ParamSchema Schema() {
  return ParamSchema(
      {{.name = "count", .type = Type::kInt, .default_value = 3, .min = 1, .max = 10},
       {.name = "rate", .type = Type::kReal, .required = true, .min = 0, .max = 1},
       {.name = "slack", .type = Type::kReal, .min = 0},
       {.name = "debt", .type = Type::kReal, .max = 0},
       {.name = "strict", .type = Type::kBool, .default_value = false},
       {.name = "mode", .type = Type::kString, .choices = {"fast", "exact"}}});
}

std::string ErrorOf(ValueMap values) {
  values.try_emplace("rate", 0.5);
  const auto params = Schema().Resolve(values, "part 'x'");
  EXPECT_EQ(params.status().code(), absl::StatusCode::kInvalidArgument);
  return Message(params.status());
}

TEST(ParamSchema, FillsInDefaultsAndLeavesOptionalsOut) {
  const auto params = Schema().Resolve({{"rate", 0.5}}, "part 'x'");
  ASSERT_TRUE(params.ok()) << params.status();
  EXPECT_EQ(params->Int("count"), 3);
  EXPECT_EQ(params->Real("rate"), 0.5);
  EXPECT_FALSE(params->Bool("strict"));
  EXPECT_FALSE(params->Has("slack"));
  EXPECT_FALSE(params->Has("mode"));
}

TEST(ParamSchema, TakesIntegersForRealsAndWholeRealsForIntegers) {
  const auto params = Schema().Resolve({{"rate", 1}, {"count", 7.0}}, "part 'x'");
  ASSERT_TRUE(params.ok()) << params.status();
  EXPECT_EQ(params->Real("rate"), 1.0);
  EXPECT_EQ(params->Int("count"), 7);
}

TEST(ParamSchema, ANullIsAsIfAbsent) {
  const auto params = Schema().Resolve({{"rate", 1}, {"count", Value()}}, "part 'x'");
  ASSERT_TRUE(params.ok()) << params.status();
  EXPECT_EQ(params->Int("count"), 3);
}

TEST(ParamSchema, RangesAreInclusive) {
  for (const int count : {1, 10}) {
    EXPECT_TRUE(Schema().Resolve({{"rate", 0}, {"count", count}}, "part 'x'").ok());
  }
}

TEST(ParamSchema, NamesPlaceAndRemedy) {
  EXPECT_EQ(ErrorOf({{"cuont", 3}}), "part 'x': unknown parameter 'cuont', did you mean 'count'?");
  EXPECT_EQ(
      ErrorOf({{"zzzzzz", 3}}),
      "part 'x': unknown parameter 'zzzzzz', it takes count, rate, slack, debt, strict, mode");
  EXPECT_EQ(ErrorOf({{"count", "three"}}),
            "part 'x': 'count' must be a whole number, not \"three\"");
  EXPECT_EQ(ErrorOf({{"count", 2.5}}), "part 'x': 'count' must be a whole number, not 2.5");
  EXPECT_EQ(ErrorOf({{"count", true}}), "part 'x': 'count' must be a whole number, not true");
  EXPECT_EQ(ErrorOf({{"count", 11}}), "part 'x': 'count' is 11, it must be from 1 to 10");
  EXPECT_EQ(ErrorOf({{"count", 0}}), "part 'x': 'count' is 0, it must be from 1 to 10");
  EXPECT_EQ(ErrorOf({{"slack", -0.5}}), "part 'x': 'slack' is -0.5, it must be at least 0");
  EXPECT_EQ(ErrorOf({{"debt", 2}}), "part 'x': 'debt' is 2, it must be at most 0");
  EXPECT_EQ(ErrorOf({{"strict", 1}}), "part 'x': 'strict' must be true or false, not 1");
  EXPECT_EQ(ErrorOf({{"mode", 1}}), "part 'x': 'mode' must be a text, not 1");
  EXPECT_EQ(ErrorOf({{"mode", "slow"}}), "part 'x': 'mode' must be one of fast, exact, not 'slow'");
  EXPECT_EQ(ErrorOf({{"rate", Value()}}), "part 'x': 'rate' is required");
  EXPECT_EQ(ErrorOf({{"rate", ValueList{}}}), "part 'x': 'rate' must be a number, not []");
  EXPECT_EQ(ErrorOf({{"rate", HUGE_VAL}}), "part 'x': 'rate' must be a number, not NaN or Inf");
}

TEST(ParamSchema, RefusesNumbersThatAreNone) {
  for (const double bad : {double{NAN}, double{INFINITY}, -double{INFINITY}}) {
    EXPECT_FALSE(Schema().Resolve({{"rate", bad}}, "part 'x'").ok());
    EXPECT_FALSE(Schema().Resolve({{"rate", 0}, {"slack", bad}}, "part 'x'").ok());
    EXPECT_FALSE(Schema().Resolve({{"rate", 0}, {"count", bad}}, "part 'x'").ok());
  }
  EXPECT_FALSE(Schema().Resolve({{"rate", 0}, {"count", 0x1p63}}, "part 'x'").ok());
}

TEST(ParamSchema, APartWithoutParametersSaysSo) {
  const auto params = ParamSchema().Resolve({{"a", 1}}, "selector 'all'");
  EXPECT_EQ(Message(params.status()), "selector 'all': unknown parameter 'a', it takes none");
}

TEST(ParamSchema, KeepsMessagesToOneLine) {
  const auto params = ParamSchema().Resolve({{"a\nb", 1}}, "selector 'all'");
  EXPECT_EQ(Message(params.status()).find('\n'), std::string::npos);
}

TEST(Params, UncheckedValuesFallBack) {
  const Params params(ValueMap{{"n", 4}, {"name", "echo"}});
  EXPECT_EQ(params.IntOr("n", 9), 4);
  EXPECT_EQ(params.IntOr("name", 9), 9);
  EXPECT_EQ(params.RealOr("n", 0.5), 4.0);
  EXPECT_EQ(params.RealOr("absent", 0.5), 0.5);
  EXPECT_EQ(params.StringOr("name", "other"), "echo");
  EXPECT_EQ(params.StringOr("n", "other"), "other");
}

TEST(ParamsDeathTest, AskingForWhatIsNotDeclaredAborts) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const Params params(ValueMap{{"name", "echo"}});
  EXPECT_DEATH(params.Int("absent"), "'absent' was not declared");
  EXPECT_DEATH(params.Int("name"), "'name' is no whole number");
}

}  // namespace
}  // namespace skein
