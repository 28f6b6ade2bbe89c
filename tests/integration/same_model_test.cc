// One spec and seed make one model, whatever the tree, however the nodes are hosted.
#include "integration/program.h"

namespace skein {
namespace {

constexpr char kSpec[] =
    "name: same\n"
    "topology: flat:32\n"
    "learner: {name: linear}\n"
    "rounds: 2\n"
    "seed: 3\n"
    // 38 programs, which may be instrumented.
    "limits: {start_timeout_s: 900, heartbeat_timeout_s: 300}\n";

constexpr const char* kShapes[] = {"flat:32", "tree:4x8", "tree:8x4", "tree:2x4x4"};

class SameModelTest : public ProgramTest {
 protected:
  // The bytes of the model that a run leaves.
  std::string ModelOf(const std::string& options, const std::string& program = SKEIN_PROGRAM) {
    const std::string out = "run" + std::to_string(++runs_);
    const Outcome outcome = Run(program, "run spec.yaml --quiet --out " + out + " " + options);
    EXPECT_EQ(outcome.code, 0) << options << ": " << outcome.err;
    std::string model = ReadAll(work_ / (out + "/model.safetensors"));
    EXPECT_FALSE(model.empty());
    return model;
  }

 private:
  int runs_ = 0;
};

TEST_F(SameModelTest, EveryShapeAndEveryRerunInOneProcess) {
  Write("spec.yaml", kSpec);
  const std::string model = ModelOf("");
  EXPECT_EQ(ModelOf(""), model);
  EXPECT_EQ(ModelOf("--threads 1"), model);
  for (const char* shape : kShapes) {
    EXPECT_EQ(ModelOf(std::string("--topology ") + shape), model) << shape;
  }
  EXPECT_NE(ModelOf("--seed 4"), model);
}

TEST_F(SameModelTest, EveryShapeWithAProcessForEachNode) {
  Write("spec.yaml", kSpec);
  const std::string model = ModelOf("");
  for (const char* shape : kShapes) {
    EXPECT_EQ(ModelOf(std::string("--processes --topology ") + shape), model) << shape;
  }
}

TEST_F(SameModelTest, AFoldInPassesWithAProcessForEachNode) {
  Write("spec.yaml", kSpec);
  for (const char* fold : {"median", "{name: centered-clipping, clip: 0.1}"}) {
    SCOPED_TRACE(fold);
    const std::string settings = "--set 'strategy.fold=" + std::string(fold) + "' ";
    const std::string model = ModelOf("--topology flat:8 " + settings);
    EXPECT_EQ(ModelOf("--processes --topology tree:2x4 " + settings +
                      "--set 'strategy.tiers=[{tier: 1, passes: true}]'"),
              model);
    EXPECT_EQ(ModelOf("--processes --topology tree:2x2x2 " + settings +
                      "--set 'strategy.tiers=[{tier: 1, passes: true}, {tier: 2, passes: true}]'"),
              model);
  }
}

TEST_F(SameModelTest, ALearnerWithDropout) {
  Write("spec.yaml", "topology: tree:2x2\nlearner: dropout\nrounds: 3\nseed: 5\n");
  const std::string model = ModelOf("--threads 2", DROPOUT_PROGRAM);
  for (const char* options :
       {"--threads 2", "--threads 1", "--threads 2 --topology flat:4", "--processes"}) {
    EXPECT_EQ(ModelOf(options, DROPOUT_PROGRAM), model) << options;
  }
  EXPECT_NE(ModelOf("--seed 6", DROPOUT_PROGRAM), model);
}

}  // namespace
}  // namespace skein
