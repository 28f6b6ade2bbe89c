// A disk that is full, for each of the files that a run writes: the run ends as failed with a line
// that names the file and the reason, in bounded time, and what is on disk is what the record says.
#include "integration/program.h"

#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class FullDiskTest : public ProgramTest {
 protected:
  void WriteSpec(const std::string& elements, const std::string& rounds,
                 const std::string& more = "") {
    Write("spec.yaml", "topology: flat:4\nrounds: " + rounds +
                           "\nlearner: {name: echo, params: {elements: " + elements + "}}\n" +
                           more);
  }
  // The run of a process that may not write files beyond a size: each of them then meets the end
  // of a disk by itself.
  Outcome RunWithFilesUpTo(uint64_t bytes, const std::string& more = "") {
    std::filesystem::remove_all(work_ / "run");
    return Run("/usr/bin/prlimit",
               "--fsize=" + std::to_string(bytes) +
                   " '" SKEIN_PROGRAM "' run spec.yaml --out run --quiet --log-level off " + more);
  }
  // A failed run of which the record says so, in one line.
  void ExpectFailed(const Outcome& outcome, const std::vector<std::string>& words) {
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
  }
  std::string ResultText(const std::string& key) const {
    const std::string result = Result();
    const size_t at = result.find('"' + key + "\":\"");
    if (at == std::string::npos) return "";
    const size_t begin = at + key.size() + 4;
    return result.substr(begin, result.find('"', begin) - begin);
  }
  // The model that is there is the one that the result tells of.
  void ExpectModelOfResult(const std::string& directory) {
    const std::string model = directory + "/model.safetensors";
    const std::string digest = ResultText("model_digest");
    EXPECT_EQ(std::filesystem::exists(model), !digest.empty());
    if (digest.empty() || !std::filesystem::exists(model)) return;
    const auto tensors = ReadSafetensors(model);
    ASSERT_TRUE(tensors.ok()) << tensors.status();
    EXPECT_EQ(ModelDigest(*tensors), digest);
  }
};

constexpr char kNoRoom[] = "File too large";

