#include "skein/tensor/state_dict.h"

#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "skein/tensor/safetensors.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

StateDict Of(const at::Tensor& tensor) {
  StateDict state;
  EXPECT_TRUE(state.Add("t", tensor).ok());
  return state;
}

// `tensor` after a trip through the packed form.
at::Tensor Trip(const at::Tensor& tensor) {
  const absl::StatusOr<PackedTensors> packed = Of(tensor).Pack();
  if (!packed.ok()) {
    ADD_FAILURE() << packed.status();
    return {};
  }
  return *StateDict::Unpack(*packed).Get("t");
}

void ExpectSameTensor(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.scalar_type(), b.scalar_type());
  EXPECT_EQ(a.sizes(), b.sizes());
  EXPECT_TRUE(a.equal(b)) << a << b;
}

constexpr at::ScalarType kTypes[] = {at::kBool, at::kByte, at::kChar,     at::kShort, at::kInt,
                                     at::kLong, at::kHalf, at::kBFloat16, at::kFloat, at::kDouble};

TEST(StateDict, EveryTypeAndShapeComesBack) {
  const std::vector<std::vector<int64_t>> shapes = {{}, {1}, {0}, {3, 0, 2}, {7}, {2, 3, 4}};
  for (const at::ScalarType type : kTypes) {
    for (const std::vector<int64_t>& shape : shapes) {
      const at::Tensor tensor = at::randint(0, 100, shape, at::kInt).to(type);
      ExpectSameTensor(Trip(tensor), tensor);
    }
  }
}

TEST(StateDict, TypesMapToTheirSafetensorsNames) {
  StateDict state;
  for (const at::ScalarType type : kTypes) {
    ASSERT_TRUE(state.Add(c10::toString(type), at::zeros({2}, type)).ok());
  }
  const absl::StatusOr<PackedTensors> packed = state.Pack();
  ASSERT_TRUE(packed.ok()) << packed.status();
  std::string names;
  for (const TensorInfo& info : packed->manifest().tensors()) {
    names += std::string(NameOf(info.dtype)) + " ";
    EXPECT_EQ(info.NumBytes(), 2 * SizeOf(info.dtype));
  }
  EXPECT_EQ(names, "BOOL U8 I8 I16 I32 I64 F16 BF16 F32 F64 ");
}

