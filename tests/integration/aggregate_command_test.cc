// `skein aggregate`, from outside.
#include "integration/program.h"
#include "skein/tensor/safetensors.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::Filled;
using ::testing::HasSubstr;
using testing::MakeManifest;
using testing::ValueAt;

class AggregateCommandTest : public ProgramTest {
 protected:
  static Manifest Vector(size_t size, DType dtype = DType::kFloat32) {
    return MakeManifest({{"w", dtype, {static_cast<int64_t>(size)}}});
  }
  void Model(const std::string& name, const std::vector<double>& values,
             DType dtype = DType::kFloat32) {
    const PackedTensors model =
        Filled(Vector(values.size(), dtype), [&](size_t, uint64_t i) { return values[i]; });
    ASSERT_TRUE(WriteSafetensors(model, work_ / (name + ".safetensors")).ok());
  }
  // Of three models a, b, c into out.safetensors.
  Outcome Aggregate(const std::string& options) {
    return Skein("aggregate a.safetensors b.safetensors c.safetensors -o out.safetensors " +
                 options);
  }
  std::vector<double> Result() {
    const auto model = ReadSafetensors(work_ / "out.safetensors");
    EXPECT_TRUE(model.ok()) << model.status();
    std::vector<double> values;
    for (uint64_t i = 0; model.ok() && i < model->manifest()[0].NumElements(); ++i) {
      values.push_back(ValueAt(*model, 0, i));
    }
    return values;
  }
  void ExpectRefused(const std::string& options, const std::string& message) {
    SCOPED_TRACE(options);
    std::filesystem::remove(work_ / "out.safetensors");
    const Outcome outcome = Aggregate(options);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::ranges::count(outcome.err, '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(message));
    EXPECT_FALSE(std::filesystem::exists(work_ / "out.safetensors"));
  }
};

TEST_F(AggregateCommandTest, WeighsModelsBySamples) {
  Model("a", {1, 2});
  Model("b", {3, 4});
  Model("c", {5, -6});
  const Outcome outcome = Aggregate("--strategy fedavg --weights 10,30,60");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("out.safetensors: 3 of 3 models\ndigest "));
  const std::vector<double> expected = {4.0, static_cast<float>(-2.2)};
  EXPECT_EQ(Result(), expected);
  // Real weights are shares; one of 0 is left out.
  ASSERT_EQ(Aggregate("--strategy fedavg --weights 0.1,0.3,0.6").code, 0);
  EXPECT_EQ(Result(), expected);
  EXPECT_THAT(Aggregate("--strategy fedavg --weights 0.5,0.5,0 --json").out,
              HasSubstr("\"used\":2"));
  EXPECT_EQ(Result(), (std::vector<double>{2, 3}));
}

TEST_F(AggregateCommandTest, KeepsTheTypeOfTheModels) {
  for (const DType dtype : {DType::kFloat64, DType::kBFloat16, DType::kFloat16}) {
    for (const char* name : {"a", "b", "c"}) Model(name, {0.5, -300}, dtype);
    ASSERT_EQ(Aggregate("--strategy mean").code, 0);
    EXPECT_EQ(Result(), (std::vector<double>{0.5, -300}));
    EXPECT_EQ(ReadSafetensors(work_ / "out.safetensors")->manifest(), Vector(2, dtype));
  }
}

TEST_F(AggregateCommandTest, TakesWhatWorkersWouldReport) {
  Model("a", {0.2});
  Model("b", {1.2});
  Model("g", {0});
  ASSERT_EQ(Skein("aggregate a.safetensors b.safetensors -o out.safetensors --strategy fednova "
                  "--global g.safetensors --weights 25,75 --input-meta steps=2,6")
                .code,
            0);
  EXPECT_NEAR(Result()[0], 0.875, 1e-7);
}

TEST_F(AggregateCommandTest, AnOptimizerGoesOnFromItsState) {
  Model("g", {1, 2});
  const std::vector<std::vector<double>> means = {{0.9, 2.2}, {0.8, 2.1}, {0.7, 2.0}};
  const std::vector<std::vector<double>> expected = {{0.9, 2.2}, {0.71, 2.28}, {0.529, 2.072}};
  std::string state;
  for (size_t round = 0; round < means.size(); ++round) {
    for (const char* name : {"a", "b", "c"}) Model(name, means[round]);
    const Outcome outcome = Aggregate(
        "--strategy fedavg --optimizer fedavgm --global g.safetensors --state-out s" + state);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const std::vector<double> result = Result();
    for (size_t i = 0; i < 2; ++i) EXPECT_NEAR(result[i], expected[round][i], 1e-6);
    std::filesystem::rename(work_ / "out.safetensors", work_ / "g.safetensors");
    state = " --state s";
  }
}

