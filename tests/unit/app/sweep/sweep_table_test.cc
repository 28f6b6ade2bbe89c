#include "app/sweep/sweep_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skein::sweep {
namespace {

using testing::HasSubstr;

Table Example() {
  const std::vector<Axis> grid = {{"learner.params.lr", {"0.5"}},
                                  {"strategy.policy", {"all", "{name: quorum, count: 2}"}}};
  Table table{"runs/s", grid, PointsOf(grid), {}};
  table.rows = {{.status = "completed",
                 .rounds = 3,
                 .wall_s = 1.25,
                 .loss = 0.5,
                 .digest = "0123456789abcdef0123"},
                {.status = "failed", .reason = "w1: \"no\", said it", .rounds = 1, .wall_s = 0.5}};
  return table;
}

TEST(SweepTable, TextHasALineForEachPoint) {
  EXPECT_EQ(
      ToText(Example()),
      "lr   policy                    status     rounds    loss  accuracy  wall_s  digest\n"
      "0.5  all                       completed       3  0.5000         -     1.2  0123456789ab\n"
      "0.5  {name: quorum, count: 2}  failed          1       -         -     0.5  -\n"
      "1 of 2 points completed; runs/s/sweep.csv\n");
}

TEST(SweepTable, TextHasNoNumbersForWhatHasNotRun) {
  Table table = Example();
  table.rows[1] = {};
  EXPECT_THAT(ToText(table), HasSubstr("pending         -       -         -       -  -\n"));
}

TEST(SweepTable, CsvQuotesWhatTheUserWrote) {
  EXPECT_EQ(
      ToCsv(Example()),
      "point,learner.params.lr,strategy.policy,status,rounds,loss,accuracy,wall_s,digest,reason\n"
      "\"lr=0.5,policy=all\",0.5,all,completed,3,0.5,,1.25,0123456789abcdef0123,\n"
      "\"lr=0.5,policy=name_quorum_count_2\",0.5,\"{name: quorum, count: 2}\",failed,1,,,0.5,,"
      "\"w1: \"\"no\"\", said it\"\n");
}

TEST(SweepTable, JsonHasSettingsAsTheTypesThatTheyAre) {
  const std::string json = ToJson(Example());
  EXPECT_THAT(json, HasSubstr(R"("settings":{"learner.params.lr":0.5,"strategy.policy":"all"})"));
  EXPECT_THAT(json, HasSubstr(R"("strategy.policy":{"count":2,"name":"quorum"})"));
  EXPECT_THAT(json, HasSubstr(R"("completed":1,"directory":"runs/s")"));
  EXPECT_THAT(json, HasSubstr(R"("accuracy":null)"));
  EXPECT_EQ(std::count(json.begin(), json.end(), '\n'), 1);
}

TEST(SweepTable, ARowIsWhatTheResultSays) {
  RunResult result;
  result.status = "completed";
  result.rounds = 4;
  result.metrics = {{"accuracy", 0.75}, {"other", 1}};
  result.model_digest = "abc";
  const Row row = RowOf(result);
  EXPECT_TRUE(row.completed());
  EXPECT_EQ(row.accuracy, 0.75);
  EXPECT_EQ(row.loss, std::nullopt);
  EXPECT_EQ(row.digest, "abc");
}

}  // namespace
}  // namespace skein::sweep
