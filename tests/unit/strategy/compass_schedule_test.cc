#include "strategy/policy_fedcompass/compass_schedule.h"

#include <memory>
#include <sstream>

#include <gmock/gmock.h>

#include "skein/base/random.h"
#include "support/iterations.h"
#include "unit/strategy/schedule_driver.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Update = ScheduleDriver::Update;

constexpr CompassConfig kConfig = {
    .q_min = 20, .q_max = 100, .speed_momentum = 1, .latest_time_factor = 1.2};

ScheduleDriver::Work StepsOf(std::vector<Duration> step_times) {
  return [step_times](size_t child, uint32_t steps) { return step_times[child] * steps; };
}

// "20 A:u1" for a step, "20 A Q100" for a task.
std::vector<std::string> StepsMade(const ScheduleDriver& driver) {
  std::vector<std::string> lines;
  for (const auto& made : driver.made) {
    std::ostringstream line;
    line << ToSeconds(made.at);
    for (const Update& update : made.updates) {
      line << ' ' << static_cast<char>('A' + update.child) << ":u" << update.staleness;
    }
    lines.push_back(line.str());
  }
  return lines;
}
std::vector<std::string> TasksGiven(const ScheduleDriver& driver) {
  std::vector<std::string> lines;
  for (const auto& given : driver.given) {
    std::ostringstream line;
    line << ToSeconds(given.at) << ' ' << static_cast<char>('A' + given.child) << " Q"
         << given.steps;
    lines.push_back(line.str());
  }
  return lines;
}

// The trace of the reference: steps of 0.1, 0.2 and 0.5 s, all begin at 0 with 100.
TEST(CompassSchedule, FollowsTheTraceOfThePaper) {
  auto owned = std::make_unique<CompassSchedule>(kConfig, 3);
  const CompassSchedule& schedule = *owned;
  ScheduleDriver driver(std::move(owned),
                        StepsOf({milliseconds(100), milliseconds(200), milliseconds(500)}));
  driver.AskAtOnce();
  driver.Start(3);
  driver.RunUntil(seconds(10));
  EXPECT_EQ(schedule.ExpectedAt(0), seconds(20));
  EXPECT_EQ(schedule.LatestAt(0), seconds(22));
  driver.RunUntil(seconds(20));
  EXPECT_EQ(schedule.ExpectedAt(1), seconds(32));
  EXPECT_EQ(schedule.LatestAt(1), milliseconds(34400));
  EXPECT_EQ(schedule.ExpectedAt(0), seconds(30));
  driver.RunUntil(seconds(50));
  EXPECT_EQ(schedule.ExpectedAt(2), seconds(64));
  EXPECT_EQ(schedule.LatestAt(2), milliseconds(66800));
  driver.RunUntil(seconds(64));
  EXPECT_THAT(StepsMade(driver), ElementsAre("10 A:u0", "20 B:u1", "20 A:u1", "30 A:u0",
                                             "32 B:u2 A:u0", "42 A:u0 B:u0", "50 C:u6",
                                             "52 A:u1 B:u1", "62 A:u0", "64 C:u2 B:u1 A:u0"));
  std::vector<std::string> tasks = TasksGiven(driver);
  tasks.resize(18);  // up to the step at 64
  EXPECT_THAT(
      tasks, ElementsAre("0 A Q100", "0 B Q100", "0 C Q100", "10 A Q100", "20 B Q60", "20 A Q100",
                         "30 A Q20", "32 A Q100", "32 B Q50", "42 A Q100", "42 B Q50", "50 C Q28",
                         "52 A Q100", "52 B Q60", "62 A Q20", "64 A Q100", "64 B Q50", "64 C Q20"));
}

TEST(CompassSchedule, EqualSpeedsAreOneGroupAndNothingIsStale) {
  const std::vector<Duration> step_times(7, milliseconds(30));
  ScheduleDriver driver(std::make_unique<CompassSchedule>(kConfig, 7), StepsOf(step_times));
  driver.Start(7);
  driver.RunUntil(seconds(30));
  ASSERT_THAT(driver.made, SizeIs(7 + 9));
  for (size_t i = 7; i < driver.made.size(); ++i) {
    EXPECT_THAT(driver.made[i].updates, SizeIs(7));
    EXPECT_THAT(driver.made[i].updates, Each(Field(&Update::staleness, 0u)));
  }
}

