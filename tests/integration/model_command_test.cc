// `skein model`, from outside, with PyTorch as Debian has it.
#include "integration/program.h"

namespace skein {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ModelCommandTest : public ProgramTest {
 protected:
  void SetUp() override {
    Write("spec.yaml", "topology: flat:2\nlearner: linear\nrounds: 2\n");
    ASSERT_EQ(Skein("run spec.yaml --out run --quiet").code, 0);
  }
  Outcome Python(const std::string& script) {
    Write("script.py", "import torch\n" + script);
    return Run("/usr/bin/python3", "script.py");
  }
  void ExpectRefused(const std::string& arguments, const std::vector<std::string>& words) {
    SCOPED_TRACE(arguments);
    const Outcome outcome = Skein("model " + arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    for (const std::string& word : words) EXPECT_THAT(outcome.err, HasSubstr(word));
  }
};

constexpr char kModel[] = "run/model.safetensors";

TEST_F(ModelCommandTest, ShowListsTensorsAndTheDigestOfTheRun) {
  const Outcome shown = Skein(std::string("model show ") + kModel);
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, AllOf(HasSubstr("weight  F32[10]\n"), HasSubstr("steps  I64[]\n"),
                               HasSubstr("3 tensors, 12 elements, 52 bytes\n")));
  const std::string digest = shown.out.substr(shown.out.find("digest ") + 7, 64);
  EXPECT_THAT(Result(), HasSubstr(digest));
  EXPECT_THAT(Skein(std::string("model show --json ") + kModel).out,
              HasSubstr("\"digest\":\"" + digest + "\""));
}

// A file of a stranger does not get at the terminal.
TEST_F(ModelCommandTest, ShowWritesNoControlCharactersOfNames) {
  const std::string header =
      R"({"a\n\u001b[31mred":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  Write("red.safetensors", static_cast<char>(header.size()) + std::string(7, '\0') + header + "xy");
  const Outcome shown = Skein("model show red.safetensors");
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_EQ(shown.out.find('\x1b'), std::string::npos);
  EXPECT_THAT(shown.out, HasSubstr("\\x0a\\x1b[31mred'  U8[2]\n"));
}

TEST_F(ModelCommandTest, PyTorchReadsWhatIsConvertedAndIsReadItself) {
  ASSERT_EQ(Skein(std::string("model convert ") + kModel + " model.pt").code, 0);
  const Outcome python = Python(
      "model = torch.load('model.pt')\n"
      "print(sorted((name, list(t.shape)) for name, t in model.items()))\n"
      "torch.save(dict(model), 'back.pt')\n"
      "model['weight'] = model['weight'] + 0.5\n"
      "torch.save(model, 'moved.pt')\n");
  ASSERT_EQ(python.code, 0) << python.err;
  EXPECT_EQ(python.out, "[('bias', []), ('steps', []), ('weight', [10])]\n");
  const Outcome same = Skein(std::string("model diff back.pt ") + kModel);
  EXPECT_EQ(same.code, 0);
  EXPECT_EQ(same.out, "equal\n");
  const Outcome moved = Skein(std::string("model diff moved.pt ") + kModel);
  EXPECT_EQ(moved.code, 1);
  EXPECT_THAT(moved.out, HasSubstr("weight: largest difference 0.5, "));
  EXPECT_EQ(Skein("model convert back.pt back.safetensors").code, 0);
  EXPECT_EQ(ReadAll(work_ / "back.safetensors"), ReadAll(work_ / kModel)) << "bit for bit";
}

TEST_F(ModelCommandTest, DiffNamesWhatCannotBeCompared) {
  ASSERT_EQ(Python("torch.save({'weight': torch.ones(9), 'bias': torch.tensor(1.0).double(),\n"
                   "            'more': torch.ones(1)}, 'other.pt')\n")
                .code,
            0);
  const Outcome outcome = Skein(std::string("model diff ") + kModel + " other.pt");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out,
            "weight: another shape\nbias: another type\nsteps: only in the first\n"
            "more: only in the second\n");
  EXPECT_THAT(Skein(std::string("model diff --json ") + kModel + " other.pt").out,
              HasSubstr(R"("equal":false)"));
}

// What Python writes, in the forms in which people save models.
TEST_F(ModelCommandTest, EveryDictOfTensorsIsRead) {
  ASSERT_EQ(Python("m = torch.nn.Sequential(torch.nn.Linear(300, 2), torch.nn.BatchNorm1d(2))\n"
                   "torch.save(m.state_dict(), 'ordered.pt')\n"
                   "torch.save(dict(m.state_dict()), 'plain.pt')\n"
                   "torch.save({k: v.t() if v.dim() == 2 else v for k, v in\n"
                   "            m.state_dict().items()}, 'turned.pt')\n"
                   "torch.save(dict(m.named_parameters()), 'parameters.pt')\n"
                   "big = torch.arange(1000.)\n"
                   "torch.save({'a': big[10:20], 'b': big[::100], 'none': big[:0]}, 'shared.pt')\n"
                   "torch.save({'one': torch.tensor(3)}, 'one.pt')\n"
                   "types = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32,\n"
                   "         torch.int64, torch.float16, torch.bfloat16, torch.float32,\n"
                   "         torch.float64]\n"
                   "torch.save({str(t): torch.ones(2, 3).to(t) for t in types}, 'types.pt')\n"
                   "torch.save({'t%d' % i: torch.ones(i + 1) for i in range(300)}, 'many.pt')\n")
                .code,
            0);
  for (const char* name :
       {"ordered", "plain", "turned", "parameters", "shared", "one", "types", "many"}) {
    SCOPED_TRACE(name);
    const std::string file = name;
    const Outcome converted = Skein("model convert " + file + ".pt back-" + file + ".pt");
    ASSERT_EQ(converted.code, 0) << converted.err;
    const Outcome same = Python(
        "a, b = torch.load('" + file + ".pt'), torch.load('back-" + file + ".pt')\n" +
        "assert list(a) == list(b) and len(a) > 0\n"
        "for name in a:\n"
        "    assert a[name].dtype == b[name].dtype and torch.equal(a[name], b[name]), name\n");
    EXPECT_EQ(same.code, 0) << same.err;
  }
}

TEST_F(ModelCommandTest, WhatIsNoModelIsRefused) {
  ASSERT_EQ(Python("module = torch.nn.Linear(3, 2)\n"
                   "torch.save(module, 'module.pt')\n"
                   "torch.save(torch.ones(2), 'tensor.pt')\n"
                   "torch.save({'a': 1}, 'number.pt')\n")
                .code,
            0);
  for (const char* file : {"module.pt", "tensor.pt", "number.pt"}) {
    ExpectRefused(std::string("show ") + file, {file, "torch.save(module.state_dict()"});
  }
  // What unfolds to far more than the file, and tensors that are the same storage again and again.
  ASSERT_EQ(Python("import zipfile\n"
                   "torch.save({'w': torch.zeros(50 << 20)}, 'plain.pt')\n"
                   "with zipfile.ZipFile('plain.pt') as plain, \\\n"
                   "     zipfile.ZipFile('bomb.pt', 'w', zipfile.ZIP_DEFLATED) as bomb:\n"
                   "    for name in plain.namelist():\n"
                   "        bomb.writestr(name, plain.read(name))\n"
                   "w = torch.arange(100000.)\n"
                   "torch.save({'w': w}, 'plain.pt')\n"
                   "with zipfile.ZipFile('plain.pt') as plain, \\\n"
                   "     zipfile.ZipFile('packed.pt', 'w', zipfile.ZIP_DEFLATED) as packed:\n"
                   "    for name in plain.namelist():\n"
                   "        packed.writestr(name, plain.read(name))\n"
                   "torch.save({'w%d' % i: w for i in range(10000)}, 'again.pt')\n")
                .code,
            0);
  ExpectRefused("show bomb.pt", {"bomb.pt: its compressed records would unfold to more than"});
  ExpectRefused("show again.pt", {"again.pt: its tensors share storages and are together more"});
  EXPECT_EQ(Skein("model diff plain.pt packed.pt").out, "equal\n");
  ExpectRefused("show ghost.pt", {"ghost.pt"});
  ExpectRefused("show ghost.safetensors", {"ghost.safetensors"});
  Write("cut.pt", ReadAll(work_ / "tensor.pt").substr(0, 100));
  ExpectRefused("show cut.pt", {"cut.pt"});
  ExpectRefused("show spec.yaml", {"spec.yaml"});
  ExpectRefused(std::string("convert ") + kModel + " model.onnx", {"model.onnx", ".safetensors"});
  ExpectRefused(std::string("convert ") + kModel + " no/such/model.pt", {"no/such/model.pt"});
}

}  // namespace
}  // namespace skein