// Each tensor has sums of its own size: a mask of -1e30 takes nothing from the weights beside it.
TEST_F(AggregateCommandTest, ALargeTensorTakesNoDigitsFromOthers) {
  const Manifest manifest =
      MakeManifest({{"mask", DType::kFloat32, {1}}, {"w", DType::kFloat32, {2}}});
  for (int k = 1; k <= 3; ++k) {
    const PackedTensors model = Filled(manifest, [k](size_t t, uint64_t i) {
      return t == 0 ? -1e30 : i == 0 ? 0.5 * k : -2e-7;
    });
    const std::string name(1, static_cast<char>('a' + k - 1));
    ASSERT_TRUE(WriteSafetensors(model, work_ / (name + ".safetensors")).ok());
  }
  for (const char* fold : {"fedavg", "mean", "median"}) {
    ASSERT_EQ(Aggregate(std::string("--strategy ") + fold).code, 0) << fold;
    const auto result = ReadSafetensors(work_ / "out.safetensors");
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_NEAR(ValueAt(*result, 0, 0), -1e30, 1e23) << fold;
    EXPECT_EQ(ValueAt(*result, 1, 0), 1) << fold;
    EXPECT_NEAR(ValueAt(*result, 1, 1), -2e-7, 1e-13) << fold;
  }
}

// Neither votes nor changes that are clipped can be drowned by one that is far too large.
TEST_F(AggregateCommandTest, ALiarTakesNoDigitsFromVotesAndClippedChanges) {
  Model("g", {0, 0});
  Model("a", {0.5, 0.25});
  Model("b", {0.5, -0.25});
  Model("c", {1e25, -1e25});
  ASSERT_EQ(Aggregate("--strategy signsgd --set optimizer.lr=0.01 --global g.safetensors").code, 0);
  EXPECT_EQ(Result(), (std::vector<double>{static_cast<float>(0.01), static_cast<float>(-0.01)}));
  ASSERT_EQ(Aggregate("--strategy clipped-mean --set clip=1 --global g.safetensors").code, 0);
  EXPECT_NEAR(Result()[0], (1 + std::sqrt(0.5)) / 3, 1e-6);
  EXPECT_NEAR(Result()[1], -std::sqrt(0.5) / 3, 1e-6);
}

TEST_F(AggregateCommandTest, AModelOfNoWeightMayHaveNaN) {
  Model("a", {1});
  Model("b", {std::nan("")});
  Model("c", {3});
  ASSERT_EQ(Aggregate("--strategy fedavg --weights 1,0,1").code, 0);
  EXPECT_EQ(Result(), (std::vector<double>{2}));
}

TEST_F(AggregateCommandTest, ADamagedStateIsRefused) {
  for (const char* name : {"a", "b", "c", "g"}) Model(name, {1, 2});
  ASSERT_EQ(
      Aggregate("--strategy mean --optimizer fedadam --global g.safetensors --state-out s").code,
      0);
  const auto state = ReadSafetensors(work_ / "s");
  ASSERT_TRUE(state.ok()) << state.status();
  const std::string use = "--strategy mean --optimizer fedadam --global g.safetensors --state bad";
  const auto damage = [&](const std::string& tensor, double value) {
    const PackedTensors bad = Filled(state->manifest(), [&](size_t t, uint64_t i) {
      return state->manifest()[t].name == tensor ? value : ValueAt(*state, t, i);
    });
    ASSERT_TRUE(WriteSafetensors(bad, work_ / "bad").ok());
  };
  damage("fedadam.v/w", -1);
  ExpectRefused(use,
                "bad: is no state of optimizer 'fedadam' for this model: tensor "
                "'fedadam.v/w' has negative squares");
  damage("fedadam.steps", 0);
  ExpectRefused(use, "it has made no step");
  damage("fedadam.steps", 1);
  EXPECT_EQ(Aggregate(use).code, 0) << "as it was";
}