TEST(CompassSchedule, SpeedsAreSmoothed) {
  CompassConfig config = kConfig;
  config.speed_momentum = 0.5;
  CompassSchedule schedule(config, 1);
  schedule.Assign({0}, Time(0));
  schedule.Contributed(0, schedule.LotOf(0, seconds(10)), seconds(10));
  EXPECT_EQ(schedule.step_time(0), milliseconds(100));
  ASSERT_TRUE(schedule.TakeStep(seconds(10)).has_value());
  schedule.Assign({0}, seconds(10));
  schedule.Contributed(0, schedule.LotOf(0, seconds(40)), seconds(40));
  EXPECT_EQ(schedule.step_time(0), milliseconds(200));
}

// B of a group with A takes longer than was to be expected.
class LateTest : public ::testing::Test {
 protected:
  LateTest() {
    driver_.Start(2);
    driver_.RunUntil(seconds(20));
  }
  Duration step_of_b_ = milliseconds(100);
  bool b_hangs_ = false;
  ScheduleDriver driver_{std::make_unique<CompassSchedule>(kConfig, 2),
                         [this](size_t child, uint32_t steps) -> std::optional<Duration> {
                           if (child == 1 && b_hangs_) return std::nullopt;
                           return (child == 0 ? milliseconds(100) : step_of_b_) * steps;
                         }};
};

TEST_F(LateTest, AGroupDoesNotWaitBeyondItsLatestTime) {
  step_of_b_ = milliseconds(150);  // 15 s where 10 were expected
  driver_.RunUntil(seconds(20));
  driver_.made.clear();
  driver_.RunUntil(seconds(30));  // together, as they began before it got slow
  ASSERT_THAT(StepsMade(driver_), ElementsAre("30 A:u0 B:u0"));
  driver_.RunUntil(seconds(44));
  ASSERT_THAT(StepsMade(driver_), ElementsAre("30 A:u0 B:u0", "42 A:u0"));
  EXPECT_THAT(driver_.made[1].step.reason, HasSubstr("latest time"));
  EXPECT_EQ(driver_.unused(), 0u);
  driver_.RunUntil(seconds(46));  // B came at 45, and waits in the general buffer
  EXPECT_EQ(driver_.unused(), 1u);
  driver_.RunUntil(seconds(60));
  EXPECT_THAT(StepsMade(driver_)[2], "52 B:u0 A:u0 B:u1") << "with the next group";
}

TEST_F(LateTest, OneThatHangsHoldsNobodyUp) {
  b_hangs_ = true;
  driver_.RunUntil(seconds(30));
  driver_.made.clear();
  driver_.RunUntil(seconds(120));
  ASSERT_GE(driver_.made.size(), 8u);
  EXPECT_EQ(driver_.made[0].at, seconds(42)) << "at the latest time";
  EXPECT_EQ(driver_.made[1].at, seconds(52)) << "and alone from then on";
  EXPECT_EQ(driver_.unused(), 0u);
}

TEST_F(LateTest, AGroupWhoseOtherMemberIsLostMakesItsStep) {
  b_hangs_ = true;
  driver_.RunUntil(seconds(41));  // both were asked at 30; A has come
  driver_.made.clear();
  driver_.Lose(1);
  ASSERT_THAT(StepsMade(driver_), ElementsAre("41 A:u0"));
  b_hangs_ = false;
  driver_.RunUntil(seconds(45));
  driver_.Return(1);
  driver_.RunUntil(seconds(100));
  const auto& last = driver_.made.back();
  EXPECT_THAT(last.updates, SizeIs(2)) << "it is in a group again";
}

