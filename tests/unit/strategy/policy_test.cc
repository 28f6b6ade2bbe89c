#include "skein/strategy/round_policy.h"

#include <gmock/gmock.h>

#include "unit/strategy/builtin_parts.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using Verdict = PolicyDecision::Verdict;
using std::chrono::seconds;

struct Transition {
  std::string name;
  std::string policy;
  ValueMap params;
  int expected, accepted, failed, elapsed_s;
  Verdict verdict;
  std::string reason = "";  // part of it
  int ask_again_s = 0;      // with kWait
};

void PrintTo(const Transition& t, std::ostream* out) { *out << t.name; }

class Policy : public ::testing::TestWithParam<Transition> {};

TEST_P(Policy, Decides) {
  const Transition& t = GetParam();
  const auto policy = Make(BuiltinStrategies().policies, t.policy, t.params);
  PolicyView view;
  view.expected = t.expected;
  view.accepted = t.accepted;
  view.failed = t.failed;
  view.elapsed = seconds(t.elapsed_s);
  const PolicyDecision decision = policy->Decide(view);
  EXPECT_EQ(decision.verdict, t.verdict) << decision.reason;
  EXPECT_THAT(decision.reason, HasSubstr(t.reason));
  if (t.verdict == Verdict::kWait) {
    EXPECT_EQ(decision.ask_again, seconds(t.ask_again_s));
  }
  if (t.verdict == Verdict::kFail) {
    EXPECT_NE(decision.reason, "");
  }
}

const ValueMap kAll = {{"timeout_s", 20}};
INSTANTIATE_TEST_SUITE_P(
    All, Policy,
    ::testing::Values(
        Transition{"Waits", "all", kAll, 4, 3, 0, 5, Verdict::kWait, "", 20},
        Transition{"WaitsAtTheStart", "all", kAll, 4, 0, 0, 0, Verdict::kWait, "", 20},
        Transition{"ClosesWithEveryone", "all", kAll, 4, 4, 0, 5, Verdict::kClose},
        Transition{"ClosesWithEveryoneEvenLate", "all", kAll, 4, 4, 0, 99, Verdict::kClose},
        Transition{"FailsAsSoonAsOneFails", "all", kAll, 4, 2, 1, 5, Verdict::kFail,
                   "4 of 4 children and 1 failed"},
        Transition{"FailsWhenAllButOneContributed", "all", kAll, 4, 3, 1, 5, Verdict::kFail,
                   "1 failed"},
        Transition{"FailsAtTheTimeout", "all", kAll, 4, 3, 0, 20, Verdict::kFail,
                   "1 did not answer within 20 s"},
        Transition{"WaitsTenMinutesByDefault", "all", {}, 4, 3, 0, 599, Verdict::kWait, "", 600},
        Transition{"FailsWithoutChildren", "all", kAll, 0, 0, 0, 0, Verdict::kFail, "no child"}),
    [](const auto& tested) { return tested.param.name; });

