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

std::string PresenceErrorOf(const std::string& lines) {
  const auto traces = ParsePresenceTraces("worker,from_s,to_s\n" + lines, "a.csv");
  EXPECT_FALSE(traces.ok());
  return Message(traces.status());
}

TEST(PresenceTrace, HasTheTimesOfEachWorker) {
  const auto traces =
      ParsePresenceTraces("worker,from_s,to_s\nw0,0,10\nw1,2.5,inf\nw0,10,20\nw0,30,40\n", "a.csv");
  ASSERT_TRUE(traces.ok()) << traces.status();
  ASSERT_EQ(traces->at("w0").size(), 3u);
  EXPECT_EQ(traces->at("w0")[2].from, std::chrono::seconds(30));
  EXPECT_EQ(traces->at("w0")[2].line, 5u);
  EXPECT_EQ(traces->at("w1")[0].from, std::chrono::milliseconds(2500));
  EXPECT_EQ(traces->at("w1")[0].to, kNever);
}

TEST(PresenceTrace, ErrorsNameTheLine) {
  EXPECT_THAT(PresenceErrorOf("w0,0,10\nw1,0,5\nw0,9,12\n"),
              AllOf(HasSubstr("a.csv:4: worker 'w0' is there from 9 s"), HasSubstr("line 2"),
                    HasSubstr("without an overlap")));
  EXPECT_THAT(PresenceErrorOf("w0,20,30\nw0,0,10\n"), HasSubstr("a.csv:3"));
  EXPECT_THAT(PresenceErrorOf("w0,0,inf\nw0,10,20\n"), HasSubstr("a.csv:3"));
  EXPECT_THAT(PresenceErrorOf("w0,-1,5\n"), HasSubstr("a.csv:2: '-1'"));
  EXPECT_THAT(PresenceErrorOf("w0,5,5\n"), HasSubstr("a.csv:2: worker 'w0' is there until 5 s"));
  EXPECT_THAT(PresenceErrorOf("w0,5,4\n"), HasSubstr("no later"));
  EXPECT_THAT(PresenceErrorOf("w0,,5\n"), HasSubstr("a.csv:2: ''"));
  EXPECT_THAT(PresenceErrorOf("w0,1\n"), HasSubstr("not of the form worker,from_s,to_s"));
  EXPECT_THAT(PresenceErrorOf("w0,nan,5\n"), HasSubstr("a.csv:2"));
  EXPECT_THAT(PresenceErrorOf(""), HasSubstr("a.csv: has no times"));
}

}  // namespace
}  // namespace skein
