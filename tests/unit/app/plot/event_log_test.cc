#include "app/plot/event_log.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein::plot {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kLine[] = R"({"time_s":1.5,"event":"evaluated","round":3,"node":"root","loss":0.5})";

TEST(ParseEvent, ReadsWhatToJsonLineWrites) {
  const Event event{1.25,
                    event::kVersionCommitted,
                    7,
                    "no\"de\n\u00fc",
                    {{"text", "a\\b"},
                     {"count", int64_t{-3}},
                     {"real", 0.1},
                     {"yes", true},
                     {"none", Value()},
                     {"list", ValueList{1, ValueMap{{"up", 5.5}}}}}};
  const auto read = ParseEvent(ToJsonLine(event));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->time_s, event.time_s);
  EXPECT_EQ(read->type, event.type);
  EXPECT_EQ(read->round, event.round);
  EXPECT_EQ(read->node, event.node);
  EXPECT_EQ(read->fields, event.fields);
}

TEST(ParseEvent, SaysWhatIsWrong) {
  const auto error = [](const std::string& line) { return Message(ParseEvent(line).status()); };
  EXPECT_THAT(error(""), HasSubstr("not JSON"));
  EXPECT_THAT(error(R"({"time_s":1.5,)"), HasSubstr("not JSON, at column 15"));
  EXPECT_THAT(error(std::string(kLine) + "x"), HasSubstr("not JSON"));
  EXPECT_THAT(error(R"({"time_s":1e999})"), HasSubstr("out of range"));
  EXPECT_THAT(error("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(error("{}"), HasSubstr("'time_s'"));
  EXPECT_THAT(error(R"({"time_s":"1","event":"x","round":0,"node":""})"), HasSubstr("'time_s'"));
  EXPECT_THAT(error(R"({"time_s":1,"round":0,"node":""})"), HasSubstr("'event'"));
  EXPECT_THAT(error(R"({"time_s":1,"event":"x","round":-1,"node":""})"), HasSubstr("'round'"));
  EXPECT_THAT(error(R"({"time_s":1,"event":"x","round":0})"), HasSubstr("'node'"));
}

TEST(ParseEvent, NestsAsDeepAsEventsDo) {
  EXPECT_THAT(Message(ParseEvent(std::string(100'000, '[')).status()), HasSubstr("not JSON"));
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_THAT(Message(ParseEvent(deep).status()), HasSubstr("too deeply"));
}

class ReadEventsTest : public ::testing::Test {
 protected:
  absl::Status Read() {
    seen_.clear();
    return ReadEvents(directory_.path(),
                      [this](const Event& event) { seen_.push_back(event.type); });
  }
  void WriteLog(const std::string& text) { WriteAll(directory_ / "events.jsonl", text); }

  TempDir directory_;
  std::vector<std::string> seen_;
};

TEST_F(ReadEventsTest, HandsThemOverInOrder) {
  WriteLog(std::string(kLine) +
           "\n{\"time_s\":2,\"event\":\"run_ended\",\"round\":3,\"node\":\"\"}\n");
  ASSERT_TRUE(Read().ok());
  EXPECT_THAT(seen_, ElementsAre("evaluated", "run_ended"));
}

TEST_F(ReadEventsTest, NamesFileAndLineOfWhatIsBroken) {
  WriteLog(std::string(kLine) + "\nnonsense\n" + kLine + "\n");
  EXPECT_THAT(Message(Read()), AllOf(HasSubstr("events.jsonl:2: "), HasSubstr("not JSON")));
}

TEST_F(ReadEventsTest, HalfALineIsForgivenWhileTheRunIsUnderWay) {
  WriteLog(std::string(kLine) + "\n{\"time_s\":2,\"ev");
  EXPECT_TRUE(Read().ok());
  EXPECT_THAT(seen_, ElementsAre("evaluated"));
  WriteAll(directory_ / "result.json", "{}");
  EXPECT_THAT(Message(Read()), HasSubstr("events.jsonl:2: "));
}

TEST_F(ReadEventsTest, WhatIsNoRunIsNotFound) {
  EXPECT_THAT(Message(Read()), HasSubstr("no events.jsonl"));
  const absl::Status status = ReadEvents(directory_ / "ghost", [](const Event&) {});
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(status), HasSubstr("ghost: no such run directory"));
}

}  // namespace
}  // namespace skein::plot
