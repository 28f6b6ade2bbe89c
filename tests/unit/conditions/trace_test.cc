#include "conditions/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  const auto traces = ParseTaskTraces(text, "t.csv");
  EXPECT_FALSE(traces.ok());
  return Message(traces.status());
}

TEST(Trace, TasksOfWorkersMayBeMixed) {
  const auto traces =
      ParseTaskTraces("worker,task,seconds\nw0,0,1.5\nw1,0,3\r\nw0,1,2\n\nw0,2,0\n", "t.csv");
  ASSERT_TRUE(traces.ok()) << traces.status();
  EXPECT_THAT(traces->at("w0"), ElementsAre(1.5, 2, 0));
  EXPECT_THAT(traces->at("w1"), ElementsAre(3));
}

TEST(Trace, ErrorsNameTheLine) {
  EXPECT_THAT(ErrorOf("worker,task,seconds\nw0,0,1\nw0,2,1\n"),
              AllOf(HasSubstr("t.csv:3: task 2"), HasSubstr("without a gap")));
  EXPECT_THAT(ErrorOf("worker,task,seconds\nw0,0,-1\n"), HasSubstr("t.csv:2: '-1'"));
  EXPECT_THAT(ErrorOf("worker,task,seconds\nw0,0,nan\n"), HasSubstr("t.csv:2"));
  EXPECT_THAT(ErrorOf("worker,task,seconds\nw0,x,1\n"), HasSubstr("no number of a task"));
  EXPECT_THAT(ErrorOf("worker,task,seconds\nw0,0\n"), HasSubstr("not of the form"));
  EXPECT_THAT(ErrorOf("worker,task,seconds\nw0,0,1,2\n"), HasSubstr("not of the form"));
  EXPECT_THAT(ErrorOf("w0,0,1\n"), HasSubstr("t.csv:1: the first line must be"));
  EXPECT_THAT(ErrorOf("worker,task,seconds\n"), HasSubstr("no tasks"));
  EXPECT_EQ(ReadTaskTraces("/nowhere/t.csv").status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace skein
