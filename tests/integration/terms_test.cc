// Client-side terms through a whole federation.
#include <cstring>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/federation/federation.h"
#include "skein/tensor/safetensors.h"
#include "support/quadratic_learner.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

class TermsTest : public ::testing::Test {
 protected:
  RunResult Run(const std::string& shape, std::vector<PartSpec> terms, uint64_t rounds,
                const Quadratics& quadratics = {}, const PartSpec& selector = {"all", {}}) {
    StrategySpec strategy;
    strategy.fold = {"mean", {}};
    strategy.terms = std::move(terms);
    strategy.selector = selector;
    FederationOptions options;
    options.rounds = rounds;
    options.run_directory = directory_ = temp_ / ("run" + std::to_string(++runs_));
    options.evaluate = {.coordinator = false, .workers = true};
    auto federation =
        Federation::Create(shape, strategy, QuadraticLearner::Factory(quadratics), options);
    EXPECT_TRUE(federation.ok()) << federation.status();
    auto result = (*federation)->Run();
    EXPECT_TRUE(result.ok()) << result.status();
    return *result;
  }
  // Of the tensor `name` in the first element.
  float At(const std::string& file, const std::string& name) const {
    const auto tensors = ReadSafetensors(directory_ + "/" + file);
    EXPECT_TRUE(tensors.ok()) << tensors.status();
    const auto at = tensors->manifest().Find(name);
    EXPECT_TRUE(at.has_value()) << name;
    float value = 0;
    std::memcpy(&value, tensors->tensor(at.value()).data(), sizeof(value));
    return value;
  }
  float KeptBy(const std::string& worker) const {
    std::string file;
    for (const auto& run : std::filesystem::directory_iterator(directory_ + "/workers")) {
      file = "workers/" + run.path().filename().string() + "/" + worker + ".safetensors";
    }
    return At(file, "scaffold.k/w");
  }

  TempDir temp_;
  std::string directory_;
  int runs_ = 0;
};

// The vector of Karimireddy et al. 2019.
TEST_F(TermsTest, ScaffoldOverTwoWorkers) {
  const double models[] = {1.265, 1.4685, 1.6163275};
  for (uint64_t rounds = 1; rounds <= 3; ++rounds) {
    const RunResult result = Run("flat:2", {{"scaffold", {}}}, rounds);
    EXPECT_EQ(result.status, "completed") << result.reason;
    EXPECT_NEAR(At("model.safetensors", "w"), models[rounds - 1], 2e-6);
  }
  EXPECT_EQ(ReadSafetensors(directory_ + "/model.safetensors")->manifest().size(), 1u)
      << "what belongs to the strategy is not in the model";
  EXPECT_NEAR(KeptBy("w0"), 1.511725, 2e-6);
  EXPECT_NEAR(KeptBy("w1"), -2.99, 2e-6);
  const RunResult result = Run("flat:2", {{"scaffold", {}}}, 80);
  EXPECT_NEAR(result.metrics.at("loss"), 2, 1e-3);
}

TEST_F(TermsTest, ScaffoldIsTheSameInEveryTree) {
  Quadratics four{.a = {1, 2, 1, 2}, .b = {0, 3, 0, 3}};
  const RunResult flat = Run("flat:4", {{"scaffold", {}}}, 3, four);
  EXPECT_NEAR(At("model.safetensors", "w"), 1.6163275, 2e-6) << "each worker twice";
  for (const char* shape : {"tree:2x2", "tree:2x1x2", "tree:4x1"}) {
    EXPECT_EQ(Run(shape, {{"scaffold", {}}}, 3, four).model_digest, flat.model_digest) << shape;
    EXPECT_NEAR(KeptBy("w3"), -2.99, 2e-6) << shape;
  }
}

// c += (1/N) sum over those who took part: c stays the mean of the c_i only so.
TEST_F(TermsTest, ScaffoldWithHalfOfTheWorkersReachesTheOptimum) {
  Quadratics four{.a = {1, 2, 1, 2}, .b = {0, 3, 0, 3}};
  const RunResult result =
      Run("tree:2x2", {{"scaffold", {}}}, 250, four, {"count", {{"count", 2}}});
  EXPECT_EQ(result.status, "completed") << result.reason;
  EXPECT_NEAR(At("model.safetensors", "w"), 2, 0.02);
}

TEST_F(TermsTest, OneWorkerOrAThousand) {
  const Quadratics one{.a = {1}, .b = {3}};
  Quadratics thousand{.a = {}, .b = {}};
  for (int k = 0; k < 1000; ++k) {
    thousand.a.push_back(1 + 0.001 * k);
    thousand.b.push_back(k % 7);
  }
  for (const PartSpec& term :
       {PartSpec{"fedprox", {{"mu", 0.5}}}, {"scaffold", {}}, {"ditto", {}}}) {
    SCOPED_TRACE(term.name);
    EXPECT_EQ(Run("flat:1", {term}, 2, one).status, "completed");
    const RunResult flat = Run("flat:1000", {term}, 2, thousand);
    EXPECT_EQ(flat.status, "completed") << flat.reason;
    const RunResult tree = Run("tree:10x10x10", {term}, 2, thousand);
    EXPECT_EQ(tree.status, "completed") << tree.reason;
    EXPECT_EQ(tree.model_digest, flat.model_digest);
  }
}

TEST_F(TermsTest, FedProxWithoutAPullIsFedAvg) {
  const std::string fedavg = Run("tree:1x2", {}, 4).model_digest;
  EXPECT_EQ(Run("tree:1x2", {{"fedprox", {{"mu", 0.0}}}}, 4).model_digest, fedavg);
  EXPECT_NE(Run("tree:1x2", {{"fedprox", {{"mu", 0.5}}}}, 4).model_digest, fedavg);
}

TEST_F(TermsTest, DittosModelsAreEvaluatedByWorkersAndStayThere) {
  const RunResult result = Run("flat:2", {{"ditto", {{"lambda", 0.001}}}}, 60);
  EXPECT_EQ(result.status, "completed") << result.reason;
  EXPECT_NEAR(result.metrics.at("personal_loss"), 1.5, 0.01) << "the mean of 0 and 3, nearly";
  EXPECT_NEAR(At("model.safetensors", "w"), 1.9636, 1e-3) << "FedAvg's own fixed point";
}

TEST_F(TermsTest, ATermThatIsNotAppliedFailsTheRun) {
  const RunResult result = Run("flat:2", {{"fedprox", {}}}, 2, {.applies_terms = false});
  EXPECT_EQ(result.status, "failed");
  EXPECT_THAT(result.reason, HasSubstr("strategy.terms asks for 'fedprox'"));
}

}  // namespace
}  // namespace skein
