// The examples as their users run them.
#include <cstdio>

#include "integration/program.h"

namespace skein {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class ExamplesTest : public ProgramTest {
 protected:
  std::string Fashion(const std::string& spec) const {
    return std::string("run " EXAMPLES "/fashion_mnist/") + spec;
  }
};

TEST_F(ExamplesTest, QuickstartLearnsSomething) {
  const Outcome outcome =
      Run(QUICKSTART, "run " EXAMPLES "/quickstart/quickstart.yaml --out run --quiet");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string result = Result();
  const std::string key = "\"accuracy\":";
  EXPECT_GT(std::stod(result.substr(result.find(key) + key.size())), 0.85) << result;
}

TEST_F(ExamplesTest, AModuleAndItsSamplesLearnAsMuchInOneProcessAsInMany) {
  const std::string spec = "run " EXAMPLES "/module_learner/circle.yaml --quiet --rounds 10 --out ";
  const auto digest = [&](const std::string& name, const std::string& more) {
    const Outcome outcome = Run(MODULE_LEARNER, spec + name + more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const std::string result = ReadAll(work_ / (name + "/result.json"));
    EXPECT_GT(std::stod(result.substr(result.find("\"accuracy\":") + 11)), 0.85) << result;
    return result.substr(result.find("\"model_digest\":"), 80);
  };
  EXPECT_EQ(digest("one", ""), digest("many", " --processes"));
}

// One of eight workers is ten times slower than the others. A root that does not wait for its site
// is done much earlier, and as good.
TEST_F(ExamplesTest, ABufferedRootOverSynchronousSitesIsAsGoodInLessTime) {
  const std::string slow =
      "simulate " EXAMPLES
      "/quickstart/quickstart.yaml --quiet"
      " --set 'conditions.compute={task_s: 10, stragglers: 0.125, straggler_factor: 10}'";
  const auto run = [&](const std::string& name, const std::string& more) {
    const Outcome outcome = Run(QUICKSTART, slow + more + " --out " + name);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const std::string result = ReadAll(work_ / (name + "/result.json"));
    const auto number = [&](const std::string& key) {
      return std::stod(result.substr(result.find('"' + key + "\":") + key.size() + 3));
    };
    return std::pair(number("wall_s"), number("accuracy"));
  };
  const auto [sync_s, sync_accuracy] = run("sync", "");
  const auto [async_s, async_accuracy] =
      run("async",
          " --rounds 60 --set 'strategy.tiers=[{tier: 0, policy: {name: buffered, size: 1}}]'");
  EXPECT_LT(async_s, sync_s / 4);
  EXPECT_GT(async_accuracy, sync_accuracy - 0.02);
  EXPECT_THAT(ReadAll(work_ / "async/events.jsonl"), HasSubstr("\"staleness\":9"));
}

TEST_F(ExamplesTest, AFederationInAProgramIsStoppedByIt) {
  const Outcome outcome = Run(EMBEDDED_API, "run");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, testing::StartsWith("round "));
  EXPECT_THAT(outcome.out, HasSubstr("\nstopped: y = "));
  EXPECT_THAT(Result(), HasSubstr("\"status\":\"stopped\""));
  // Stopped because it was good enough: slope and offset are close to what was to be found.
  double slope = 0, offset = 0;
  ASSERT_EQ(
      std::sscanf(outcome.out.c_str() + outcome.out.find("y = "), "y = %lf x %lf", &slope, &offset),
      2);
  EXPECT_NEAR(slope, 3, 0.3);
  EXPECT_NEAR(offset, -1, 0.15);
}

TEST_F(ExamplesTest, AFederationInAProgramSaysWhyItCannotBegin) {
  fs::create_directory(work_ / "run");
  const Outcome outcome = Run(EMBEDDED_API, "run");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("run exists already"));
}

TEST_F(ExamplesTest, PartsOfOnesOwnAreNamedInASpec) {
  const Outcome outcome =
      Run(EXTENDED, "run " EXAMPLES "/extending/extended.yaml --out run --quiet");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const std::string events = ReadAll(work_ / "run/events.jsonl");
  EXPECT_THAT(events, HasSubstr("\"roster\":\"1,3,5,7\""));  // the first round
  EXPECT_THAT(events, HasSubstr("\"roster\":\"0,2,4,6\""));  // the second
  EXPECT_THAT(Run(EXTENDED, "strategies").out,
              testing::AllOf(HasSubstr("selector every-nth"), HasSubstr("fold capped-fedavg")));
}

TEST_F(ExamplesTest, ADirichletRunShowsWhoHasWhat) {
  const Outcome outcome = Run(FASHION_MNIST, Fashion("dirichlet.yaml --rounds 1 --out run"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out + outcome.err, HasSubstr("all       60000  6000  6000"));
}

TEST_F(ExamplesTest, MissingOrTruncatedDataIsRefusedBeforeARun) {
  const fs::path data = work_ / "data";
  Outcome outcome =
      Run(FASHION_MNIST, Fashion("two_tier.yaml --set data.path=") + data.string() + " --out run");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(data.string()));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;

  fs::copy("/usr/share/datasets/fashion-mnist", data, fs::copy_options::recursive);
  const fs::path images = data / "train-images-idx3-ubyte.gz";
  fs::permissions(images, fs::perms::owner_write, fs::perm_options::add);
  fs::resize_file(images, 100'000);
  outcome =
      Run(FASHION_MNIST, Fashion("two_tier.yaml --set data.path=") + data.string() + " --out run");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(images.string() + ": truncated"));
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_FALSE(fs::exists(work_ / "run"));
}

}  // namespace
}  // namespace skein