TEST_F(AggregateCommandTest, NothingIsGivenTwiceOrWrittenOver) {
  for (const char* name : {"a", "b", "c", "g"}) Model(name, {1, 2});
  ExpectRefused("--strategy fedavg --set bound=2 --set fold.bound=3",
                "--set fold.bound=3: 'bound' of 'fedavg' is given twice");
  ExpectRefused(
      "--strategy fednova --global g.safetensors --input-meta steps=1,1,1 "
      "--input-meta steps=2,2,2",
      "'steps' is given twice");
  ExpectRefused(
      "--strategy fedavg --optimizer fedadam --global g.safetensors --set state=x "
      "--state y",
      "--state: 'state' of 'fedadam' is given twice");
  ExpectRefused(
      "--strategy fedavg --optimizer fedadam --global g.safetensors "
      "--state-out ./out.safetensors",
      "--state-out: is the file of --out");
  ExpectRefused("--strategy fedavg --weights ''", "--weights");
}

TEST_F(AggregateCommandTest, EveryErrorIsOneLineThatNamesThePlace) {
  for (const char* name : {"a", "b", "c", "g"}) Model(name, {1, 2});
  ExpectRefused("--strategy fedavgg", "unknown fold 'fedavgg', did you mean 'fedavg'?");
  ExpectRefused("--strategy fedavg --optimizer fedadm", "did you mean 'fedadam'?");
  ExpectRefused("--strategy fedavg --weights 1,2", "there are 3 models and 2 numbers");
  ExpectRefused("--strategy fedavg --weights 1,x,2", "--weights: 'x' is no number");
  ExpectRefused("--strategy fedavg --weights 1,-2,3",
                "b.safetensors: its weight is -2, it must be a number of at least 0");
  ExpectRefused("--strategy fedavg --weights 1,nan,3", "b.safetensors: its weight is NaN or Inf");
  ExpectRefused("--strategy fedavg --weights 0,0,0", "all weights are 0");
  ExpectRefused("--strategy fedavg --set clip=1", "unknown parameter 'clip'");
  ExpectRefused("--strategy qfedavg --optimizer sgd --set lr=1 --global g.safetensors",
                "write fold.lr or optimizer.lr");
  ExpectRefused("--strategy clipped-mean --set clip=1",
                "fold 'clipped-mean' goes by changes to a model; name the model they come from "
                "with --global");
  ExpectRefused("--strategy centered-clipping --set clip=1",
                "fold 'centered-clipping' goes by changes to a model");
  ExpectRefused("--strategy fednova --global g.safetensors --input-meta steps=1,nan,1",
                "b.safetensors: its metric 'steps' is NaN or Inf");
  ExpectRefused("--strategy fedavg --set bound=1e30", "bound");
  ExpectRefused("--strategy fedavg --optimizer fedadam",
                "optimizer 'fedadam' makes a step from a model; name the model they come from");
  ExpectRefused("--strategy fednova --global g.safetensors",
                "a.safetensors: fold 'fednova' needs the metric 'steps', which did not come with "
                "it; a learner reports it, and 'skein aggregate' has --input-meta steps=...");
  ExpectRefused("--strategy fedavg --state-out s", "optimizer 'sgd' gathers nothing");
  ExpectRefused("--strategy fedavg --global none.safetensors", "none.safetensors");
  Model("a", {1e308, 2}, DType::kFloat64);
  Outcome outcome = Skein("aggregate a.safetensors -o far.safetensors --strategy mean");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("a.safetensors: its change does not fit into float32"));
  Model("a", {3e38, 1});
  Model("d", {0, 0});
  const Outcome far = Skein(
      "aggregate a.safetensors -o far.safetensors --strategy median --global "
      "d.safetensors --set lr=1000000");
  EXPECT_EQ(far.code, 2);
  EXPECT_THAT(far.err, HasSubstr("the result: tensor 'w' has Inf at index 0"));
  EXPECT_FALSE(std::filesystem::exists(work_ / "far.safetensors"));
  Model("a", {1, 2});
  const Outcome other = Skein("aggregate a.safetensors -o out.pt --strategy fedavg");
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.err, HasSubstr("out.pt: what is written is safetensors"));
  Model("b", {1, std::nan("")});
  ExpectRefused("--strategy fedavg", "b.safetensors: tensor 'w' has NaN at index 1");
  Model("g", {std::nan(""), 1});
  Model("b", {1, 2});
  ExpectRefused("--strategy fedavg --global g.safetensors",
                "the global model: tensor 'w' has NaN at index 0");
  Model("b", {1, 2, 3});
  ExpectRefused("--strategy fedavg",
                "b.safetensors: is unlike a.safetensors: tensor \"w\": expected F32[2]");
}

}  // namespace
}  // namespace skein
