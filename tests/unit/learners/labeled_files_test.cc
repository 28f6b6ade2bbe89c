#include "learners/labeled_files.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "learners/tensor_file.h"
#include "skein/base/status.h"
#include "skein/tensor/safetensors.h"
#include "skein/tensor/torch_file.h"
#include "unit/federation/temp_dir.h"

namespace skein {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LabeledFilesTest : public ::testing::Test {
 protected:
  LabeledFilesTest() {
    StateDict file;
    EXPECT_TRUE(file.Add("x", inputs_).ok());
    EXPECT_TRUE(file.Add("y", labels_).ok());
    EXPECT_TRUE(file.Add("other", labels_ + 1).ok());
    EXPECT_TRUE(WriteTorchFile(file, dir_ / "d.pt").ok());
    EXPECT_TRUE(WriteSafetensors(*file.Pack(), dir_ / "d.safetensors").ok());
    WriteAll(dir_ / "d.csv", "class,a,b\n2,0,1\n0,2,3\n1,4,5\n");
    WriteAll(dir_ / "last.csv", "0,1,2\n2,3,0\n4,5,1\n");
    WriteAll(dir_ / "x.f32", Bytes(inputs_));
    WriteAll(dir_ / "y.i64", Bytes(labels_));
    WriteAll(dir_ / "y-ubyte", std::string("\0\0\x08\x01\0\0\0\x03\x02\0\x01", 11));
  }
  static std::string Bytes(const at::Tensor& tensor) {
    return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
  }
  void ExpectRead(const std::string& inputs, const std::string& targets = "") {
    SCOPED_TRACE(inputs + " " + targets);
    const auto both = ReadInputsAndTargets(dir_ / inputs, targets.empty() ? "" : dir_ / targets);
    ASSERT_TRUE(both.ok()) << both.status();
    EXPECT_TRUE(both->inputs.equal(inputs_)) << both->inputs;
    EXPECT_TRUE(both->targets.equal(labels_)) << both->targets;
  }
  std::string Error(const std::string& inputs, const std::string& targets = "") {
    const auto both = ReadInputsAndTargets(dir_ / inputs, targets.empty() ? "" : dir_ / targets);
    EXPECT_FALSE(both.ok());
    EXPECT_EQ(Message(both.status()).find('\n'), std::string::npos);
    return Message(both.status());
  }

  TempDir dir_;
  const at::Tensor inputs_ = at::arange(6, at::kFloat).reshape({3, 2});
  const at::Tensor labels_ = at::arange(2, 5, at::kLong).remainder(3);  // 2, 0, 1
};

TEST_F(LabeledFilesTest, EveryKindOfFileGivesTheSame) {
  ExpectRead("last.csv");
  ExpectRead("d.csv", "d.csv:class");
  ExpectRead("d.csv", "d.csv:1");
  ExpectRead("d.pt");
  ExpectRead("d.safetensors");
  ExpectRead("d.safetensors:x", "d.pt:y");
  ExpectRead("x.f32:F32[3,2]", "y.i64:I64[?]");
  ExpectRead("x.f32:F32[?,2]", "y-ubyte");
  ExpectRead("d.pt", "d.csv:class");
}

TEST_F(LabeledFilesTest, TargetsAreClassesIfTheyAreWholeNumbers) {
  WriteAll(dir_ / "r.csv", "a,y\n1,0.5\n2,1\n");
  EXPECT_EQ(ReadInputsAndTargets(dir_ / "r.csv", "")->targets.scalar_type(), at::kFloat);
  WriteAll(dir_ / "r.csv", "a,y\n1,0\n2,1\n");
  EXPECT_EQ(ReadInputsAndTargets(dir_ / "r.csv", "")->targets.scalar_type(), at::kLong);
  EXPECT_EQ(*ReadClasses(dir_ / "d.csv:class"), (std::vector<int64_t>{2, 0, 1}));
  WriteAll(dir_ / "r.csv", "a,y\n1,16777216\n2,16777217\n3,1e30\n");
  EXPECT_EQ(ReadInputsAndTargets(dir_ / "r.csv", "")->targets.scalar_type(), at::kFloat)
      << "a float cannot tell them apart";
  WriteAll(dir_ / "inf.f32", std::string("\0\0\x80\x7f\0\0\0\0\0\0\0\0", 12));
  EXPECT_THAT(Error("d.pt:x", "inf.f32:F32[3]"), HasSubstr("inf.f32: has labels that are NaN"));
  WriteAll(dir_ / "r.csv", "a,y\n1,0.5\n");
  EXPECT_THAT(Message(ReadClasses(dir_ / "r.csv").status()), HasSubstr("no classes"));
}

TEST_F(LabeledFilesTest, ErrorsNameTheFileAndTheRemedy) {
  EXPECT_THAT(Error("ghost.csv"), HasSubstr("ghost.csv: no such file"));
  EXPECT_THAT(Error("ghost.f32:F32[?,2]", "y.i64:I64[3]"), HasSubstr("ghost.f32: "));
  EXPECT_THAT(Error("d.csv", "d.csv:klass"),
              AllOf(HasSubstr("d.csv: no column 'klass'"), HasSubstr("'class'")));
  EXPECT_THAT(Error("d.pt:z"), AllOf(HasSubstr("d.pt: "), HasSubstr("FILE:TENSOR")));
  EXPECT_THAT(Error("x.f32", "d.pt:y"),
              AllOf(HasSubstr("x.f32: "), HasSubstr("x.f32:F32[?,28,28]")));
  EXPECT_THAT(Error("x.f32:F33[?,2]", "d.pt:y"), HasSubstr("what is 'F33[?,2]'?"));
  EXPECT_THAT(Error("x.f32:F32[?,2]"), HasSubstr("name the file of their labels"));
  EXPECT_THAT(Error("x.f32:F32[?,3]", "d.pt:y"), HasSubstr("2 inputs and 3 labels"));
  WriteAll(dir_ / "one.csv", "a\n1\n");
  EXPECT_THAT(Error("one.csv"), HasSubstr("one column"));
}

TEST_F(LabeledFilesTest, ColonsOfAPathAreNoEnd) {
  std::filesystem::create_directory(dir_ / "12:30");
  std::filesystem::copy(dir_ / "d.pt", dir_ / "12:30/d.pt");
  ExpectRead("12:30/d.pt");
  ExpectRead("12:30/d.pt:x", "d.pt:y");
  EXPECT_EQ(ParseTensorRef("/no/12:30/d.pt").path, "/no/12:30/d.pt");
  EXPECT_EQ(ParseTensorRef("/no/d.pt:x").what, "x");
}

}  // namespace
}  // namespace skein
