// The learner `torchscript`: a model and data made in Python, no C++ of the user's. Models are made
// with PyTorch as Debian has it.
#include "integration/program.h"

namespace skein {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kMakeFiles[] =
    "import torch\n"
    "from torch import nn\n"
    "torch.manual_seed(1)\n"
    "class Dropped(nn.Module):\n"
    "    def __init__(self):\n"
    "        super().__init__()\n"
    "        self.net = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))\n"
    "        self.drop = nn.Dropout(0.2)\n"
    "    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
    "        return self.drop(self.net(x))\n"
    "torch.jit.script(Dropped()).save('dropped.pt')\n"
    "torch.jit.script(nn.Sequential(nn.Linear(2, 16), nn.BatchNorm1d(16), nn.ReLU(),\n"
    "                               nn.Linear(16, 2))).save('model.pt')\n"
    "torch.jit.script(nn.Linear(2, 1)).save('line.pt')\n"
    "class Twice(nn.Module):\n"
    "    def __init__(self, tied: bool):\n"
    "        super().__init__()\n"
    "        torch.manual_seed(2)\n"
    "        self.a, self.b = nn.Linear(2, 2), nn.Linear(2, 2)\n"
    "        if tied:\n"
    "            self.b = self.a\n"
    "        self.tied = tied\n"
    "    def forward(self, x: torch.Tensor) -> torch.Tensor:\n"
    "        return self.a(self.b(x)) if self.tied else self.a(self.a(x))\n"
    "for tied in False, True:\n"
    "    torch.jit.script(Twice(tied)).save('tied.pt' if tied else 'untied.pt')\n"
    "torch.jit.freeze(torch.jit.script(nn.Linear(2, 2)).eval()).save('frozen.pt')\n"
    "torch.save({'w': torch.ones(2), 'v': torch.ones(2)}, 'weights.pt')\n"
    "for name, n in ('train', 400), ('test', 100):\n"
    "    x = torch.rand(n, 2) * 2 - 1\n"
    "    y = (x[:, 0] > x[:, 1]).long()\n"
    "    torch.save({'x': x, 'y': y, 'sum': x.sum(1)}, name + '.pt')\n"
    "    x.numpy().tofile(name + '.f32')\n"
    "    y.numpy().tofile(name + '.i64')\n"
    "    with open(name + '.csv', 'w') as f:\n"
    "        f.write('a,b,class\\n')\n"
    "        for row, c in zip(x.tolist(), y.tolist()):\n"
    "            f.write('%r,%r,%d\\n' % (row[0], row[1], c))\n";

class TorchScriptTest : public ProgramTest {
 protected:
  void SetUp() override {
    Write("make.py", kMakeFiles);
    const Outcome made = Run("/usr/bin/python3", "make.py");
    ASSERT_EQ(made.code, 0) << made.err;
    Write("spec.yaml",
          "topology: tree:2x2\n"
          "learner: {name: torchscript, params: {file: model.pt, lr: 0.1}}\n"
          "data: {train: train.pt, test: test.pt, partition: dirichlet}\n"
          "rounds: 5\n");
  }
  // The run's digest.
  std::string Train(const std::string& arguments = "") {
    std::filesystem::remove_all(work_ / "run");
    const Outcome outcome = Skein("run spec.yaml --out run --quiet " + arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return Field("model_digest");
  }
  std::string Field(const std::string& key) const {
    const std::string result = Result();
    const size_t at = result.find("\"" + key + "\":");
    if (at == result.npos) return "";
    const size_t begin = at + key.size() + 3;
    return result.substr(begin, result.find_first_of(",}", begin) - begin);
  }
  void ExpectRefused(const std::string& set, const std::vector<std::string>& words) {
    SCOPED_TRACE(set);
    const Outcome outcome = Skein("run spec.yaml --out refused --set " + set);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
    EXPECT_FALSE(std::filesystem::exists(work_ / "refused"));
  }
};

TEST_F(TorchScriptTest, ItsResultLoadsBackInPythonWithTheSameAccuracy) {
  Train("--rounds 15");
  EXPECT_GT(std::stod(Field("accuracy")), 0.9);
  ASSERT_EQ(Skein("model convert run/model.safetensors trained.pt").code, 0);
  Write("check.py",
        "import torch\n"
        "model = torch.jit.load('model.pt')\n"
        "model.load_state_dict(torch.load('trained.pt'))\n"
        "test = torch.load('test.pt')\n"
        "right = model.eval()(test['x']).argmax(1) == test['y']\n"
        "print(right.double().mean().item())\n");
  const Outcome python = Run("/usr/bin/python3", "check.py");
  ASSERT_EQ(python.code, 0) << python.err;
  EXPECT_NEAR(std::stod(python.out), std::stod(Field("accuracy")), 1e-9);
}

TEST_F(TorchScriptTest, TheSameDataInAnyKindOfFileGiveTheSameModel) {
  const std::string digest = Train();
  EXPECT_EQ(Train("--set data.train=train.csv --set data.test=test.csv"), digest);
  EXPECT_EQ(Train("--set 'data.train=\"train.f32:F32[?,2]\"'"
                  " --set 'data.train_labels=\"train.i64:I64[400]\"'"),
            digest);
  EXPECT_EQ(Train("--processes"), digest) << "and so does any number of processes";
  EXPECT_NE(Train("--seed 2"), digest);
}

TEST_F(TorchScriptTest, DropoutRepeatsAndIsThere) {
  const std::string drop = "--set learner.params.file=dropped.pt";
  const std::string digest = Train(drop);
  EXPECT_EQ(Train(drop + " --processes"), digest);
  EXPECT_GT(std::stod(Field("accuracy")), 0.8);
}

TEST_F(TorchScriptTest, AParameterOfTwoModulesIsSteppedOnce) {
  const std::string one = "--rounds 1 --set learner.params.momentum=0.9 --set learner.params.file=";
  Train(one + "untied.pt");
  const std::string loss = Field("loss");
  Train(one + "tied.pt");
  EXPECT_EQ(Field("loss"), loss);
}

TEST_F(TorchScriptTest, NumbersAreLearnedByALossForNumbers) {
  Train(
      "--rounds 10 --set learner.params.file=line.pt --set learner.params.loss=mse"
      " --set data.partition=iid --set data.train_labels=train.pt:sum"
      " --set data.test_labels=test.pt:sum");
  EXPECT_LT(std::stod(Field("loss")), 0.001);
}

TEST_F(TorchScriptTest, WorkersMayHaveFilesOfTheirOwn) {
  for (const char* node : {"w0", "w1", "w2", "w3"}) {
    std::filesystem::copy_file(work_ / "train.csv", work_ / (std::string(node) + ".csv"));
  }
  Train("--set data.partition=own --set 'data.train=\"{node}.csv\"'");
  EXPECT_EQ(Field("contributions"), "20");
}

TEST_F(TorchScriptTest, SubtreesOfTheTreeHaveUnlikeLabels) {
  Train("--set data.partition=subtrees --set data.alpha=0.05");
  EXPECT_THAT(ReadAll(work_ / "run/spec.yaml"), HasSubstr("groups: \"2,2\""));
}

TEST_F(TorchScriptTest, ARunMayBeginFromAPyTorchFile) {
  Train();
  ASSERT_EQ(Skein("model convert run/model.safetensors start.pt").code, 0);
  ASSERT_EQ(Skein("model convert run/model.safetensors start.safetensors").code, 0);
  const std::string digest = Train("--set init=start.pt");
  EXPECT_EQ(Train("--set init=start.safetensors"), digest);
  EXPECT_NE(Train(), digest);
  ExpectRefused("init=weights.pt", {"weights.pt: ", "the learner's model has no tensor '"});
  ExpectRefused("init=model.pt",
                {"model.pt: ", "is a TorchScript program", "torch.save(module.state_dict()"});
  Write("make.py",
        "import torch\ntorch.save({k: v.double() for k, v in "
        "torch.load('start.pt').items()}, 'double.pt')\n");
  ASSERT_EQ(Run("/usr/bin/python3", "make.py").code, 0);
  ExpectRefused("init=double.pt", {"double.pt: tensor '0.weight' is F64[16,2]", "F32[16,2]"});
}

TEST_F(TorchScriptTest, WhatIsWrongIsToldBeforeARun) {
  ExpectRefused("learner.params.file=ghost.pt", {"ghost.pt: no such file"});
  ExpectRefused("learner.params.file=weights.pt",
                {"weights.pt: is no TorchScript model", "torch.jit.script(module).save(path)"});
  ExpectRefused("learner.params.file=frozen.pt", {"frozen.pt: has no parameters to train"});
  ExpectRefused("learner.params.loss=hinge", {"'loss' must be one of cross_entropy"});
  ExpectRefused("data.train=ghost.pt", {"ghost.pt"});
  ExpectRefused("data.trian=train.pt", {"--set data.trian=train.pt: ", "'train'"});
  ExpectRefused("data={}", {"--set data={}", "'train' is required"});
  ExpectRefused("data.partition=subtrees --set data.tier=5", {"'tier'", "give one of 1 to 2"});
  ExpectRefused("data.partition=dirichlet --set data.min_samples=101", {"lower min_samples"});
  ExpectRefused("data.shape=3x3", {"'shape' is 3x3", "2 elements"});
}

// Before the run, by a trial of a few samples: those with the least and the largest label.
TEST_F(TorchScriptTest, WhatDoesNotFitTogetherIsToldBeforeARun) {
  std::string rows = "a,b,class\n";
  for (int i = 0; i < 400; ++i) rows += "0,0," + std::to_string(i == 300 ? 2 : i % 2) + "\n";
  Write("three.csv", rows);
  for (const char* set : {"train", "test"}) {
    ExpectRefused("data." + std::string(set) + "=three.csv",
                  {"three.csv: loss 'cross_entropy': labels are 0 to 2, the model has 2 outputs",
                   "number classes from 0"});
  }
  ExpectRefused("data.train_labels=train.pt:sum --set data.partition=iid",
                {"train.pt: loss 'cross_entropy': labels are no whole numbers", "mse and l1"});
  ExpectRefused(
      "learner.params.loss=mse",
      {"train.pt: loss 'mse': the model has 2 outputs for an input and there are 1 labels"});
  ExpectRefused("data.shape=1x2x1", {"train.pt: forward of the model: ", "Error: "});
  Write("wide.csv", "a;b;class\n1;2;0\n");
  ExpectRefused("data.train=wide.csv", {"wide.csv:2: has one column; put commas"});
}

TEST_F(TorchScriptTest, WithoutTestSamplesTheWorkersEvaluate) {
  Write("spec.yaml",
        "topology: flat:2\n"
        "learner: {name: torchscript, params: {file: model.pt, lr: 0.1}}\n"
        "data: {train: train.pt}\n"
        "evaluate: workers\n"
        "rounds: 3\n");
  Train();
  EXPECT_GT(std::stod(Field("accuracy")), 0.5);
}

}  // namespace
}  // namespace skein