TEST_F(FullDiskTest, ForTheModel) {
  WriteSpec("100000", "3");
  ExpectFailed(RunWithFilesUpTo(300'000),
               {"round 1: 'root': ", "model-1.0.safetensors: ", kNoRoom});
  EXPECT_THAT(Result(), AllOf(HasSubstr(R"("status":"failed")"), HasSubstr(R"("rounds":0)")));
  ExpectModelOfResult(work_ / "run");
  for (const auto& entry : std::filesystem::directory_iterator(work_ / "run")) {
    EXPECT_THAT(entry.path().string(), Not(HasSubstr("model"))) << "half a model is left";
  }
}

TEST_F(FullDiskTest, ForTheModelWithoutABarrier) {
  for (const char* policy :
       {"{name: buffered, size: 2}", "every_update", "{name: interval, period_s: 0.01}",
        "{name: tiered, groups: 2}", "fedcompass"}) {
    SCOPED_TRACE(policy);
    WriteSpec("100000", "6", "strategy: {policy: " + std::string(policy) + "}\n");
    ExpectFailed(RunWithFilesUpTo(300'000),
                 {"'root': ", "model.safetensors: ", kNoRoom, "round 1"});
    // And of the last version alone.
    WriteSpec("100000", "6", "evaluate: none\nstrategy: {policy: " + std::string(policy) + "}\n");
    ExpectFailed(RunWithFilesUpTo(300'000),
                 {"'root': ", "model.safetensors: ", kNoRoom, "round 6"});
  }
}

TEST_F(FullDiskTest, ForTheModelOfARunThatARuleEnds) {
  WriteSpec("2000000", "1000000",
            "evaluate: none\nstop: {time_s: 0.2}\nstrategy: {policy: every_update}\n");
  ExpectFailed(RunWithFilesUpTo(7'000'000),
               {"the last version could not be stored: ", "model.safetensors: ", kNoRoom});
}

TEST_F(FullDiskTest, ForTheStoreOfRuns) {
  WriteSpec("10", "300");
  ExpectFailed(RunWithFilesUpTo(100'000), {"the run store failed: ", "control.db", kNoRoom});
  EXPECT_THAT(Result(), HasSubstr(R"("status":"failed")"));
  ExpectModelOfResult(work_ / "run");
}

// The store starts its log anew at 4 MB, and goes on.
TEST_F(FullDiskTest, ForTheEvents) {
  Write("spec.yaml",
        "topology: flat:100\nrounds: 400\nevaluate: none\n"
        "learner: {name: echo, params: {elements: 1}}\n");
  ExpectFailed(RunWithFilesUpTo(5'000'000, "--threads 2"), {"events.jsonl", kNoRoom});
  EXPECT_THAT(Result(), AllOf(HasSubstr(R"("status":"failed")"), HasSubstr("events.jsonl"),
                              HasSubstr(R"("rounds":400)")));
  ExpectModelOfResult(work_ / "run");
}

TEST_F(FullDiskTest, ForARecordThatCannotBeBegunNothingIsLeft) {
  WriteSpec("10", "3");
  const Outcome outcome = RunWithFilesUpTo(200);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_THAT(outcome.err, AllOf(HasSubstr("run/"), HasSubstr(kNoRoom)));
  EXPECT_FALSE(std::filesystem::exists(work_ / "run"));
}

// Two updates of 4 MB fit, and a third does not: it is rejected, and the policy decides.
TEST_F(FullDiskTest, ForUpdatesThatAreSpilled) {
  const std::string fold = "{name: median, memory_mb: 0, spill_dir: " + work_.path() + "}";
  WriteSpec("1000000", "2",
            "strategy: {fold: " + fold + ", policy: {name: quorum, count: 2, deadline_s: 60}}\n");
  const Outcome outcome = RunWithFilesUpTo(9'000'000);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(Result(), AllOf(HasSubstr(R"("status":"completed")"), HasSubstr(R"("rejected":4)")));
  size_t told = 0;
  for (const std::string& event : Events()) {
    if (event.find("update_rejected") == std::string::npos) continue;
    ++told;
    EXPECT_THAT(event, AllOf(HasSubstr("cannot spill updates: File too large"),
                             HasSubstr("strategy.fold.spill_dir"), HasSubstr("\"node\":\"w")));
  }
  EXPECT_EQ(told, 4u);
  WriteSpec("1000000", "2", "strategy: {fold: " + fold + "}\n");
  ExpectFailed(RunWithFilesUpTo(9'000'000),
               {"round 1: 'root': ", "failed (", "cannot spill updates: File too large"});
}

// All files on one small file system, which is full now here and now there.
TEST_F(FullDiskTest, ForAllFilesTogetherWhereAFileSystemMayBeMounted) {
  std::filesystem::create_directory(work_ / "disk");
  const auto mounted = [](const std::string& how, const std::string& size,
                          const std::string& command) {
    return how + " sh -c \"mount -t tmpfs -o size=" + size + " none disk && " + command + "\"";
  };
  std::string how;
  for (const char* way : {"-m", "-rm"}) {
    if (how.empty() && Run("/usr/bin/unshare", mounted(way, "64k", "true")).code == 0) how = way;
  }
  if (how.empty()) GTEST_SKIP() << "mounting is not allowed here";
  WriteSpec("20000", "10000");
  for (const char* size : {"20k", "40k", "64k", "128k", "200k", "256k", "400k", "700k", "1m"}) {
    SCOPED_TRACE(size);
    std::filesystem::remove_all(work_ / "run");
    const Outcome outcome =
        Run("/usr/bin/unshare",
            mounted(how, size,
                    "{ '" SKEIN_PROGRAM "' run spec.yaml --out disk/run --quiet --log-level off; "
                    "code=\\$?; test ! -e disk/run || cp -r disk/run run; exit \\$code; }"));
    EXPECT_THAT(outcome.code, AnyOf(1, 2));
    EXPECT_EQ(std::filesystem::exists(work_ / "run"), outcome.code == 1);
    std::istringstream lines(outcome.err);
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
      EXPECT_THAT(line, HasSubstr("disk/run/"));
      EXPECT_THAT(line, AnyOf(HasSubstr("No space left"), HasSubstr("is full")));
    }
    EXPECT_GE(count, 1);
    EXPECT_LE(count, 2) << "why it failed, and that the record is not complete either";
    if (outcome.code != 1) continue;
    const std::string result = Result();  // if there was room for it
    if (!result.empty()) {
      EXPECT_THAT(result, HasSubstr(R"("status":"failed")"));
      ExpectModelOfResult(work_ / "run");
    }
  }
}

}  // namespace
}  // namespace skein
