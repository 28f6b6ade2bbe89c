// Folds and server optimizers in federations, from outside.
#include "integration/program.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

class StrategiesTest : public ProgramTest {
 protected:
  // The digest of the model that a run makes; what it leaves behind is in `out`.
  std::string DigestOf(const std::string& shape, const std::string& strategy,
                       const std::string& out = "run", const std::string& more = "") {
    Write("spec.yaml", "topology: " + shape + "\nlearner: linear\nrounds: 3\nseed: 4\n" + more +
                           "strategy: {" + strategy + "}\n");
    const Outcome outcome = Skein("run spec.yaml --quiet --out " + out);
    EXPECT_EQ(outcome.code, 0) << strategy << ": " << outcome.err;
    const std::string result = ReadAll(work_ / (out + "/result.json"));
    const std::string key = "\"model_digest\":";
    const size_t at = result.find(key);
    if (at == result.npos) return "";
    return result.substr(result.find('"', at + key.size()) + 1, 64);
  }
};

class ExactFold : public StrategiesTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(ExactFold, TreesGiveTheFlatModel) {
  const std::string flat = DigestOf("flat:8", GetParam(), "flat");
  ASSERT_EQ(flat.size(), 64u);
  EXPECT_EQ(DigestOf("tree:2x4", GetParam(), "two"), flat);
  EXPECT_EQ(DigestOf("tree:2x2x2", GetParam(), "three"), flat);
  // Workers of `linear` make as many steps as one another, which is FedNova's FedAvg.
  const bool averages = GetParam() == "fold: fednova";
  EXPECT_EQ(DigestOf("flat:8", "fold: fedavg", "fedavg") == flat, averages);
}

INSTANTIATE_TEST_SUITE_P(Folds, ExactFold,
                         ::testing::Values("fold: mean, optimizer: {name: sgd, lr: 0.9}",
                                           "fold: fednova",
                                           "fold: {name: qfedavg, lr: 0.05, q: 1, max_loss: 1000}",
                                           "fold: {name: clipped-mean, clip: 0.01}",
                                           "fold: signsgd, optimizer: {name: sgd, lr: 0.01}",
                                           "optimizer: {name: fedavgm, lr: 0.5}",
                                           "optimizer: fedadagrad", "optimizer: fedadam",
                                           "optimizer: fedyogi", "fold: mean, optimizer: feddyn"));

class KeepingOptimizer : public StrategiesTest,
                         public ::testing::WithParamInterface<std::string> {};

TEST_P(KeepingOptimizer, ARunGoesOnFromTheStateOfAnother) {
  const std::string name = GetParam();
  DigestOf("flat:4", "optimizer: " + name, "first");
  ASSERT_TRUE(std::filesystem::exists(work_ / "first/optimizer.safetensors"));
  const std::string init = "init: first/model.safetensors\n";
  const std::string with =
      DigestOf("flat:4", "optimizer: {name: " + name + ", state: first/optimizer.safetensors}",
               "with", init);
  const std::string without = DigestOf("flat:4", "optimizer: " + name, "without", init);
  EXPECT_NE(with, without);
  // From another directory as well: paths are seen from the spec.
  const std::string resolved = ReadAll(work_ / "with/spec.yaml");
  EXPECT_THAT(resolved, HasSubstr(work_ / "first/optimizer.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(Optimizers, KeepingOptimizer,
                         ::testing::Values("fedavgm", "fedadagrad", "fedadam", "fedyogi"),
                         [](const auto& tested) { return tested.param; });

TEST_F(StrategiesTest, AStateThatIsMissingOrOfAnotherModelEndsTheRunWithOneLine) {
  Write("spec.yaml",
        "topology: flat:2\nlearner: linear\nrounds: 1\n"
        "strategy: {optimizer: {name: fedadam, state: none.safetensors}}\n");
  const Outcome missing = Skein("run spec.yaml --quiet --out gone");
  EXPECT_NE(missing.code, 0);
  EXPECT_THAT(missing.err, HasSubstr("none.safetensors"));
  DigestOf("flat:2", "optimizer: fedyogi", "first");
  Write("spec.yaml",
        "topology: flat:2\nlearner: linear\nrounds: 1\n"
        "strategy: {optimizer: {name: fedadam, state: first/optimizer.safetensors}}\n");
  const Outcome other = Skein("run spec.yaml --quiet --out other");
  EXPECT_NE(other.code, 0);
  EXPECT_THAT(other.err, HasSubstr("is no state of optimizer 'fedadam' for this model"));
  EXPECT_EQ(std::ranges::count(other.err, '\n'), 1) << other.err;
}

TEST_F(StrategiesTest, PlainSgdLeavesNoStateBehind) {
  DigestOf("flat:2", "optimizer: sgd");
  EXPECT_FALSE(std::filesystem::exists(work_ / "run/optimizer.safetensors"));
}

}  // namespace
}  // namespace skein
