#include "skein/base/value.h"

#include <cmath>

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(ToJson, WritesCompactSortedJson) {
  const Value value = ValueMap{{"b", ValueList{1, 2.5, true, Value()}}, {"a", "x\"\n\x01"}};
  EXPECT_EQ(ToJson(value), R"({"a":"x\"\n\u0001","b":[1,2.5,true,null]})");
}

TEST(ToJson, DoublesReadBackTheSame) {
  EXPECT_EQ(ToJson(0.1), "0.1");
  EXPECT_EQ(std::stod(ToJson(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(ToJson(NAN), "null");
}

}  // namespace
}  // namespace skein
