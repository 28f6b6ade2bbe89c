#include "skein/testing/codec_conformance.h"

#include <algorithm>
#include <cmath>

#include "skein/builtins/codecs.h"

namespace skein::testing {
namespace {

using MaxError = std::function<double(std::span<const float>)>;

CodecCase Case(const std::string& name, const std::vector<PartSpec>& parts, MaxError max_error) {
  return {name,
          [parts]() -> std::shared_ptr<const CodecPipeline> {
            CodecRegistry registry("codec");
            RegisterBuiltinCodecs(registry);
            auto pipeline = MakePipeline(registry, parts);
            return pipeline.ok() ? *pipeline : nullptr;
          },
          std::move(max_error)};
}

double Largest(std::span<const float> values) {
  double most = 0;
  for (const double v : values) most = std::max(most, std::abs(v));
  return most;
}

// A part of the largest magnitude, and what is lost however small a value is.
MaxError Share(double share, double always = 0) {
  return [=](std::span<const float> values) { return share * Largest(values) + always; };
}

MaxError Steps(double levels) { return Share(1.000001 / levels, 1e-44); }

const PartSpec kTopK = {"topk", {{"ratio", 0.1}}};
const PartSpec kForgetfulTopK = {"topk", {{"ratio", 0.1}, {"error_feedback", false}}};
const PartSpec kRandomK = {"randomk", {{"ratio", 0.25}}};
const PartSpec kRandomKWithErrors = {"randomk", {{"ratio", 0.25}, {"error_feedback", true}}};
const PartSpec kNearestInt4 = {"int4", {{"rounding", "nearest"}, {"error_feedback", true}}};

const CodecCase kCases[] = {
    Case("Nothing", {}, nullptr),
    Case("Zstd", {{"zstd"}}, nullptr),
    Case("Delta", {{"delta"}}, nullptr),
    Case("DeltaInt8Zstd", {{"delta"}, {"int8"}, {"zstd"}}, nullptr),
    Case("Fp16", {{"fp16"}}, Share(0x1p-11, 0x1p-25)),
    Case("Fp32", {{"fp32"}}, Share(0)),
    Case("Bf16", {{"bf16"}}, Share(0x1p-8, 0x1p-134)),
    Case("ClampedFp16", {{"fp16", {{"clamp", true}}}}, Share(0x1p-11, 0x1p-25)),
    Case("Int8", {{"int8"}}, Steps(127)),
    Case("Int4", {{"int4"}}, Steps(7)),
    Case("Int8OfSmallBuckets", {{"int8", {{"bucket", 3}}}}, Steps(127)),
    Case("Int4OfOddBuckets", {{"int4", {{"bucket", 1001}}}}, Steps(7)),
    Case("Int8L2", {{"int8", {{"norm", "l2"}}}}, Steps(127 / std::sqrt(512))),
    Case("Int4Zstd", {{"int4"}, {"zstd"}}, Steps(7)),
    Case("TopK", {kTopK}, Share(1)),
    Case("ForgetfulTopK", {kForgetfulTopK}, Share(1)),
    Case("WholeTopK", {{"topk", {{"ratio", 1}}}}, nullptr),
    Case("TopKZstd", {kTopK, {"zstd"}}, Share(1)),
    Case("TopKInt8Zstd", {kTopK, {"int8"}, {"zstd"}}, Share(1)),
    Case("TopKInt4", {kTopK, kNearestInt4}, Share(1)),
    Case("TopKFp16", {kTopK, {"fp16"}}, Share(1)),
    Case("RandomK", {kRandomK}, Share(4)),
    Case("SharedRandomKInt8", {{"randomk", {{"ratio", 0.25}, {"shared", true}}}, {"int8"}},
         Share(4)),
    Case("RandomKWithErrors", {kRandomKWithErrors, {"bf16"}}, Share(1)),
    Case("Int4WithErrors", {kNearestInt4}, Steps(7)),
};

const CodecCase kKeepErrors[] = {
    Case("TopK", {kTopK}, Share(1)),
    Case("TopKInt8Zstd", {kTopK, {"int8"}, {"zstd"}}, Share(1)),
    Case("TopKInt4", {kTopK, kNearestInt4}, Share(1)),
    Case("RandomKWithErrors", {kRandomKWithErrors, {"bf16"}}, Share(1)),
    Case("Int4WithErrors", {kNearestInt4}, Steps(7)),
    Case("Int8WithErrorsZstd", {{"int8", {{"error_feedback", true}}}, {"zstd"}}, Steps(127)),
    Case("Fp16WithErrors", {{"fp16", {{"error_feedback", true}}}}, Share(0x1p-11, 0x1p-25)),
};

const CodecCase kUnbiased[] = {
    Case("Int8", {{"int8"}}, Steps(127)),
    Case("Int4", {{"int4"}}, Steps(7)),
    Case("Int4L2", {{"int4", {{"norm", "l2"}}}}, Steps(7 / std::sqrt(512))),
    Case("RandomK", {kRandomK}, Share(4)),
    Case("RandomKInt4Zstd", {kRandomK, {"int4"}, {"zstd"}}, Share(5)),
};

const CodecCase kDeltas[] = {
    Case("Delta", {{"delta"}}, nullptr),
    Case("DeltaZstd", {{"delta"}, {"zstd"}}, nullptr),
    Case("DeltaInt4", {{"delta"}, {"int4"}}, nullptr),
    Case("DeltaTopKInt8Zstd", {{"delta"}, kTopK, {"int8"}, {"zstd"}}, nullptr),
    Case("DeltaRandomK", {{"delta"}, kRandomKWithErrors}, nullptr),
};

std::string NameOf(const ::testing::TestParamInfo<CodecCase>& tested) { return tested.param.name; }

INSTANTIATE_TEST_SUITE_P(Builtin, CodecConformance, ::testing::ValuesIn(kCases), NameOf);
INSTANTIATE_TEST_SUITE_P(Builtin, ErrorFeedbackConformance, ::testing::ValuesIn(kKeepErrors),
                         NameOf);
INSTANTIATE_TEST_SUITE_P(Builtin, UnbiasedCodecConformance, ::testing::ValuesIn(kUnbiased), NameOf);
INSTANTIATE_TEST_SUITE_P(Builtin, DeltaConformance, ::testing::ValuesIn(kDeltas), NameOf);

}  // namespace
}  // namespace skein::testing
