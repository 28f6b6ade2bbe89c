#include "app/plot/idle_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/app/plot/events.h"

namespace skein::plot {
namespace {

TEST(IdleTable, HasALineForEachWorkerAndOneForAll) {
  EXPECT_EQ(
      IdleTable("mine", ActivityOf(TwoRounds())),
      "mine: 9.0 s, 2 versions\n"
      "worker     tasks  counted  rejected  left out    busy, s    idle, s    away, s    idle\n"
      "w0             2        2         0         0        4.0        5.0        0.0  55.56%\n"
      "w1             2        1         0         1        8.0        1.0        0.0  11.11%\n"
      "all            4        3         0         1       12.0        6.0        0.0  33.33%\n");
}

TEST(IdleValue, SaysTheSame) {
  const Value value = IdleValue("mine", ActivityOf(TwoRounds()));
  EXPECT_EQ(
      ToJson(value),
      R"({"idle":0.3333333333333333,"run":"mine","seconds":9,"versions":2,"workers":[)"
      R"({"away_s":0,"busy_s":4,"counted":2,"idle":0.5555555555555556,"idle_s":5,"left_out":0,)"
      R"("node":"w0","rejected":0,"tasks":2},)"
      R"({"away_s":0,"busy_s":8,"counted":1,"idle":0.1111111111111111,"idle_s":1,"left_out":1,)"
      R"("node":"w1","rejected":0,"tasks":2}]})");
}

}  // namespace
}  // namespace skein::plot
