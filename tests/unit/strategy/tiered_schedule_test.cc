#include "strategy/policy_tiered/tiered_schedule.h"

#include <memory>

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
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using Update = ScheduleDriver::Update;

std::vector<size_t> ChildrenOf(const ScheduleDriver::Made& made) {
  std::vector<size_t> children;
  for (const Update& update : made.updates) children.push_back(update.child);
  return children;
}

// Children 0 to 3 take 1 s for a task, 4 and 5 take 5 s.
class TieredTest : public ::testing::Test {
 protected:
  static constexpr size_t kChildren = 6;

  void Begin(const TieredConfig& config) {
    auto owned = std::make_unique<TieredSchedule>(config, kChildren);
    schedule_ = owned.get();
    driver_ = std::make_unique<ScheduleDriver>(
        std::move(owned), [this](size_t child, uint32_t) -> std::optional<Duration> {
          if (hangs_.contains(child)) return std::nullopt;
          return times_[child];
        });
    driver_->Start(kChildren);
  }
  // Steps in [from, to), by who is in them.
  std::vector<std::vector<size_t>> Steps(Time from, Time to) const {
    std::vector<std::vector<size_t>> steps;
    for (const auto& made : driver_->made) {
      if (made.at >= from && made.at < to) steps.push_back(ChildrenOf(made));
    }
    return steps;
  }

  std::vector<Duration> times_ = {seconds(1), seconds(1), seconds(1),
                                  seconds(1), seconds(5), seconds(5)};
  std::set<size_t> hangs_;
  TieredSchedule* schedule_ = nullptr;
  std::unique_ptr<ScheduleDriver> driver_;
};

TEST_F(TieredTest, TheFirstRoundIsEverybodysUnlessSomeTakeTooLong) {
  Begin({.groups = 2, .patience = 6});
  driver_->RunUntil(seconds(5));
  ASSERT_THAT(driver_->made, SizeIs(1));
  EXPECT_EQ(driver_->made[0].at, seconds(5));
  EXPECT_THAT(driver_->made[0].updates, SizeIs(6));
}

TEST_F(TieredTest, WhoTakesTooLongForItMakesAStepByItself) {
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(milliseconds(5500));
  EXPECT_THAT(Steps(seconds(0), seconds(3)), ElementsAre(ElementsAre(0, 1, 2, 3)));
  EXPECT_EQ(driver_->made[0].at, seconds(2));
  EXPECT_THAT(driver_->made[0].step.reason, HasSubstr("patience"));
  EXPECT_THAT(Steps(seconds(5), milliseconds(5001)),
              ElementsAre(ElementsAre(4), ElementsAre(5), ElementsAre(0, 1, 2, 3)));
}

TEST_F(TieredTest, GroupsAreSynchronousInsideAndNotAcross) {
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(seconds(100));
  for (size_t child = 0; child < kChildren; ++child) {
    EXPECT_EQ(schedule_->group(child), child < 4 ? 0u : 1u) << child;
  }
  const auto steps = Steps(seconds(50), seconds(60));
  EXPECT_EQ(std::count(steps.begin(), steps.end(), std::vector<size_t>{0, 1, 2, 3}), 10);
  EXPECT_EQ(std::count(steps.begin(), steps.end(), std::vector<size_t>{4, 5}), 2);
  EXPECT_THAT(steps, SizeIs(12));
}

TEST_F(TieredTest, OneGroupOfEqualSpeedsIsSynchronous) {
  times_.assign(kChildren, seconds(2));
  Begin({.groups = 1});
  driver_->RunUntil(seconds(20));
  ASSERT_THAT(driver_->made, SizeIs(10));
  for (const auto& made : driver_->made) {
    EXPECT_THAT(made.updates, SizeIs(kChildren));
    EXPECT_THAT(made.updates, Each(Field(&Update::staleness, 0u)));
    EXPECT_EQ(made.step.weight, 1);
  }
}

TEST_F(TieredTest, AlmostEqualSpeedsAreOneGroupHoweverManyMayBe) {
  for (size_t child = 0; child < kChildren; ++child) {
    times_[child] = milliseconds(1000 + 20 * static_cast<int>(child));
  }
  Begin({.groups = 5});
  driver_->RunUntil(seconds(30));
  for (size_t child = 0; child < kChildren; ++child) EXPECT_EQ(schedule_->group(child), 0u);
}

// 1 s: 10 steps a time of the slow group, weight by FedAT of the other's count.
TEST_F(TieredTest, SlowGroupsWeighMore) {
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(seconds(1000));
  double fast = 0;
  double slow = 0;
  for (const auto& made : driver_->made) {
    if (made.at < seconds(500)) continue;
    (ChildrenOf(made)[0] < 4 ? fast : slow) += made.step.weight;
  }
  EXPECT_NEAR(fast, slow, 0.02 * slow) << "both have moved the model as far";
  const auto& last = driver_->made.back();
  EXPECT_THAT(last.step.weight, ::testing::AllOf(::testing::Gt(0), ::testing::Le(1)));
}

TEST_F(TieredTest, OrAllWeighAlike) {
  Begin({.groups = 2, .patience = 2, .inverse_counts = false});
  driver_->RunUntil(seconds(100));
  for (const auto& made : driver_->made) EXPECT_EQ(made.step.weight, 1);
}

