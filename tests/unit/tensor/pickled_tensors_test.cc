#include "tensor/pickled_tensors.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "unit/tensor/sample_pickles.h"

namespace skein {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::string_literals;
using namespace pickle;

absl::StatusOr<std::vector<PickledTensor>> Read(const std::string& pickle) {
  return ReadPickledTensors(std::as_bytes(std::span(pickle)));
}

TEST(PickledTensors, SayWhereTensorsLie) {
  const auto read = Read(File(DictOf("weight", Tensor().Pickled())));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 1u);
  const PickledTensor& tensor = read->front();
  EXPECT_EQ(tensor.name, "weight");
  EXPECT_EQ(tensor.storage, "7");
  EXPECT_EQ(tensor.storage_elements, 12u);
  EXPECT_EQ(tensor.dtype, DType::kFloat32);
  EXPECT_EQ(tensor.offset, 2);
  EXPECT_THAT(tensor.shape, ElementsAre(2, 3));
  EXPECT_THAT(tensor.strides, ElementsAre(3, 1));
}

TEST(PickledTensors, AreOfOrderedDictsWithAttributesToo) {
  const std::string ordered = Global("collections", "OrderedDict") + ")Rq\1(" + Text("a") +
                              Tensor().Pickled() + "q\2" + Text("b") + "h\2u";
  const auto read = Read(File(ordered + DictOf("_metadata", "}") + "b"));
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].name, "a");
  EXPECT_EQ((*read)[1].name, "b");
  EXPECT_EQ((*read)[1].storage, "7");
}

TEST(PickledTensors, MayBeNoneOrOneOrParameters) {
  const auto none = Read(File("}"));
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_THAT(*none, IsEmpty());
  EXPECT_TRUE(Read(File("}" + Text("one") + Tensor().Pickled() + "s")).ok());
  const std::string parameter =
      Global("torch._utils", "_rebuild_parameter") + Tuple({Tensor().Pickled(), "\x88", "}"}) + "R";
  EXPECT_TRUE(Read(File(DictOf("p", parameter))).ok());
}

// Offset 2, shape (2, 3), strides (3, 1): the last element is number 7.
TEST(PickledTensors, LieWithinTheirStorage) {
  const auto with = [](Tensor tensor) { return Read(File(DictOf("w", tensor.Pickled()))); };
  EXPECT_TRUE(with({.storage = Storage("FloatStorage", 8)}).ok());
  EXPECT_FALSE(with({.storage = Storage("FloatStorage", 7)}).ok());
  EXPECT_FALSE(with({.strides = Sizes({3})}).ok());
  const std::string most = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s;
  const std::string minus_one = "J\xff\xff\xff\xff";
  EXPECT_FALSE(with({.offset = most}).ok());
  EXPECT_FALSE(with({.offset = minus_one}).ok());
  EXPECT_FALSE(with({.shape = Tuple({most, most})}).ok());
  EXPECT_FALSE(with({.shape = Tuple({minus_one, Int(1)})}).ok());
  EXPECT_FALSE(with({.strides = Tuple({minus_one, Int(1)})}).ok());
  EXPECT_FALSE(with({.shape = Sizes({2, 7}), .strides = Sizes({1, 0})}).ok()) << "14 of 12";
  // Nothing lies nowhere, but not beyond.
  EXPECT_TRUE(with({.offset = Int(12), .shape = Sizes({0, 200})}).ok());
  EXPECT_FALSE(with({.offset = Int(13), .shape = Sizes({0, 200})}).ok());
}

TEST(PickledTensors, AreNamedWhereTheyAreNone) {
  const auto why = [](const std::string& value) { return Message(Read(File(value)).status()); };
  EXPECT_EQ(why(Tensor().Pickled()), "holds no dict");
  EXPECT_EQ(why(DictOf("lr", Int(1))), "'lr' is no tensor");
  EXPECT_EQ(why(DictOf("model", DictOf("w", Tensor().Pickled()))), "'model' is no tensor");
  EXPECT_EQ(why("}(" + Int(1) + Tensor().Pickled() + "u"), "its dict has keys that are no names");
  Tensor complex;
  complex.storage = Storage("ComplexFloatStorage", 12);
  EXPECT_THAT(why(DictOf("c", complex.Pickled())), HasSubstr("'ComplexFloatStorage'"));
  EXPECT_EQ(why(Global("os", "system") + Tuple({Text("rm -r /")}) + "R"),
            "holds a 'system' of 'os'");
  EXPECT_EQ(why(Global("torch.nn", "Linear") + ")\x81"), "holds more than tensors");
}

TEST(PickledTensors, OfADamagedFileAreNone) {
  const std::string whole = File(DictOf("weight", Tensor().Pickled()));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_TRUE(absl::IsInvalidArgument(Read(whole.substr(0, size)).status())) << size;
  }
  for (const char* bad : {"(.", "h\1.", "q\1.", "u.", "}u.", "}(u", "R.", ")R.", "Q.", ")Q.", "b.",
                          "\x85.", "t.", "X\xff\xff\xff\xff.", "cos"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Read(bad).status())) << bad;
  }
}

}  // namespace
}  // namespace skein