const ValueMap kThree = {{"count", 3}};
const ValueMap kThreeBy30 = {{"count", 3}, {"deadline_s", 30}};
const ValueMap kHalf = {{"fraction", 0.5}};
INSTANTIATE_TEST_SUITE_P(
    Quorum, Policy,
    ::testing::Values(
        // Without a deadline.
        Transition{"Waits", "quorum", kThree, 4, 2, 0, 5, Verdict::kWait, "", 600},
        Transition{"ClosesAsSoonAsReached", "quorum", kThree, 4, 3, 0, 5, Verdict::kClose,
                   "the quorum is reached"},
        Transition{"ClosesWithEveryone", "quorum", kThree, 4, 4, 0, 5, Verdict::kClose},
        Transition{"ASilentWorkerDoesNotHoldIt", "quorum", kThree, 4, 3, 0, 599, Verdict::kClose},
        Transition{"BearsFailuresWhilePossible", "quorum", kThree, 4, 2, 1, 5, Verdict::kWait, "",
                   600},
        Transition{"FailsWhenImpossible", "quorum", kThree, 4, 2, 2, 5, Verdict::kFail,
                   "needs 3 of 4 children and has 2, 2 failed"},
        Transition{"FailsShortAtTheTimeout", "quorum", kThree, 4, 2, 0, 600, Verdict::kFail,
                   "600 s passed"},
        Transition{"FailsWithFewerChildrenThanNeeded", "quorum", kThree, 2, 0, 0, 0, Verdict::kFail,
                   "needs 3 of 2"},
        Transition{"FailsWithoutChildren", "quorum", kThree, 0, 0, 0, 0, Verdict::kFail,
                   "no child"},
        // With one: it waits for more than the quorum.
        Transition{"WaitsForMoreUntilTheDeadline", "quorum", kThreeBy30, 4, 3, 0, 29,
                   Verdict::kWait, "", 30},
        Transition{"ClosesAtDeadlineWithQuorum", "quorum", kThreeBy30, 4, 3, 0, 30, Verdict::kClose,
                   "deadline of 30 s passed"},
        Transition{"ClosesEarlyWhenNobodyIsPending", "quorum", kThreeBy30, 4, 3, 1, 5,
                   Verdict::kClose},
        Transition{"ClosesEarlyWithEveryone", "quorum", kThreeBy30, 4, 4, 0, 5, Verdict::kClose},
        Transition{"FailsShortAtTheDeadline", "quorum", kThreeBy30, 4, 2, 0, 30, Verdict::kFail,
                   "has 2 when the deadline of 30 s passed"},
        Transition{"FailsBeforeTheDeadlineWhenImpossible", "quorum", kThreeBy30, 4, 0, 2, 5,
                   Verdict::kFail, "2 failed"},
        // A fraction is rounded up, and one child is needed at least.
        Transition{"HalfOfFiveIsThree", "quorum", kHalf, 5, 2, 0, 5, Verdict::kWait, "", 600},
        Transition{"HalfOfFiveIsReachedByThree", "quorum", kHalf, 5, 3, 0, 5, Verdict::kClose},
        Transition{"HalfOfOneIsOne", "quorum", kHalf, 1, 0, 0, 5, Verdict::kWait, "", 600},
        Transition{"BinaryFractionsDoNotAddAChild",
                   "quorum",
                   {{"fraction", 0.57}},
                   100,
                   57,
                   0,
                   5,
                   Verdict::kClose},
        Transition{"TinyFractionNeedsOne",
                   "quorum",
                   {{"fraction", 1e-6}},
                   10,
                   0,
                   9,
                   5,
                   Verdict::kWait,
                   "",
                   600},
        Transition{"WholeFractionNeedsAll",
                   "quorum",
                   {{"fraction", 1}},
                   4,
                   3,
                   0,
                   5,
                   Verdict::kWait,
                   "",
                   600}),
    [](const auto& tested) { return tested.param.name; });

const ValueMap kOver = {{"factor", 1.3}, {"deadline_s", 30}};
INSTANTIATE_TEST_SUITE_P(
    OverSelect, Policy,
    ::testing::Values(
        Transition{"Waits", "over_select", kOver, 13, 9, 0, 5, Verdict::kWait, "", 30},
        Transition{"ClosesWithTheFirstTenOfThirteen", "over_select", kOver, 13, 10, 0, 5,
                   Verdict::kClose, "the goal of 10 is reached"},
        Transition{"BearsDropOuts", "over_select", kOver, 13, 10, 3, 5, Verdict::kClose},
        Transition{"WaitsOnWhileEnoughMayCome", "over_select", kOver, 13, 7, 5, 5, Verdict::kWait,
                   "", 30},
        Transition{"ClosesShortWhenNobodyIsLeft", "over_select", kOver, 13, 8, 5, 5,
                   Verdict::kClose, "5 failed"},
        Transition{"FailsWhenTooFewCanCome", "over_select", kOver, 13, 6, 6, 5, Verdict::kFail,
                   "needs 8 of 13 children and has 6, 6 failed"},
        Transition{"ClosesShortAtTheDeadline", "over_select", kOver, 13, 8, 0, 30, Verdict::kClose,
                   "deadline of 30 s passed"},
        Transition{"FailsAtTheDeadline", "over_select", kOver, 13, 7, 0, 30, Verdict::kFail,
                   "has 7, the deadline of 30 s passed"},
        Transition{"OneChildIsEnoughOfOne", "over_select", kOver, 1, 1, 0, 5, Verdict::kClose},
        Transition{"FailsWithoutChildren", "over_select", kOver, 0, 0, 0, 0, Verdict::kFail,
                   "no child"}),
    [](const auto& tested) { return tested.param.name; });

// Without a barrier `expected` counts the children at work and what has come from them.
const ValueMap kFour = {{"size", 4}};
const ValueMap kFourBy20 = {{"size", 4}, {"max_wait_s", 20}};
const ValueMap kNever = {};
INSTANTIATE_TEST_SUITE_P(
    Buffered, Policy,
    ::testing::Values(
        Transition{"ClosesAtItsSize", "buffered", kFour, 12, 4, 0, 5, Verdict::kClose},
        Transition{"DoesNotMindFailures", "buffered", kFour, 12, 4, 7, 5, Verdict::kClose},
        Transition{"ClosesShortAfterItsTime", "buffered", kFourBy20, 12, 1, 0, 20, Verdict::kClose,
                   "20 s passed"},
        Transition{"WaitsUntilThen", "buffered", kFourBy20, 12, 1, 0, 5, Verdict::kWait, "", 20},
        Transition{"ClosesShortWhenNobodyIsLeft", "buffered", kFour, 3, 2, 1, 5, Verdict::kClose,
                   "no child is left"},
        Transition{"FailsWhenNobodyIsLeftAndNothingCame", "buffered", kFour, 3, 0, 3, 5,
                   Verdict::kFail, "no child is left"}),
    [](const auto& tested) { return tested.param.name; });