TEST_F(TieredTest, ALostChildIsNotWaitedFor) {
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(milliseconds(20'500));
  driver_->Lose(2);
  driver_->RunUntil(seconds(25));
  EXPECT_THAT(Steps(seconds(21), seconds(22)), ElementsAre(ElementsAre(0, 1, 3)));
  driver_->Return(2);
  driver_->RunUntil(seconds(40));
  EXPECT_THAT(Steps(seconds(38), seconds(39)),
              ::testing::Contains(UnorderedElementsAre(0, 1, 2, 3)))
      << "it is with the others again";
}

TEST_F(TieredTest, AGroupThatEmptiesIsMissedByNobody) {
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(milliseconds(20'500));
  for (const size_t child : {0, 1, 2, 3}) driver_->Lose(child);
  driver_->RunUntil(seconds(100));
  const auto steps = Steps(seconds(40), seconds(100));
  EXPECT_THAT(steps, SizeIs(12));
  EXPECT_THAT(steps, Each(ElementsAre(4, 5)));
  EXPECT_EQ(driver_->made.back().step.weight, 1) << "it is the only one";
}

TEST_F(TieredTest, OneThatHangsCostsItsGroupOneWaitOnly) {
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(milliseconds(20'500));
  hangs_ = {2};  // from its next task on, at 21 s
  driver_->RunUntil(seconds(40));
  EXPECT_THAT(Steps(seconds(21), seconds(22)), ElementsAre(SizeIs(4)));
  EXPECT_THAT(Steps(seconds(22), seconds(23)), ::testing::IsEmpty()) << "it is waited for";
  EXPECT_THAT(Steps(seconds(23), seconds(24)), ElementsAre(ElementsAre(0, 1, 3)));
  EXPECT_THAT(Steps(seconds(24), seconds(25)), ElementsAre(ElementsAre(0, 1, 3)));
}

TEST_F(TieredTest, EvenIfMostOfThemHangFromTheStart) {
  hangs_ = {0, 2, 3, 4, 5};
  Begin({.groups = 2, .patience = 2});
  driver_->RunUntil(seconds(20));
  EXPECT_THAT(driver_->made, SizeIs(::testing::Ge(18u)));
}

TEST_F(TieredTest, WhoGetsSlowerChangesItsGroup) {
  Begin({.groups = 2, .patience = 2, .regroup_every = 5});
  driver_->RunUntil(seconds(30));
  ASSERT_EQ(schedule_->group(3), 0u);
  times_[3] = seconds(5);
  driver_->RunUntil(seconds(60));
  EXPECT_EQ(schedule_->group(3), 1u);
  driver_->RunUntil(seconds(100));
  EXPECT_THAT(Steps(seconds(80), seconds(100)), ::testing::Contains(UnorderedElementsAre(3, 4, 5)));
}

TEST_F(TieredTest, MakesRoomByTheFullestGroup) {
  TieredSchedule schedule({.groups = 1}, 2);
  EXPECT_FALSE(schedule.TakeStepEarly(Time(0)).has_value());
  schedule.Assign({0, 1}, Time(0));
  schedule.Contributed(1, schedule.LotOf(1, seconds(1)), seconds(1));
  EXPECT_FALSE(schedule.TakeStep(seconds(1)).has_value());
  EXPECT_TRUE(schedule.TakeStepEarly(seconds(1)).has_value());
  EXPECT_THAT(schedule.TakeReleased(), ElementsAre(1));
}

// Random times, jitter, hangs, losses and returns.
TEST(TieredSchedule, KeepsItsInvariants) {
  for (uint64_t seed = 0; seed < static_cast<uint64_t>(FuzzIterations(100)); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(seed);
    const size_t children = 1 + rng.Below(12);
    std::vector<Duration> times;
    for (size_t i = 0; i < children; ++i) {
      times.push_back(Duration(100'000 + rng.Below(uint64_t{1} << (14 + rng.Below(10)))));
    }
    const bool hangs = rng.Below(3) == 0;
    const TieredConfig config = {.groups = 1 + rng.Below(5),
                                 .speed_momentum = 0.5 + rng.Uniform() / 2,
                                 .patience = 1 + 2 * rng.Uniform(),
                                 .regroup_every = 1 + rng.Below(20)};
    ScheduleDriver driver(std::make_unique<TieredSchedule>(config, children),
                          [&](size_t child, uint32_t) -> std::optional<Duration> {
                            if (hangs && rng.Below(20) == 0) return std::nullopt;
                            return times[child] / 2 +
                                   Duration(rng.Below(static_cast<uint64_t>(times[child].count())));
                          });
    driver.Start(children);
    driver.RunWithLosses(children, times[0] * 5, rng);
    if (::testing::Test::HasFailure()) return;
    driver.Drain();
    for (const auto& made : driver.made) {
      ASSERT_GT(made.step.weight, 0);
      ASSERT_LE(made.step.weight, 1);
    }
    ASSERT_EQ(driver.unused(), 0u) << "of " << driver.contributed;
    ASSERT_EQ(driver.used(), driver.contributed);
  }
}

}  // namespace
}  // namespace skein
