#include "skein/conditions/conditions_model.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

std::shared_ptr<const ConditionsModel> Model(const Conditions& conditions, uint64_t seed = 1,
                                             uint64_t workers = 1000) {
  return ConditionsModel::Create(conditions, seed, workers, 3).value();
}

double TaskSeconds(const ConditionsModel& model, LeafIndex leaf, uint64_t n = 0) {
  return ToSeconds(model.PaceOf("w" + std::to_string(leaf), leaf)->Training(n));
}

TEST(ConditionsModel, WithoutConditionsNothingTakesTime) {
  const auto model = Model({});
  EXPECT_EQ(model->PaceOf("w0", 0)->Training(0), Duration(0));
  EXPECT_EQ(model->LinksOf(0), nullptr);
  EXPECT_FALSE(model->has_absences());
}

TEST(ConditionsModel, SpeedsAreLognormalAroundTheTypicalWorkers) {
  const auto model = Model({.compute = {.task_s = 2, .spread = 0.5}});
  std::vector<double> logs;
  for (LeafIndex leaf = 0; leaf < 1000; ++leaf) logs.push_back(std::log(TaskSeconds(*model, leaf)));
  double mean = 0;
  for (const double log : logs) mean += log / 1000;
  double variance = 0;
  for (const double log : logs) variance += (log - mean) * (log - mean) / 1000;
  EXPECT_NEAR(mean, std::log(2), 0.06);
  EXPECT_NEAR(std::sqrt(variance), 0.5, 0.04);
  EXPECT_EQ(TaskSeconds(*model, 7, 0), TaskSeconds(*model, 7, 9)) << "there is no jitter";
}

TEST(ConditionsModel, StragglersAreExactlyAsMany) {
  const auto model =
      Model({.compute = {.task_s = 1, .stragglers = 0.1, .straggler_factor = 10}}, 3, 32);
  int slow = 0;
  for (LeafIndex leaf = 0; leaf < 32; ++leaf) {
    EXPECT_DOUBLE_EQ(TaskSeconds(*model, leaf), model->IsStraggler(leaf) ? 10 : 1);
    slow += model->IsStraggler(leaf);
  }
  EXPECT_EQ(slow, 3);
}

TEST(ConditionsModel, AllIsAFunctionOfTheSeed) {
  const Conditions conditions = {.compute = {.task_s = 1, .spread = 1, .jitter = 0.2},
                                 .availability = {.up_s = 50, .down_s = 5}};
  const auto one = Model(conditions, 1);
  const auto same = Model(conditions, 1);
  const auto other = Model(conditions, 2);
  EXPECT_EQ(TaskSeconds(*one, 5, 3), TaskSeconds(*same, 5, 3));
  EXPECT_NE(TaskSeconds(*one, 5, 3), TaskSeconds(*other, 5, 3));
  EXPECT_NE(TaskSeconds(*one, 5, 3), TaskSeconds(*one, 5, 4));
  EXPECT_EQ(one->AbsencesOf("w4", 4).Next()->from, same->AbsencesOf("w4", 4).Next()->from);
  EXPECT_NE(one->AbsencesOf("w4", 4).Next()->from, other->AbsencesOf("w4", 4).Next()->from);
}

TEST(ConditionsModel, FewerStepsTakeTheirShareOfTheTime) {
  const auto model = Model({.compute = {.task_s = 8, .steps = 40}});
  const WorkerPace pace = model->PaceOf("w0", 0).value();
  EXPECT_EQ(pace.Training(0), seconds(8));
  EXPECT_EQ(pace.Training(0, 10), seconds(2));
  EXPECT_EQ(pace.Training(0, 80), seconds(16));
}

TEST(ConditionsModel, FailuresAndReturnsFollowOneAnother) {
  const auto model = Model({.availability = {.up_s = 100, .down_s = 20}});
  double up = 0;
  double down = 0;
  constexpr int kWorkers = 200;
  constexpr int kEach = 10;
  for (LeafIndex leaf = 0; leaf < kWorkers; ++leaf) {
    Absences absences = model->AbsencesOf("w", leaf);
    Duration back{0};
    for (int i = 0; i < kEach; ++i) {
      const auto absence = absences.Next();
      ASSERT_TRUE(absence.has_value());
      ASSERT_GT(absence->from, back);
      ASSERT_GT(absence->to, absence->from);
      up += ToSeconds(absence->from - back);
      down += ToSeconds(absence->to - absence->from);
      back = absence->to;
    }
  }
  EXPECT_NEAR(up / (kWorkers * kEach), 100, 10);
  EXPECT_NEAR(down / (kWorkers * kEach), 20, 2);
}

TEST(ConditionsModel, WhoLeavesForGoodDoesNotComeBack) {
  Absences absences = Model({.availability = {.up_s = 100}})->AbsencesOf("w0", 0);
  EXPECT_EQ(absences.Next()->to, kNever);
  EXPECT_FALSE(absences.Next().has_value());
}