TEST(StateDict, PacksViewsInRowMajorOrder) {
  const at::Tensor base = at::arange(24, at::kFloat).reshape({4, 6});
  ExpectSameTensor(Trip(base.t()), base.t());
  ExpectSameTensor(Trip(base.slice(0, 1, 4, 2).slice(1, 5, 6)),
                   at::tensor({11.0f, 23.0f}).view({2, 1}));
  ExpectSameTensor(Trip(base.select(1, 3)), at::tensor({3.0f, 9.0f, 15.0f, 21.0f}));
  ExpectSameTensor(Trip(at::tensor({5.0f}).expand({3, 2})), at::full({3, 2}, 5.0f));
  const at::Tensor image = at::rand({2, 3, 4, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  ASSERT_FALSE(image.is_contiguous());
  ExpectSameTensor(Trip(image), image);

  const absl::StatusOr<PackedTensors> packed = Of(base.t()).Pack();
  float second = 0;
  std::memcpy(&second, packed->tensor(0).data() + sizeof(float), sizeof(float));
  EXPECT_EQ(second, 6.0f);
}

TEST(StateDict, PacksTheValuesOfALazilyNegatedView) {
  const at::Tensor negated = at::imag(at::view_as_complex(at::rand({5, 2})).conj());
  ASSERT_TRUE(negated.is_neg());
  ExpectSameTensor(Trip(negated), negated.resolve_neg());
}

TEST(StateDict, KeepsExtremeValuesBitForBit) {
  const at::Tensor counters = at::tensor(
      {std::numeric_limits<int64_t>::min(), int64_t{0}, std::numeric_limits<int64_t>::max()});
  ExpectSameTensor(Trip(counters), counters);
  const float odd[] = {std::numeric_limits<float>::quiet_NaN(), -0.0f,
                       std::numeric_limits<float>::denorm_min(),
                       -std::numeric_limits<float>::infinity()};
  const at::Tensor out = Trip(at::tensor(at::ArrayRef<float>(odd)));
  EXPECT_EQ(std::memcmp(out.data_ptr(), odd, sizeof(odd)), 0);
}

TEST(StateDict, PackIsACopyAndUnpackOwnsItsMemory) {
  const at::Tensor tensor = at::ones({4});
  const absl::StatusOr<PackedTensors> packed = Of(tensor).Pack();
  tensor.zero_();
  const at::Tensor unpacked = *StateDict::Unpack(*packed).Get("t");
  EXPECT_TRUE(unpacked.equal(at::ones({4})));
  unpacked.zero_();
  EXPECT_TRUE(StateDict::Unpack(*packed).Get("t")->equal(at::ones({4})));
}

TEST(StateDict, KnowsWhenItAloneHoldsABlock) {
  StateDict both;
  ASSERT_TRUE(both.Add("a", at::ones({5})).ok());
  ASSERT_TRUE(both.Add("b", at::ones({0, 2})).ok());
  ASSERT_TRUE(both.Add("c", at::ones({3, 3}, at::kLong)).ok());
  const absl::StatusOr<PackedTensors> packed = both.Pack();
  ASSERT_TRUE(packed.ok());
  BufferPool pool;
  const std::vector<uint64_t> offsets = StateDict::UnpackedOffsets(packed->manifest());
  EXPECT_EQ(offsets, (std::vector<uint64_t>{0, 64, 64, 192}));
  const std::shared_ptr<std::byte> block = pool.Take(offsets.back());
  StateDict state = StateDict::Unpack(*packed, block);
  EXPECT_TRUE(state.HoldsAlone(block));
  EXPECT_FALSE(both.HoldsAlone(block)) << "other tensors";
  {
    const StateDict copy = state;
    EXPECT_FALSE(state.HoldsAlone(block));
  }
  {
    const at::Tensor view = state.entries()[2].tensor.select(0, 1);
    EXPECT_FALSE(state.HoldsAlone(block));
  }
  {
    const std::shared_ptr<std::byte> other = block;
    EXPECT_FALSE(state.HoldsAlone(block));
  }
  EXPECT_TRUE(state.HoldsAlone(block));
  state.entries()[0].tensor.add_(1);
  EXPECT_TRUE(state.HoldsAlone(block)) << "they are changed in place";
  StateDict turned;
  ASSERT_TRUE(turned.Add("a", state.entries()[0].tensor.clone()).ok());
  EXPECT_FALSE(turned.HoldsAlone(block));
}

TEST(StateDict, PacksTensorsThatNeedGradients) {
  const at::Tensor leaf = at::rand({3}).requires_grad_();
  const at::Tensor out = Trip(leaf * 2);
  EXPECT_FALSE(out.requires_grad());
  ExpectSameTensor(out, (leaf * 2).detach());
}

TEST(StateDict, KeepsOrderRolesAndUnalignedTensors) {
  StateDict state;
  ASSERT_TRUE(state.Add("flag", at::ones({3}, at::kBool), TensorRole::kBuffer).ok());
  ASSERT_TRUE(state.Add("w", at::rand({5}, at::kDouble)).ok());
  ASSERT_TRUE(state.Add("steps", at::scalar_tensor(-9, at::kLong), TensorRole::kBuffer).ok());
  const absl::StatusOr<PackedTensors> packed = state.Pack();
  ASSERT_TRUE(packed.ok());
  EXPECT_EQ(packed->manifest(), MustCreate({{"flag", DType::kBool, {3}, TensorRole::kBuffer},
                                            {"w", DType::kFloat64, {5}},
                                            {"steps", DType::kInt64, {}, TensorRole::kBuffer}}));
  const StateDict back = StateDict::Unpack(*packed);
  ASSERT_EQ(back.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(back.entries()[i].name, state.entries()[i].name);
    EXPECT_EQ(back.entries()[i].role, state.entries()[i].role);
    ExpectSameTensor(back.entries()[i].tensor, state.entries()[i].tensor);
  }
}

TEST(StateDict, SurvivesAFile) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("m.safetensors");
  const at::Tensor tensor = at::rand({17, 3});
  ASSERT_TRUE(WriteSafetensors(*Of(tensor).Pack(), path).ok());
  const absl::StatusOr<PackedTensors> read = ReadSafetensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  ExpectSameTensor(*StateDict::Unpack(*read).Get("t"), tensor);
}

TEST(StateDict, HostileBoolBytesBecomeTrue) {
  PackedTensors packed(MustCreate({{"t", DType::kBool, {3}}}));
  const unsigned char bytes[] = {0, 2, 255};
  std::memcpy(packed.mutable_bytes().data(), bytes, 3);
  const at::Tensor tensor = *StateDict::Unpack(packed).Get("t");
  EXPECT_EQ(tensor.to(at::kInt).sum().item<int>(), 2);
}

TEST(StateDict, RefusesWhatCannotTravel) {
  StateDict state;
  ASSERT_TRUE(state.Add("w", at::ones({2})).ok());
  const auto refusal = [&](const std::string& name, const at::Tensor& tensor) {
    const absl::Status status = state.Add(name, tensor);
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    return Message(status);
  };
  EXPECT_EQ(refusal("w", at::ones({2})), "tensor \"w\": the name occurs twice");
  EXPECT_EQ(refusal("u", at::Tensor()), "tensor \"u\": undefined");
  EXPECT_THAT(refusal("s", at::ones({2, 2}).to_sparse()), HasSubstr("sparse"));
  EXPECT_THAT(refusal("c", at::zeros({2}, at::kComplexFloat)), HasSubstr("ComplexFloat"));
  EXPECT_THAT(refusal("q", at::quantize_per_tensor(at::ones({2}), 0.1, 0, at::kQInt8)),
              HasSubstr("QInt8"));
  EXPECT_THAT(refusal("m", at::empty({2}, at::TensorOptions(at::kMeta))), HasSubstr("no data"));
  EXPECT_EQ(state.size(), 1u);
}

TEST(StateDict, PackRefusesNamesThatTheManifestRefuses) {
  StateDict state;
  ASSERT_TRUE(state.Add(std::string(600, 'n'), at::ones({1})).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(state.Pack().status()));
}

TEST(StateDict, UnknownNameIsAnsweredWithTheNearest) {
  StateDict state;
  EXPECT_EQ(Message(state.Get("w").status()), "no tensor \"w\"");
  for (const char* name : {"conv1.weight", "conv1.bias", "fc.weight"}) {
    ASSERT_TRUE(state.Add(name, at::ones({1})).ok());
  }
  const absl::Status status = state.Get("conv.weight").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(Message(status), "no tensor \"conv.weight\"; did you mean 'conv1.weight'?");
}

}  // namespace
}  // namespace skein