INSTANTIATE_TEST_SUITE_P(EveryUpdate, Policy,
                         ::testing::Values(Transition{"ClosesWithTheFirst", "every_update", kNever,
                                                      9, 1, 0, 0, Verdict::kClose},
                                           Transition{"FailsWhenNobodyIsLeft", "every_update",
                                                      kNever, 3, 0, 3, 5, Verdict::kFail,
                                                      "no child is left"}),
                         [](const auto& tested) { return tested.param.name; });

const ValueMap kEvery10 = {{"period_s", 10}};
INSTANTIATE_TEST_SUITE_P(
    Interval, Policy,
    ::testing::Values(Transition{"WaitsForItsTime", "interval", kEvery10, 9, 8, 0, 9,
                                 Verdict::kWait, "", 10},
                      Transition{"ClosesThen", "interval", kEvery10, 9, 1, 0, 10, Verdict::kClose},
                      Transition{"WaitsForItsTimeWhenNobodyIsLeft", "interval", kEvery10, 2, 1, 1,
                                 9, Verdict::kWait, "", 10},
                      Transition{"FailsWhenNobodyIsLeftAndNothingCame", "interval", kEvery10, 2, 0,
                                 2, 3, Verdict::kFail, "no child is left"}),
    [](const auto& tested) { return tested.param.name; });

// Their schedules make the steps; these only say when nothing can come any more.
const ValueMap kTwoGroups = {{"groups", 2}};
INSTANTIATE_TEST_SUITE_P(
    WithSchedules, Policy,
    ::testing::Values(Transition{"FedCompassFailsWhenNobodyIsLeft", "fedcompass", kNever, 3, 0, 3,
                                 5, Verdict::kFail, "policy 'fedcompass': no child is left"},
                      Transition{"TieredFailsWhenNobodyIsLeft", "tiered", kTwoGroups, 3, 0, 3, 5,
                                 Verdict::kFail, "policy 'tiered': no child is left"}),
    [](const auto& tested) { return tested.param.name; });

// None gives up while somebody may come, or waits for nobody.
TEST(Policies, ThatHaveNoBarrierAnswerForEveryView) {
  const StrategyRegistries registries = BuiltinStrategies();
  int seen = 0;
  for (const std::string& name : registries.policies.Names()) {
    ValueMap params;
    if (name == "quorum") params = {{"count", 1}};
    if (name == "buffered") params = {{"size", 2}};
    if (name == "interval") params = {{"period_s", 5}};
    if (name == "tiered") params = {{"groups", 2}};
    const auto policy = Make(registries.policies, name, params);
    ASSERT_NE(policy, nullptr) << name;
    EXPECT_TRUE(policy->Patience().has_value()) << name;
    if (policy->has_barrier()) {
      EXPECT_EQ(policy->NewSchedule(3), nullptr) << name;
      continue;
    }
    ++seen;
    EXPECT_EQ(policy->Relaxed(2), nullptr) << name;
    for (int accepted = 0; accepted <= 3; ++accepted) {
      for (int failed = 0; accepted + failed <= 3; ++failed) {
        PolicyView view;
        view.expected = 3;
        view.accepted = policy->NewSchedule(3) != nullptr ? 0 : accepted;
        view.failed = failed;
        view.elapsed = seconds(100);
        const PolicyDecision decision = policy->Decide(view);
        if (view.pending() > 0) {
          EXPECT_NE(decision.verdict, Verdict::kFail) << name;
        } else {
          EXPECT_NE(decision.verdict, Verdict::kWait) << name << " waits for nobody";
        }
      }
    }
  }
  EXPECT_EQ(seen, 5);
}

TEST(Policies, ThatCountStepsRefuseARangeThatIsNone) {
  const StrategyRegistries registries = BuiltinStrategies();
  EXPECT_EQ(Refusal(registries.policies, "fedcompass", {{"q_min", 9}, {"q_max", 8}}),
            "policy 'fedcompass': q_min is 9, more than q_max, which is 8");
  EXPECT_THAT(Refusal(registries.policies, "fedcompass", {{"latest_time_factor", 0.5}}),
              HasSubstr("from 1"));
  EXPECT_THAT(Refusal(registries.policies, "fedcompass", {{"q_min", 0}}), HasSubstr("from 1"));
  EXPECT_THAT(Refusal(registries.policies, "tiered", {{"groups", 0}}), HasSubstr("from 1"));
  EXPECT_THAT(Refusal(registries.policies, "tiered"), HasSubstr("groups"));
  EXPECT_THAT(Refusal(registries.policies, "tiered", {{"groups", 2}, {"patience", -1}}),
              HasSubstr("from 1"));
}

