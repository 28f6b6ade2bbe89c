#ifndef SKEIN_TESTS_UNIT_CODEC_CODEC_SAMPLES_H_
#define SKEIN_TESTS_UNIT_CODEC_CODEC_SAMPLES_H_

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/status.h"
#include "skein/builtins/codecs.h"

namespace skein {

inline CodecRegistry BuiltinCodecs() {
  CodecRegistry registry("codec");
  RegisterBuiltinCodecs(registry);
  return registry;
}

inline absl::StatusOr<std::shared_ptr<const CodecPipeline>> TryPipeline(
    const std::vector<PartSpec>& parts) {
  return MakePipeline(BuiltinCodecs(), parts);
}

inline std::shared_ptr<const CodecPipeline> Pipeline(const std::vector<PartSpec>& parts) {
  auto pipeline = TryPipeline(parts);
  EXPECT_TRUE(pipeline.ok()) << pipeline.status();
  return pipeline.ok() ? *pipeline : nullptr;
}

inline Manifest ManifestOf(std::vector<TensorInfo> tensors) {
  return *Manifest::Create(std::move(tensors));
}

// One float32 parameter, `w`.
inline PackedTensors Update(const std::vector<float>& values) {
  PackedTensors tensors(
      ManifestOf({{"w", DType::kFloat32, {static_cast<int64_t>(values.size())}}}));
  if (!values.empty()) {
    std::memcpy(tensors.mutable_bytes().data(), values.data(), values.size() * sizeof(float));
  }
  return tensors;
}

inline std::vector<float> Floats(const PackedTensors& tensors, size_t tensor = 0) {
  std::vector<float> values(tensors.manifest()[tensor].NumElements());
  if (!values.empty()) {
    std::memcpy(values.data(), tensors.tensor(tensor).data(), values.size() * sizeof(float));
  }
  return values;
}

inline std::string PayloadOf(const EncodedTensors& encoded) {
  return {reinterpret_cast<const char*>(encoded.bytes.data()), encoded.bytes.size()};
}

// What the receiver makes of an update; empty after a failure.
inline std::vector<float> Sent(const CodecPipeline& pipeline, const std::vector<float>& values,
                               const CodecContext& context = {}, CodecState* state = nullptr) {
  BufferPool buffers;
  const PackedTensors update = Update(values);
  const auto encoded = pipeline.Encode(update, context, buffers, state);
  EXPECT_TRUE(encoded.ok()) << encoded.status();
  if (!encoded.ok()) return {};
  const auto decoded = pipeline.Decode(encoded->bytes, update.manifest(), buffers);
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? Floats(*decoded) : std::vector<float>();
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_CODEC_CODEC_SAMPLES_H_