TEST_F(LateTest, WhoHasComeAndIsLostStillCounts) {
  step_of_b_ = milliseconds(110);
  driver_.RunUntil(milliseconds(40'500));  // A has come at 40, B will at 41
  driver_.made.clear();
  driver_.Lose(0);
  EXPECT_THAT(driver_.made, IsEmpty());
  driver_.RunUntil(seconds(41));
  EXPECT_THAT(StepsMade(driver_), ElementsAre("41 A:u0 B:u0"));
}

TEST(CompassSchedule, AnEmptyGroupIsDissolvedAndTheBufferIsUsed) {
  CompassSchedule schedule(kConfig, 2);
  schedule.Assign({0, 1}, Time(0));
  for (const size_t child : {0, 1}) {
    schedule.Contributed(child, schedule.LotOf(child, seconds(10)), seconds(10));
    ASSERT_TRUE(schedule.TakeStep(seconds(10)).has_value());
  }
  schedule.Assign({0, 1}, seconds(10));
  EXPECT_EQ(schedule.NextTime(), seconds(22));
  EXPECT_FALSE(schedule.TakeStep(seconds(22)).has_value()) << "nobody has come";
  EXPECT_EQ(schedule.NextTime(), Time::max());
  schedule.Contributed(0, schedule.LotOf(0, seconds(30)), seconds(30));
  EXPECT_THAT(schedule.TakeReleased(), ElementsAre(0, 1, 0))
      << "the first two from before, and who comes late at once";
  const auto step = schedule.TakeStep(seconds(30));
  ASSERT_TRUE(step.has_value()) << "no group is open whose step it could wait for";
  EXPECT_THAT(step->lots, ::testing::Contains(0u));
}

TEST(CompassSchedule, MakesRoomByTheGroupThatIsDueFirst) {
  CompassSchedule schedule(kConfig, 2);
  EXPECT_FALSE(schedule.TakeStepEarly(Time(0)).has_value());
  schedule.Assign({0, 1}, Time(0));
  for (const size_t child : {0, 1}) {
    schedule.Contributed(child, schedule.LotOf(child, seconds(10)), seconds(10));
    ASSERT_TRUE(schedule.TakeStep(seconds(10)).has_value());
  }
  schedule.TakeReleased();
  schedule.Assign({0, 1}, seconds(10));
  const auto lot = schedule.LotOf(0, seconds(19));
  schedule.Contributed(0, lot, seconds(19));
  EXPECT_FALSE(schedule.TakeStep(seconds(19)).has_value());
  const auto step = schedule.TakeStepEarly(seconds(19));
  ASSERT_TRUE(step.has_value());
  EXPECT_THAT(step->lots, ::testing::Contains(lot));
  EXPECT_THAT(schedule.TakeReleased(), ElementsAre(0));
}

TEST(CompassSchedule, ATaskWithoutDurationIsNoTrouble) {
  ScheduleDriver driver(std::make_unique<CompassSchedule>(kConfig, 3),
                        [n = 0](size_t, uint32_t) mutable -> std::optional<Duration> {
                          return n++ < 100 ? std::optional(Duration(0)) : std::nullopt;
                        });
  driver.Start(3);
  driver.RunUntil(seconds(1));
  EXPECT_EQ(driver.contributed, 100u);
  driver.Drain();
  EXPECT_EQ(driver.unused(), 0u);
}

// Random speeds, jitter, hangs, losses and returns.
TEST(CompassSchedule, KeepsItsInvariants) {
  for (uint64_t seed = 0; seed < static_cast<uint64_t>(FuzzIterations(100)); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const size_t children = 1 + rng.Below(12);
    std::vector<Duration> step_times;
    for (size_t i = 0; i < children; ++i) {
      step_times.push_back(Duration(100'000 + rng.Below(uint64_t{1} << (14 + rng.Below(10)))));
    }
    const bool jitter = rng.Below(2) == 0;
    const bool hangs = rng.Below(3) == 0;
    const CompassConfig config = {.q_min = static_cast<uint32_t>(1 + rng.Below(50)),
                                  .q_max = static_cast<uint32_t>(50 + rng.Below(100)),
                                  .speed_momentum = 0.5 + rng.Uniform() / 2,
                                  .latest_time_factor = 1 + rng.Uniform()};
    ScheduleDriver driver(std::make_unique<CompassSchedule>(config, children),
                          [&](size_t child, uint32_t steps) -> std::optional<Duration> {
                            if (hangs && rng.Below(20) == 0) return std::nullopt;
                            const double factor = jitter ? 0.5 + rng.Uniform() : 1;
                            return Duration(static_cast<int64_t>(
                                static_cast<double>((step_times[child] * steps).count()) * factor));
                          });
    driver.Start(children);
    driver.RunWithLosses(children, step_times[0] * 40, rng);
    if (::testing::Test::HasFailure()) return;
    for (const auto& given : driver.given) {
      ASSERT_GE(given.steps, config.q_min);
      ASSERT_LE(given.steps, config.q_max);
    }
    driver.Drain();
    ASSERT_EQ(driver.unused(), 0u) << "of " << driver.contributed;
    ASSERT_EQ(driver.used(), driver.contributed);
    ASSERT_EQ(driver.version, driver.made.size());
  }
}

}  // namespace
}  // namespace skein
