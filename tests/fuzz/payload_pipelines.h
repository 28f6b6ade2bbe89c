#ifndef SKEIN_TESTS_FUZZ_PAYLOAD_PIPELINES_H_
#define SKEIN_TESTS_FUZZ_PAYLOAD_PIPELINES_H_

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "codec/payload_head.h"
#include "fuzz/require.h"
#include "skein/base/random.h"
#include "skein/builtins/codecs.h"

namespace skein {

// What the fuzz target of codecs decodes: payloads of these pipelines, of these tensors.
class PayloadPipelines {
 public:
  PayloadPipelines() : base_(HeldModel::Of({.version = 3}, Numbers(4))) {
    CodecRegistry registry("codec");
    RegisterBuiltinCodecs(registry);
    const PartSpec topk = {"topk", {{"ratio", 0.25}, {"error_feedback", false}}};
    const std::vector<PartSpec> lists[] = {
        {},
        {{"zstd"}},
        {{"fp16"}},
        {{"bf16"}, {"zstd"}},
        {{"int8", {{"bucket", 7}}}},
        {{"int4", {{"bucket", 5}}}, {"zstd"}},
        {topk},
        {topk, {"int8", {{"bucket", 4}}}, {"zstd"}},
        {{"randomk", {{"ratio", 0.3}}}, {"int4"}},
        {{"delta"}, {"zstd"}},
        {{"delta"}, topk, {"fp16"}},
        {{"fp32"}, {"zstd"}},
    };
    for (const auto& parts : lists) {
      auto pipeline = MakePipeline(registry, parts);
      Require(pipeline.ok(), "a pipeline of the fuzz target can be made");
      pipelines_.push_back(*std::move(pipeline));
    }
  }

  size_t size() const { return pipelines_.size(); }
  const CodecPipeline& operator[](size_t i) const { return *pipelines_[i]; }
  const Manifest& manifest() const { return base_.tensors.manifest(); }
  const HeldModel& base() const { return base_; }

  // The bytes before the first record, of a difference if the pipeline has `delta`.
  std::string HeadOf(size_t i) const {
    const CodecPipeline& pipeline = *pipelines_[i];
    PayloadHead head{.form = pipeline.form(), .tensors = TensorsMark(manifest())};
    if (pipeline.has_delta()) head.base = BaseRef{base_.version, base_.checksum};
    if (pipeline.form().find("randomk") != std::string::npos) head.support = 5;
    std::string bytes(MaxHeadBytes(pipeline.form()), '\0');
    ByteWriter out(std::as_writable_bytes(std::span(bytes)));
    WriteHead(head, pipeline.has_delta(), out);
    bytes.resize(out.size());
    return bytes;
  }

  // A model of the tensors.
  static PackedTensors Numbers(uint64_t seed) {
    auto manifest = Manifest::Create({{"mask", DType::kBool, {3}, TensorRole::kBuffer},
                                      {"w", DType::kFloat32, {6, 5}},
                                      {"b", DType::kFloat32, {}},
                                      {"mean", DType::kFloat32, {4}, TensorRole::kBuffer},
                                      {"nothing", DType::kFloat32, {0}},
                                      {"half", DType::kFloat16, {9}},
                                      {"double", DType::kFloat64, {3}},
                                      {"steps", DType::kInt64, {}, TensorRole::kBuffer}});
    Require(manifest.ok(), "the manifest of the fuzz target is one");
    PackedTensors tensors(*std::move(manifest));
    Rng rng(seed);
    // Finite as any of the types.
    for (std::byte& byte : tensors.mutable_bytes()) byte = static_cast<std::byte>(rng.Below(60));
    return tensors;
  }

 private:
  HeldModel base_;
  std::vector<std::shared_ptr<const CodecPipeline>> pipelines_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_FUZZ_PAYLOAD_PIPELINES_H_
