#include "skein/tensor/safetensors.h"

#include <sys/resource.h>

#include <csignal>

#include <gmock/gmock.h>

#include "skein/base/status.h"
#include "unit/tensor/tensor_testing.h"

namespace skein {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

PackedTensors SmallModel() {
  PackedTensors tensors(MustCreate({{"conv.weight", DType::kFloat32, {2, 1}},
                                    {"steps", DType::kInt64, {}, TensorRole::kBuffer},
                                    {"none", DType::kBool, {0}}}));
  const float weights[] = {1.0f, -2.0f};
  const int64_t steps = 3;
  std::memcpy(tensors.mutable_tensor(0).data(), weights, sizeof(weights));
  std::memcpy(tensors.mutable_tensor(1).data(), &steps, sizeof(steps));
  return tensors;
}

TEST(SafetensorsHeader, IsCompactJsonInManifestOrderPaddedToEightBytes) {
  const std::string json = R"({"conv.weight":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
                           R"("steps":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
                           R"("none":{"dtype":"BOOL","shape":[0],"data_offsets":[16,16]}})";
  ASSERT_EQ(json.size(), 182u);
  EXPECT_EQ(SafetensorsHeader(SmallModel().manifest()),
            std::string("\xB8\0\0\0\0\0\0\0", 8) + json + "  ");
  EXPECT_EQ(SafetensorsHeader(Manifest()), std::string("\x08\0\0\0\0\0\0\0{}      ", 16));
}

TEST(Safetensors, FileIsHeaderThenBlock) {
  const ScratchDirectory scratch;
  const PackedTensors tensors = SmallModel();
  const std::string path = scratch.File("m.safetensors");
  ASSERT_TRUE(WriteSafetensors(tensors, path).ok());
  EXPECT_EQ(ReadBytes(path), SafetensorsHeader(tensors.manifest()) +
                                 std::string("\0\0\x80\x3F\0\0\0\xC0\3\0\0\0\0\0\0\0", 16));
  EXPECT_THAT(scratch.List(), ElementsAre("m.safetensors"));
}

TEST(Safetensors, RandomTensorsComeBackTheSame) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("m.safetensors");
  Rng rng(77);
  for (int trial = 0; trial < 50; ++trial) {
    const PackedTensors written = RandomTensors(RandomManifest(rng), rng);
    ASSERT_TRUE(WriteSafetensors(written, path).ok());
    const absl::StatusOr<PackedTensors> read = ReadSafetensors(path);
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(read->manifest(), written.manifest());
    ASSERT_EQ(AsString(read->bytes()), AsString(written.bytes()));
  }
}

TEST(Safetensors, MappedModelOutlivesItsFile) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("m.safetensors");
  ASSERT_TRUE(WriteSafetensors(SmallModel(), path).ok());
  absl::StatusOr<PackedTensors> read = ReadSafetensors(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->mutable_bytes().data(), nullptr);
  // A new version takes the place of the file; the mapping keeps the old one.
  ASSERT_TRUE(WriteSafetensors(PackedTensors(Manifest()), path).ok());
  EXPECT_EQ(AsString(read->bytes()), AsString(SmallModel().bytes()));
}

TEST(Safetensors, ReadsWhatOtherWritersPut) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("m.safetensors");
  // Metadata, space, another order of keys and tensors, escapes, no padding.
  const std::string json =
      " { \"__metadata__\" : {\"format\":\"pt\"},\n\"b\":{\"shape\":[ 1 , 2 ],"
      "\"data_offsets\":[4,6],\"dtype\":\"U8\"},\"\\u00e9\\ud83e\\udd86\\n\\/\":"
      "{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}, \"e\":"
      "{\"dtype\":\"F64\",\"shape\":[3,0],\"data_offsets\":[4,4]} } ";
  const std::string object = json.substr(1);
  std::string file(8, '\0');
  const uint64_t length = object.size();
  std::memcpy(file.data(), &length, 8);
  WriteBytes(path, file + object + "abcdef");
  const absl::StatusOr<PackedTensors> read = ReadSafetensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->manifest(), MustCreate({{"\u00e9\U0001F986\n/", DType::kFloat32, {}},
                                          {"e", DType::kFloat64, {3, 0}},
                                          {"b", DType::kUint8, {1, 2}}}));
  EXPECT_EQ(AsString(read->tensor(2)), "ef");
}

TEST(WriteSafetensors, ReplacesAnExistingFile) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("m.safetensors");
  WriteBytes(path, std::string(100'000, 'x'));
  ASSERT_TRUE(WriteSafetensors(SmallModel(), path).ok());
  EXPECT_TRUE(ReadSafetensors(path).ok());
}

TEST(WriteSafetensors, SaysWhyAndLeavesNothingWhereItCannotWrite) {
  const ScratchDirectory scratch;
  const std::string missing = scratch.File("no/such/m.safetensors");
  const absl::Status no_directory = WriteSafetensors(SmallModel(), missing);
  EXPECT_TRUE(absl::IsUnavailable(no_directory));
  EXPECT_THAT(Message(no_directory), StartsWith(missing + ": cannot create"));
  EXPECT_THAT(scratch.List(), IsEmpty());

  // A directory stands where the file should go.
  const std::string taken = scratch.File("m.safetensors");
  std::filesystem::create_directory(taken);
  EXPECT_TRUE(absl::IsInvalidArgument(WriteSafetensors(SmallModel(), taken)));
  EXPECT_THAT(scratch.List(), ElementsAre("m.safetensors"));
}

TEST(WriteSafetensors, LeavesTheOldFileWhenThereIsNoRoom) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("m.safetensors");
  ASSERT_TRUE(WriteSafetensors(SmallModel(), path).ok());
  const std::string before = ReadBytes(path);
  Rng rng(5);
  const PackedTensors large = RandomTensors(MustCreate({{"w", DType::kUint8, {100'000}}}), rng);

  rlimit unlimited = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  rlimit small = unlimited;
  small.rlim_cur = 4096;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteSafetensors(large, path);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  std::signal(SIGXFSZ, handler);

  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr(path));
  EXPECT_EQ(ReadBytes(path), before);
  EXPECT_THAT(scratch.List(), ElementsAre("m.safetensors"));
}

}  // namespace
}  // namespace skein