TEST(ConditionsModel, DaysHaveTheirShareOfThePeriod) {
  const auto model = Model({.availability = {.period_s = 100, .share = 0.75}});
  for (LeafIndex leaf = 0; leaf < 50; ++leaf) {
    Absences absences = model->AbsencesOf("w", leaf);
    absences.Next();  // may have begun before the run
    Absence last = *absences.Next();
    for (int i = 0; i < 5; ++i) {
      EXPECT_NEAR(ToSeconds(last.to - last.from), 25, 1e-6);
      const Absence next = *absences.Next();
      EXPECT_NEAR(ToSeconds(next.from - last.to), 75, 1e-6);
      last = next;
    }
  }
}

TEST(ConditionsModel, OverlappingAbsencesAreOne) {
  const auto model =
      Model({.availability = {.up_s = 5, .down_s = 5, .period_s = 20, .share = 0.5}});
  Absences absences = model->AbsencesOf("w3", 3);
  Duration back{-1};
  for (int i = 0; i < 100; ++i) {
    const Absence absence = absences.Next().value();
    EXPECT_GT(absence.from, back);
    EXPECT_GE(absence.to, absence.from);
    back = absence.to;
  }
}

class PresenceTest : public ::testing::Test {
 protected:
  std::shared_ptr<const ConditionsModel> ModelOf(const std::string& lines) {
    WriteAll(path_, "worker,from_s,to_s\n" + lines);
    return Model({.availability = {.trace = path_}}, 1, 2);
  }
  const TempDir directory_;
  const std::string path_ = directory_ / "there.csv";
};

TEST_F(PresenceTest, AbsencesAreWhatIsBetween) {
  const auto model = ModelOf("w0,0,10\nw1,5,inf\nw0,10,20\nw0,30,40\n");
  EXPECT_TRUE(model->has_absences());
  Absences w0 = model->AbsencesOf("w0", 0);
  std::optional<Absence> absence = w0.Next();
  ASSERT_TRUE(absence.has_value());
  EXPECT_EQ(absence->from, seconds(20)) << "times that touch are one";
  EXPECT_EQ(absence->to, seconds(30));
  absence = w0.Next();
  ASSERT_TRUE(absence.has_value());
  EXPECT_EQ(absence->from, seconds(40));
  EXPECT_EQ(absence->to, kNever);
  EXPECT_FALSE(w0.Next().has_value());
  Absences w1 = model->AbsencesOf("w1", 1);
  absence = w1.Next();
  ASSERT_TRUE(absence.has_value());
  EXPECT_EQ(absence->from, seconds(0));
  EXPECT_EQ(absence->to, seconds(5));
  EXPECT_FALSE(w1.Next().has_value());
}

TEST_F(PresenceTest, ItsWorkersAreTheTrees) {
  const auto model = ModelOf("w0,0,10\nw1,5,inf\n");
  EXPECT_TRUE(model->CheckWorkers({"w0", "w1"}).ok());
  EXPECT_THAT(Message(model->CheckWorkers({"w0", "w1", "w2"})),
              HasSubstr("has no line of worker 'w2'"));
  EXPECT_THAT(Message(model->CheckWorkers({"w0"})),
              HasSubstr("there.csv:3: the tree has no worker 'w1'"));
}

TEST(ConditionsModel, ATraceThatIsMissingIsNamed) {
  const auto model =
      ConditionsModel::Create({.availability = {.trace = "/nowhere/a.csv"}}, 1, 2, 2);
  EXPECT_TRUE(absl::IsNotFound(model.status()));
  EXPECT_THAT(Message(model.status()), HasSubstr("/nowhere/a.csv"));
}

TEST(ConditionsModel, LinksAreFoundByTheParentsTier) {
  const auto model = Model({.links = {{.tier = 1, .mb_per_s = 3}}});
  EXPECT_EQ(model->LinksOf(0), nullptr);
  ASSERT_NE(model->LinksOf(1), nullptr);
  EXPECT_EQ(model->LinksOf(1)->mb_per_s, 3);
}

TEST(ConditionsModel, ATierWithoutChildrenIsRefused) {
  const auto model = ConditionsModel::Create({.links = {{.tier = 2}}}, 1, 4, 3);
  EXPECT_THAT(Message(model.status()), HasSubstr("tier 2 has no children"));
}

TEST(SharedConditions, AreOneModelForEqualConditions) {
  SharedConditions shared;
  const Conditions conditions = {.compute = {.task_s = 1}};
  const auto one = shared.Get(conditions, 1, 4, 2).value();
  EXPECT_EQ(shared.Get(conditions, 1, 4, 2).value(), one);
  EXPECT_NE(shared.Get(conditions, 2, 4, 2).value(), one);
}

TEST(SharedConditions, ReadATraceOnceThoughNobodyHoldsTheModel) {
  const TempDir directory;
  const std::string path = directory / "trace.csv";
  WriteAll(path, "worker,task,seconds\nw0,0,1\n");
  SharedConditions shared;
  const Conditions conditions = {.compute = {.trace = path}};
  ASSERT_TRUE(shared.Get(conditions, 1, 1, 2).ok());
  std::filesystem::remove(path);
  EXPECT_TRUE(shared.Get(conditions, 1, 1, 2).ok());
}

}  // namespace
}  // namespace skein
