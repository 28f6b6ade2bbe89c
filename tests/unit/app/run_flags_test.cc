#include "app/run_flags.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <CLI/CLI.hpp>

#include "skein/base/status.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kSpec[] =
    "name: small\n"
    "topology: flat:2\n"
    "learner: linear\n"
    "rounds: 3\n";

class RunFlagsTest : public testing::Test {
 protected:
  RunFlagsTest() {
    RegisterBuiltins(registries_);
    WriteAll(dir_ / "spec.yaml", kSpec);
    flags_.spec = dir_ / "spec.yaml";
    flags_.out = dir_ / "out";
  }
  TempDir dir_;
  Registries registries_;
  RunFlags flags_;
};

TEST_F(RunFlagsTest, FlagsGoBeforeTheSpec) {
  flags_.set = {"rounds=5", "seed=9"};
  flags_.rounds = "7";
  flags_.topology = "tree:2x2";
  const auto run = Resolve(flags_, registries_);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->spec.config.rounds, 7u);
  EXPECT_EQ(run->spec.config.seed, 9u);
  EXPECT_EQ(run->spec.topology.num_workers(), 4u);
  EXPECT_EQ(run->directory, dir_ / "out");
}

TEST_F(RunFlagsTest, ArgumentsForAnotherProcessMeanTheSame) {
  flags_.set = {"name=other", "strategy={policy: {name: quorum, fraction: 0.5}}"};
  flags_.topology = "flat:4";
  flags_.rounds = "2";
  flags_.seed = "11";
  flags_.quiet = true;
  std::vector<std::string> arguments = flags_.ToArguments("elsewhere");

  CLI::App app;
  RunFlags parsed;
  parsed.Define(app);
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
  app.parse(arguments);
  EXPECT_EQ(parsed.set, flags_.set);
  EXPECT_EQ(parsed.topology, "flat:4");
  EXPECT_EQ(parsed.rounds, "2");
  EXPECT_EQ(parsed.seed, "11");
  EXPECT_EQ(parsed.out, "elsewhere");
  EXPECT_TRUE(parsed.quiet);
  EXPECT_FALSE(parsed.json);
}

TEST_F(RunFlagsTest, OneValueForEachSet) {
  CLI::App app;
  RunFlags parsed;
  std::string rest;
  app.add_option("rest", rest);
  parsed.Define(app);
  app.parse("--set a=1 --set b=2 other");
  EXPECT_THAT(parsed.set, ElementsAre("a=1", "b=2"));
  EXPECT_EQ(rest, "other");
}

TEST_F(RunFlagsTest, SetWantsAnEqualsSign) {
  flags_.set = {"rounds"};
  EXPECT_THAT(Message(Resolve(flags_, registries_).status()), HasSubstr("path=value"));
}

TEST_F(RunFlagsTest, TheRunsOwnDirectoryIsNamedAfterIt) {
  flags_.out.clear();
  const auto run = Resolve(flags_, registries_);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_THAT(run->directory, StartsWith("runs/small-"));
}

TEST_F(RunFlagsTest, RefusesAnExistingDirectory) {
  flags_.out = dir_.path();
  EXPECT_EQ(Resolve(flags_, registries_).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(RunFlagsTest, JsonIsTheOnlyOutput) {
  std::ostringstream out, err;
  CommandContext context{nullptr, out, err};
  flags_.json = true;
  const auto run = Resolve(flags_, registries_);
  ASSERT_TRUE(run.ok());
  const auto progress = MakeProgress(flags_, *run, context);
  progress->OnEvent({0, event::kRunStarted, 0, "", {{"name", "small"}}});
  progress->OnEvent({0, event::kRunEnded, 0, "", {{"status", "failed"}, {"reason", "w0 died"}}});
  EXPECT_EQ(out.str(), "");
  EXPECT_THAT(err.str(), HasSubstr("w0 died"));
  RunResult result;
  result.status = "failed";
  EXPECT_EQ(Conclude(flags_, result, context), kRunFailed);
  EXPECT_THAT(out.str(), StartsWith("{"));
}

}  // namespace
}  // namespace skein
