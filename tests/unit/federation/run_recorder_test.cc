#include "federation/run_recorder.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const Topology> Tree(const std::string& shape) {
  return std::make_shared<const Topology>(Topology::FromShape(shape).value());
}

ValueList Bytes(int scale) {
  return {ValueMap{{"tier", 0}, {"up", 10 * scale}, {"down", 20 * scale}},
          ValueMap{{"tier", 1}, {"up", 30 * scale}, {"down", 40 * scale}}};
}

Event Opened(uint64_t round) { return {1, event::kRoundOpened, round, "", {{"participants", 4}}}; }

Event Committed(uint64_t round, int contributors, const char* digest) {
  return {2,
          event::kRoundCommitted,
          round,
          "root",
          {{"contributors", contributors},
           {"samples", 240},
           {"wall_s", 1.5},
           {"digest", digest},
           {"bytes", Bytes(1)}}};
}

Event Evaluated(uint64_t round, const char* where, double accuracy) {
  return {2,
          event::kEvaluated,
          round,
          "root",
          {{"where", where}, {"loss", 0.5}, {"accuracy", accuracy}}};
}

Event Ended(const char* status) {
  return {9,
          event::kRunEnded,
          2,
          "",
          {{"status", status},
           {"reason", "why"},
           {"rounds", 2},
           {"wall_s", 9.5},
           {"bytes", Bytes(2)},
           {"peak_rss_mib", 123.5}}};
}

std::shared_ptr<RunRecorder> Record(const std::string& directory) {
  auto recorder = RunRecorder::Create(directory, "name: x\n", Tree("tree:2x3"));
  EXPECT_TRUE(recorder.ok()) << recorder.status();
  for (const Event& event : {Opened(1), Committed(1, 4, "one"), Evaluated(1, "coordinator", 0.7),
                             Evaluated(1, "workers", 0.1), Opened(2),
                             Event{2, event::kUpdateRejected, 2, "w3", {{"reason", "NaN"}}},
                             Committed(2, 3, "two"), Ended("completed")}) {
    (*recorder)->OnEvent(event);
  }
  return *recorder;
}

TEST(RunRecorder, WritesOneRowARoundWithBytesByTier) {
  TempDir temp;
  Record(temp.path());
  EXPECT_EQ(ReadAll(temp / "rounds.csv"),
            "round,wall_s,contributors,samples,loss,accuracy,t0_up,t0_down,t1_up,t1_down\n"
            "1,1.5,4,240,0.5,0.7,10,20,30,40\n"
            "2,1.5,3,240,,,10,20,30,40\n");
}

TEST(RunRecorder, WritesTheResultWhenTheRunEnds) {
  TempDir temp;
  Record(temp.path());
  EXPECT_EQ(
      ReadAll(temp / "result.json"),
      R"({"accuracy":0.7,"bytes":[{"down":40,"tier":0,"up":20},{"down":80,"tier":1,"up":60}],)"
      R"("contributions":7,"loss":0.5,"metrics":{"accuracy":0.7,"loss":0.5},)"
      R"("model_digest":"two","peak_rss_mib":123.5,"reason":"why","rejected":1,"rounds":2,)"
      R"("status":"completed","wall_s":9.5})"
      "\n");
}

TEST(RunRecorder, KeepsSpecAndEvents) {
  TempDir temp;
  Record(temp.path());
  EXPECT_EQ(ReadAll(temp / "spec.yaml"), "name: x\n");
  const std::string events = ReadAll(temp / "events.jsonl");
  EXPECT_EQ(std::count(events.begin(), events.end(), '\n'), 8);
  EXPECT_THAT(events, HasSubstr(R"("event":"update_rejected","round":2,"node":"w3")"));
}

TEST(RunRecorder, HasNoResultBeforeTheEnd) {
  TempDir temp;
  auto recorder = RunRecorder::Create(temp.path(), "", Tree("flat:3"));
  ASSERT_TRUE(recorder.ok());
  (*recorder)->OnEvent(Opened(1));
  EXPECT_FALSE(std::filesystem::exists(temp / "result.json"));
}

TEST(RunRecorder, CountsARoundThatWasCommittedBeforeTheRunFailed) {
  auto recorder = RunRecorder::Create("", "", Tree("flat:3"));
  ASSERT_TRUE(recorder.ok());
  (*recorder)->OnEvent(Opened(1));
  (*recorder)->OnEvent(Committed(1, 4, "one"));
  (*recorder)->OnEvent(Ended("failed"));
  const RunResult result = (*recorder)->result();
  EXPECT_EQ(result.status, "failed");
  EXPECT_EQ(result.rounds, 1u);
  EXPECT_EQ(result.contributions, 4u);
  EXPECT_EQ(result.model_digest, "one");
}

TEST(RunRecorder, WritesNothingWithoutADirectory) {
  const auto recorder = Record("");
  EXPECT_EQ(recorder->result().contributions, 7u);
  EXPECT_EQ(recorder->result().metrics.at("accuracy"), 0.7);
  EXPECT_FALSE(std::filesystem::exists("/rounds.csv"));
}

TEST(RunRecorder, ARecordThatCannotBeWrittenFailsTheRun) {
  TempDir temp;
  auto recorder = RunRecorder::Create(temp.path(), "", Tree("flat:3"));
  ASSERT_TRUE(recorder.ok());
  // A limit on the size of files stands for a full disk.
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tiny{8, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tiny), 0);
  (*recorder)->OnEvent(Opened(1));
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  (*recorder)->OnEvent(Ended("completed"));
  EXPECT_EQ((*recorder)->result().status, "failed");
  EXPECT_THAT((*recorder)->result().reason, HasSubstr("events.jsonl"));
  EXPECT_THAT(ReadAll(temp / "result.json"), HasSubstr(R"("status":"failed")"));
}

TEST(RunRecorder, AResultThatCannotBeWrittenIsToldAndKeepsTheFirstReason) {
  for (const char* status : {"completed", "failed"}) {
    TempDir directory;
    auto created = RunRecorder::Create(directory.path(), "", Tree("tree:2x3"));
    ASSERT_TRUE(created.ok());
    const std::shared_ptr<RunRecorder> recorder = *std::move(created);
    std::filesystem::create_directories(directory.path() + "/result.json/in-the-way");
    recorder->OnEvent(Ended(status));
    const RunResult result = recorder->result();
    EXPECT_EQ(result.status, "failed");
    EXPECT_THAT(result.record_error, HasSubstr("result.json"));
    EXPECT_EQ(result.reason, status == std::string("failed") ? "why" : result.record_error);
  }
}

}  // namespace
}  // namespace skein
