// Payloads against a decoder that was written by the document alone, in another language.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/builtins/codecs.h"
#include "skein/tensor/safetensors.h"
#include "testing/fold_samples.h"

namespace skein {
namespace {

using testing::MakeManifest;
using testing::RandomModel;

Manifest Tensors() {
  using enum DType;
  return MakeManifest({{"buffer.mask", kBool, {3}, TensorRole::kBuffer},
                       {"w", kFloat32, {30, 41}},
                       {"buffer.mean", kFloat32, {7}, TensorRole::kBuffer},
                       {"half", kFloat16, {33}},
                       {"scalar", kFloat32, {}},
                       {"double", kFloat64, {11}},
                       {"nothing", kFloat32, {0}},
                       {"buffer.steps", kInt64, {}, TensorRole::kBuffer}});
}

TEST(CodecPayloads, AreWhatTheDocumentSays) {
  const PartSpec topk = {"topk", {{"ratio", 0.1}, {"error_feedback", false}}};
  const std::vector<PartSpec> pipelines[] = {{},
                                             {{"fp16"}},
                                             {{"bf16"}},
                                             {{"fp32"}},
                                             {{"int8"}},
                                             {{"int4", {{"bucket", 33}}}},
                                             {topk},
                                             {topk, {"int4"}},
                                             {{"topk", {{"ratio", 0.9}}}, {"fp16"}},
                                             {{"randomk", {{"ratio", 0.07}}}, {"int8"}},
                                             {{"delta"}},
                                             {{"delta"}, {"int8"}},
                                             {{"delta"}, topk, {"bf16"}}};
  CodecRegistry registry("codec");
  RegisterBuiltinCodecs(registry);
  Rng rng(31);
  const HeldModel base =
      HeldModel::Of({.version = 200, .attempt = 1}, RandomModel(Tensors(), 1, rng));
  const std::filesystem::path root =
      std::filesystem::path(::testing::TempDir()) / ("codec_payloads-" + std::to_string(getpid()));
  std::string command = "/usr/bin/python3 -B '" DECODE_PAYLOAD "'";
  BufferPool buffers;
  for (size_t i = 0; i < std::size(pipelines); ++i) {
    const auto pipeline = MakePipeline(registry, pipelines[i]);
    ASSERT_TRUE(pipeline.ok()) << pipeline.status();
    const PackedTensors model = RandomModel(Tensors(), 1, rng);
    CodecState state(model.manifest());
    const auto encoded = (*pipeline)->has_delta()
                             ? (*pipeline)->EncodeDelta(model, base, {.seed = i}, buffers)
                             : (*pipeline)->Encode(model, {.seed = i}, buffers, &state);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    const auto decoded = (*pipeline)->Decode(encoded->bytes, model.manifest(), buffers, {&base, 1});
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    const auto folder = root / std::to_string(i);
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "payload", std::ios::binary)
        .write(reinterpret_cast<const char*>(encoded->bytes.data()),
               static_cast<std::streamsize>(encoded->bytes.size()));
    ASSERT_TRUE(WriteSafetensors(*decoded, folder / "decoded.safetensors").ok());
    ASSERT_TRUE(WriteSafetensors(base.tensors, folder / "base.safetensors").ok());
    command += " '" + folder.string() + "'";
  }
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace skein