TEST(Policies, WithoutABarrierNothingIsWaitedForButTheNextContribution) {
  const StrategyRegistries registries = BuiltinStrategies();
  for (const auto& [name, params] :
       std::vector<std::pair<std::string, ValueMap>>{{"buffered", kFour},
                                                     {"buffered", kFourBy20},
                                                     {"every_update", {}},
                                                     {"interval", kEvery10}}) {
    const auto policy = Make(registries.policies, name, params);
    EXPECT_FALSE(policy->has_barrier());
    EXPECT_EQ(policy->Relaxed(3), nullptr);
    PolicyView view;
    view.expected = 5;
    view.elapsed = seconds(1000);
    const PolicyDecision decision = policy->Decide(view);
    EXPECT_EQ(decision.verdict, Verdict::kWait) << name;
    EXPECT_EQ(decision.ask_again, Duration::max()) << name;
  }
  EXPECT_EQ(Make(registries.policies, "buffered", kFour)->MinChildren(), 4);
}

// Whatever happens, waiting is bounded and a decision does not turn back.
TEST(Policies, EveryWaitNamesATimeAtWhichItEnds) {
  const StrategyRegistries registries = BuiltinStrategies();
  for (const auto& [name, params] :
       std::vector<std::pair<std::string, ValueMap>>{{"all", kAll},
                                                     {"quorum", kThree},
                                                     {"quorum", kThreeBy30},
                                                     {"quorum", kHalf},
                                                     {"over_select", kOver}}) {
    const auto policy = Make(registries.policies, name, params);
    EXPECT_TRUE(policy->has_barrier());
    for (int expected = 0; expected <= 6; ++expected) {
      for (int accepted = 0; accepted <= expected; ++accepted) {
        for (int failed = 0; accepted + failed <= expected; ++failed) {
          PolicyView view;
          view.expected = expected;
          view.accepted = accepted;
          view.failed = failed;
          const PolicyDecision decision = policy->Decide(view);
          if (decision.verdict != Verdict::kWait) continue;
          EXPECT_GT(view.pending(), 0) << "it waits for nobody";
          EXPECT_LT(decision.ask_again, Duration::max());
          view.elapsed = decision.ask_again;
          EXPECT_NE(policy->Decide(view).verdict, Verdict::kWait);
        }
      }
    }
  }
}

Duration LimitOf(const RoundPolicy& policy) {
  PolicyView view;
  view.expected = 10;
  view.accepted = 9;
  return policy.Decide(view).ask_again;
}

TEST(Policies, RelaxingAddsATenthOrASecondToTheTimeBelow) {
  const StrategyRegistries registries = BuiltinStrategies();
  struct Case {
    std::string name;
    ValueMap params;
    int times;
    double limit_s;
  };
  for (const Case& c :
       {Case{"all", {{"timeout_s", 600}}, 1, 660}, Case{"all", {{"timeout_s", 600}}, 3, 1980},
        Case{"all", {{"timeout_s", 2}}, 2, 5},
        Case{"quorum", {{"count", 9}, {"deadline_s", 30}}, 2, 66},
        Case{"quorum", {{"count", 9}, {"deadline_s", 0.5}}, 1, 1.5},
        Case{"quorum", {{"count", 10}}, 1, 660}, Case{"over_select", {{"factor", 1}}, 2, 1320}}) {
    const auto relaxed = Make(registries.policies, c.name, c.params)->Relaxed(c.times);
    ASSERT_NE(relaxed, nullptr);
    EXPECT_EQ(ToSeconds(LimitOf(*relaxed)), c.limit_s) << c.name << " for " << c.times;
  }
  EXPECT_EQ(Make(registries.policies, "all")->Relaxed(0), nullptr) << "it applies as it is";
}

TEST(Policies, QuorumTakesExactlyOneOfFractionAndCount) {
  const StrategyRegistries registries = BuiltinStrategies();
  const std::string message = "policy 'quorum': give either 'fraction' or 'count'";
  EXPECT_EQ(Refusal(registries.policies, "quorum"), message);
  EXPECT_EQ(Refusal(registries.policies, "quorum", {{"fraction", 0.5}, {"count", 2}}), message);
  EXPECT_EQ(Refusal(registries.policies, "quorum", {{"fractoin", 0.5}}),
            "policy 'quorum': unknown parameter 'fractoin', did you mean 'fraction'?");
  EXPECT_THAT(Refusal(registries.policies, "quorum", {{"fraction", 1.5}}), HasSubstr("to 1"));
  EXPECT_THAT(Refusal(registries.policies, "quorum", {{"count", 0}}), HasSubstr("from 1"));
}

}  // namespace
}  // namespace skein
