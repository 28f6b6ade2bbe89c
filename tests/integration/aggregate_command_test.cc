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
  ExpectRefused("--strategy fedavg --optimizer fedadam",
                "optimizer 'fedadam' makes a step from a model; name the model they come from");
  ExpectRefused("--strategy fednova --global g.safetensors",
                "a.safetensors: fold 'fednova' needs the metric 'steps'");
  ExpectRefused("--strategy fedavg --state-out s", "optimizer 'sgd' gathers nothing");
  ExpectRefused("--strategy fedavg --global none.safetensors", "none.safetensors");
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
  Model("b", {1, 2, 3});
  ExpectRefused("--strategy fedavg",
                "b.safetensors: is unlike a.safetensors: tensor \"w\": expected F32[2]");
}

}  // namespace
}  // namespace skein
