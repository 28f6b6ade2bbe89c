#include "strategy/select_where/expression.h"

#include <cstdio>
#include <functional>

#include <gmock/gmock.h>

#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const ValueMap kWorker = {{"region", "eu"},
                          {"cores", 16},
                          {"ram_gb", 7.5},
                          {"metered", false},
                          {"idle", true},
                          {"none", Value()},
                          {"a.b-c", "dotted"},
                          {"device", ValueList{"gpu", "camera", 4}},
                          {"kit", ValueMap{{"lidar", 2}, {"radar", false}, {"arm", Value()}}}};

bool Holds(const std::string& text) {
  const auto expression = Expression::Parse(text);
  EXPECT_TRUE(expression.ok()) << text << ": " << expression.status();
  return expression.ok() && expression->Holds([](const std::string& name) {
    const auto found = kWorker.find(name);
    return found == kWorker.end() ? nullptr : &found->second;
  });
}

std::string ErrorOf(const std::string& text) {
  const auto expression = Expression::Parse(text);
  EXPECT_EQ(expression.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return Message(expression.status());
}

TEST(Expression, ComparesAttributes) {
  for (const char* text :
       {"region == \"eu\"", "region == 'eu'",  "region == eu",  "region != us",    "region < \"f\"",
        "cores == 16",      "cores == 16.0",   "cores > 15",    "cores >= 16",     "cores < 16.5",
        "cores <= 1e2",     "cores != \"16\"", "ram_gb > 7",    "ram_gb < +8",     "cores > -3",
        "metered == false", "idle == true",    "idle != false", "a.b-c == dotted", "cores>15"}) {
    EXPECT_TRUE(Holds(text)) << text;
  }
  for (const char* text :
       {"region == \"us\"", "region != eu", "region > \"f\"", "cores == 15", "cores > 16",
        "cores == \"16\"", "cores < \"17\"", "region > 1", "metered == true", "metered < true",
        "device == gpu", "kit == lidar", "idle >= 1"}) {
    EXPECT_FALSE(Holds(text)) << text;
  }
}

TEST(Expression, ANameAloneHoldsIfItIsTrue) {
  EXPECT_TRUE(Holds("idle"));
  EXPECT_FALSE(Holds("metered"));
  EXPECT_FALSE(Holds("region"));
  EXPECT_FALSE(Holds("cores"));
}

TEST(Expression, LooksIntoListsAndMaps) {
  for (const char* text : {"device has gpu", "device has \"camera\"", "device has 4",
                           "device has 4.0", "device has [gpu, camera]", "device has [\"gpu\", 4]",
                           "kit has lidar", "region has eu", "region has [eu]"}) {
    EXPECT_TRUE(Holds(text)) << text;
  }
  for (const char* text :
       {"device has tpu", "device has [gpu, tpu]", "device has \"4\"", "kit has radar",
        "kit has arm", "kit has 2", "region has e", "cores has gpu"}) {
    EXPECT_FALSE(Holds(text)) << text;
  }
}

TEST(Expression, WhatThereIsNotNeverHolds) {
  for (const char* text :
       {"nothing", "nothing == 1", "nothing != 1", "nothing < 1", "nothing has 1", "none",
        "none != 1", "nothing == true", "nothing == false"}) {
    EXPECT_FALSE(Holds(text)) << text;
  }
  EXPECT_TRUE(Holds("not nothing == 1"));
}

TEST(Expression, BindsNotBeforeAndBeforeOr) {
  EXPECT_TRUE(Holds("idle or metered and metered"));
  EXPECT_FALSE(Holds("(idle or metered) and metered"));
  EXPECT_TRUE(Holds("not metered and idle"));
  EXPECT_FALSE(Holds("not (metered or idle)"));
  EXPECT_TRUE(Holds("not not idle"));
  EXPECT_FALSE(Holds("not idle or metered"));
  EXPECT_TRUE(Holds("metered or metered or idle"));
  EXPECT_FALSE(Holds("idle and idle and metered"));
  EXPECT_TRUE(Holds("region == \"eu\" and device has gpu"));
  EXPECT_TRUE(Holds("region == \"eu\" and (device has tpu or cores >= 16) and not metered"));
  EXPECT_TRUE(Holds(" \n(\t( idle ) )\r\n"));
}

TEST(Expression, TextsMayHaveQuotesInThem) {
  const ValueMap odd = {{"x", "a\"b'c\\d"}};
  const auto find = [&](const std::string& name) { return name == "x" ? &odd.at("x") : nullptr; };
  EXPECT_TRUE(Expression::Parse(R"(x == "a\"b'c\\d")")->Holds(find));
  EXPECT_TRUE(Expression::Parse(R"(x == 'a"b\'c\\d')")->Holds(find));
}

TEST(Expression, ListsTheNamesItAsksFor) {
  const auto expression = Expression::Parse("b == a and (c has x or not b) and a");
  ASSERT_TRUE(expression.ok());
  EXPECT_THAT(expression->Names(), ElementsAre("b", "c", "a"));
}

TEST(Expression, SaysInWhichColumnItIsWrong) {
  const std::vector<std::pair<const char*, const char*>> kWrong = {
      {"", "column 1: the expression is empty"},
      {"  ", "column 1: the expression is empty"},
      {"region = eu", "column 8: '=' compares nothing; use '=='"},
      {"region ==", "column 10: expected a value, got the end"},
      {"region == and", "column 11: expected a value, got 'and'"},
      {"region eu", "column 8: expected 'and', 'or' or the end, got 'eu'"},
      {"== eu", "column 1: expected the name of an attribute, 'not' or '(', got '=='"},
      {"idle and", "column 9: expected the name of an attribute, 'not' or '(', got the end"},
      {"idle and or idle", "column 10: expected the name of an attribute"},
      {"true", "column 1: expected the name of an attribute"},
      {"\"idle\"", "column 1: expected the name of an attribute"},
      {"(idle", "column 6: expected ')' for the '(' of column 1, got the end"},
      {"idle)", "column 5: expected 'and', 'or' or the end, got ')'"},
      {"region == \"eu", "column 11: the text that begins here does not end"},
      {"region == \"eu\\\"", "column 11: the text that begins here does not end"},
      {"cores > 1x", "column 9: '1x' is no number"},
      {"cores > 1e999", "column 9: '1e999' is no number"},
      {"cores > --1", "column 9: '-' is no number"},
      {"cores > .", "column 9: '.' is no number"},
      {"device has [gpu", "column 16: expected ',' or ']', got the end"},
      {"device has []", "column 13: expected a value, got ']'"},
      {"device has", "column 11: expected a value, got the end"},
      {"idle && idle", "column 6: unexpected '&'"},
      {"idle ! idle", "column 6: unexpected '!'"},
      {"idle\x01", "column 5: unexpected '\\x01'"},
  };
  for (const auto& [text, error] : kWrong) {
    EXPECT_THAT(ErrorOf(text), HasSubstr(error)) << text;
    EXPECT_THAT(ErrorOf(text), ::testing::Not(HasSubstr("\n")));
  }
}

TEST(Expression, IsBounded) {
  std::string deep(Expression::kMaxDepth, '(');
  deep += "idle" + std::string(Expression::kMaxDepth, ')');
  EXPECT_TRUE(Holds(deep));
  EXPECT_THAT(ErrorOf("(" + deep + ")"), HasSubstr("nests deeper than 64"));
  std::string denied;
  for (int i = 0; i <= Expression::kMaxDepth; ++i) denied += "not ";
  EXPECT_THAT(ErrorOf(denied + "idle"), HasSubstr("nests deeper than 64"));
  EXPECT_THAT(ErrorOf(std::string(Expression::kMaxBytes + 1, 'x')), HasSubstr("at most 4096"));
  std::string wide = "metered";
  while (wide.size() + 11 < Expression::kMaxBytes) wide += " or metered";
  EXPECT_FALSE(Holds(wide));
  // Nesting that was left counts no more.
  std::string many = "(idle)";
  for (int i = 0; i < 2 * Expression::kMaxDepth; ++i) many += " and (idle)";
  EXPECT_TRUE(Holds(many));
}

// Made-up texts: each is read or refused with a column that is in it, and what is read can be
// asked.
TEST(Expression, TakesWhateverComes) {
  static constexpr const char* kPieces[] = {
      "and", "or", "not", "has", "true", "false", "(",     ")",    "[",      "]",  ",",   "==",
      "!=",  "<",  "<=",  ">",   ">=",   "idle",  "cores", "16",   "-1",     "1.", "'a'", "\"b\"",
      "'",   "\"", "=",   "\\",  "1e9",  "x",     "\t",    "\xff", "region", "&",  "-",   "."};
  Rng rng(7);
  int read = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (uint64_t n = rng.Below(12); n > 0; --n) {
      text += kPieces[rng.Below(std::size(kPieces))];
      if (rng.Below(4) != 0) text += ' ';
    }
    const auto expression = Expression::Parse(text);
    if (expression.ok()) {
      ++read;
      expression->Holds([](const std::string& name) {
        const auto found = kWorker.find(name);
        return found == kWorker.end() ? nullptr : &found->second;
      });
      continue;
    }
    const std::string error = Message(expression.status());
    int column = 0;
    ASSERT_EQ(std::sscanf(error.c_str(), "column %d: ", &column), 1) << error;
    EXPECT_GE(column, 1);
    EXPECT_LE(column, static_cast<int>(text.size()) + 1) << text;
    EXPECT_EQ(error.find('\n'), error.npos);
  }
  EXPECT_GT(read, 100);
}

// Written out anew from random trees, an expression means what the tree means.
TEST(Expression, MeansWhatItsTreeMeans) {
  Rng rng(11);
  const std::function<std::pair<std::string, bool>(int)> make = [&](int depth) {
    const uint64_t kind = depth == 0 ? 0 : rng.Below(4);
    if (kind == 0) {
      const bool holds = rng.Below(2) == 0;
      return std::pair<std::string, bool>(holds ? "idle" : "metered", holds);
    }
    auto [left, is_left] = make(depth - 1);
    if (kind == 1) return std::pair<std::string, bool>("not (" + left + ")", !is_left);
    auto [right, is_right] = make(depth - 1);
    const bool all = kind == 2;
    return std::pair<std::string, bool>("(" + left + (all ? ") and (" : ") or (") + right + ")",
                                        all ? is_left && is_right : is_left || is_right);
  };
  for (int i = 0; i < 500; ++i) {
    const auto [text, holds] = make(5);
    ASSERT_LE(text.size(), Expression::kMaxBytes);
    EXPECT_EQ(Holds(text), holds) << text;
  }
}

}  // namespace
}  // namespace skein
