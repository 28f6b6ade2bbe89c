#include "skein/conditions/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string ErrorOf(const ValueMap& values) {
  const auto conditions = ConditionsFromValues(values);
  EXPECT_FALSE(conditions.ok());
  return Message(conditions.status());
}

TEST(Conditions, NothingSaidIsNothingToDo) {
  const auto conditions = ConditionsFromValues({});
  ASSERT_TRUE(conditions.ok());
  EXPECT_EQ(*conditions, Conditions{});
  EXPECT_THAT(ToValues(*conditions), IsEmpty());
}

TEST(Conditions, AllOfItComesBackAsItWas) {
  const ValueMap values = {
      {"compute",
       ValueMap{{"task_s", 2}, {"spread", 0.5}, {"stragglers", 0.1}, {"straggler_factor", 8}}},
      {"links", ValueList{ValueMap{{"tier", 1}, {"mb_per_s", 2.5}},
                          ValueMap{{"tier", 0}, {"latency_s", 0.1}, {"loss", 0.01}}}},
      {"availability", ValueMap{{"up_s", 100}, {"down_s", 10}}},
      {"model_mb", 4}};
  const auto conditions = ConditionsFromValues(values);
  ASSERT_TRUE(conditions.ok()) << conditions.status();
  EXPECT_EQ(conditions->compute.task_s, 2);
  EXPECT_EQ(conditions->compute.straggler_factor, 8);
  ASSERT_EQ(conditions->links.size(), 2u);
  EXPECT_EQ(conditions->links[0].tier, 0);
  EXPECT_EQ(conditions->links[1].mb_per_s, 2.5);
  EXPECT_EQ(conditions->availability.down_s, 10);
  EXPECT_EQ(conditions->model_mb, 4);
  const auto again = ConditionsFromValues(ToValues(*conditions));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(*again, *conditions);
}

TEST(Conditions, ErrorsNameTheKey) {
  EXPECT_THAT(ErrorOf({{"compte", ValueMap{}}}), HasSubstr("did you mean 'compute'?"));
  EXPECT_THAT(ErrorOf({{"compute", ValueMap{{"task_s", -1}}}}),
              AllOf(HasSubstr("conditions.compute"), HasSubstr("task_s")));
  EXPECT_THAT(ErrorOf({{"links", ValueList{ValueMap{{"tier", 0}, {"latency_s", -0.5}}}}}),
              AllOf(HasSubstr("conditions.links[0]"), HasSubstr("latency_s")));
  EXPECT_THAT(ErrorOf({{"links", ValueList{ValueMap{{"mb_per_s", 1}}}}}), HasSubstr("tier"));
  EXPECT_THAT(ErrorOf({{"links", ValueList{ValueMap{{"tier", 1}}, ValueMap{{"tier", 1}}}}}),
              HasSubstr("conditions.links[1]: tier 1 is there already"));
  EXPECT_THAT(ErrorOf({{"compute", ValueMap{{"spread", 1}}}}), HasSubstr("factors of task_s"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"down_s", 1}}}}), HasSubstr("give up_s"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"share", 0.5}}}}), HasSubstr("give period_s"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"share", 0}, {"period_s", 9}}}}),
              HasSubstr("nobody is ever there"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"period_s", 100.0}}}}), HasSubstr("give share"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"period_s", 0.001}, {"share", 1e-9}}}}),
              HasSubstr("a millisecond"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"up_s", 1e-9}, {"down_s", 1}}}}),
              HasSubstr("a millisecond at least"));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"up_s", -5}}}}),
              AllOf(HasSubstr("conditions.availability"), HasSubstr("up_s")));
  EXPECT_THAT(ErrorOf({{"availability", ValueMap{{"up_s", 5}, {"trace", "t.csv"}}}}),
              HasSubstr("conditions.availability.trace: it says all"));
  EXPECT_THAT(ErrorOf({{"model_mb", "big"}}), HasSubstr("model_mb"));
}

}  // namespace
}  // namespace skein
