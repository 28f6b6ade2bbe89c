#include "skein/codec/pipeline.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/builtins/strategies.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"
#include "testing/fold_samples.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

const PartSpec kTopK = {"topk", {{"ratio", 0.5}, {"error_feedback", false}}};

TEST(Pipeline, StagesThatCannotFollowOneAnotherAreRefusedInOneLine) {
  const struct {
    std::vector<PartSpec> parts;
    const char* why;
  } cases[] = {
      {{{"zstd"}, {"int8"}}, "'int8(512)' cannot follow 'zstd': the order is delta"},
      {{{"int8"}, {"int4"}},
       "'int4(512)' cannot follow 'int8(512)': values are made narrower once"},
      {{{"fp16"}, {"bf16"}}, "'bf16' cannot follow 'fp16': values are made narrower once"},
      {{kTopK, {"randomk", {{"ratio", 0.1}}}}, "elements are chosen once"},
      {{{"int8"}, kTopK}, "'topk(0.5)' cannot follow 'int8(512)'"},
      {{{"fp16"}, {"delta"}}, "'delta' cannot follow 'fp16'"},
      {{{"delta"}, {"delta"}}, "a difference is taken once"},
      {{{"zstd"}, {"zstd"}}, "bytes are compressed once"},
      {{{"itn8"}}, "unknown codec 'itn8', did you mean 'int8'?"},
      {{{"topk"}}, "codec 'topk': 'ratio' is required"},
      {{{"topk", {{"ratio", 1.5}}}}, "'ratio' is 1.5"},
      {{{"int8", {{"norm", "l3"}}}}, "must be one of max, l2"},
      {{{"zstd", {{"level", 30}}}}, "from 1 to 19"},
  };
  for (const auto& bad : cases) {
    const absl::Status status = TryPipeline(bad.parts).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad.why;
    EXPECT_NE(Message(status).find(bad.why), std::string::npos) << status;
    EXPECT_EQ(Message(status).find('\n'), std::string::npos);
  }
}

TEST(Pipeline, SaysWhatItIs) {
  const auto all = Pipeline({{"delta"}, kTopK, {"int8"}, {"zstd"}});
  EXPECT_EQ(all->form(), "delta|topk(0.5)|int8(512)|zstd");
  EXPECT_TRUE(all->has_delta() && all->lossy());
  EXPECT_FALSE(all->keeps_error());
  EXPECT_FALSE(Pipeline({{"zstd"}})->lossy());
  EXPECT_TRUE(Pipeline({{"topk", {{"ratio", 0.1}}}})->keeps_error());
  EXPECT_FALSE(Pipeline({{"delta"}, {"topk", {{"ratio", 0.1}}}})->keeps_error());
  EXPECT_EQ(Pipeline({})->form(), "");
}

TEST(Pipeline, BytesAreThoseOfTheDocument) {
  // int8 of one bucket (3, -4, 0) and an integer tensor, byte by byte.
  PackedTensors update(ManifestOf({{"w", DType::kFloat32, {3}},
                                   {"steps", DType::kInt16, {}, TensorRole::kBuffer},
                                   {"empty", DType::kFloat32, {0}}}));
  const float values[] = {127, -254, 0};
  std::memcpy(update.mutable_tensor(0).data(), values, sizeof(values));
  const int16_t steps = 0x0102;
  std::memcpy(update.mutable_tensor(1).data(), &steps, sizeof(steps));
  BufferPool buffers;
  const auto encoded = Pipeline({{"int8", {{"rounding", "nearest"}}}})->Encode(update, {}, buffers);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  const std::string header = SafetensorsHeader(update.manifest());
  const uint64_t mark = Checksum(std::as_bytes(std::span(header)));
  std::string expected = "SKC1\x09int8(512)";
  expected.append(reinterpret_cast<const char*>(&mark), sizeof(mark));
  const float step = 2;
  expected += '\x07';
  expected.append(reinterpret_cast<const char*>(&step), sizeof(step));
  expected += std::string("\x40\x81\x00", 3);  // 63.5 to 64, -127, 0
  expected += std::string("\x02\x02\x01\x00", 4);
  EXPECT_EQ(PayloadOf(*encoded), expected);
}

// What follows the head.
std::string RecordsOf(const EncodedTensors& encoded, size_t head) {
  return PayloadOf(encoded).substr(head);
}

TEST(Pipeline, SparseRecordsAreThoseOfTheDocument) {
  BufferPool buffers;
  const auto pipeline = Pipeline({kTopK, {"fp16"}});
  const size_t head = 4 + 1 + pipeline->form().size() + 8;
  // Two of four: a bitmap of a byte, 5 and -2.
  auto encoded = pipeline->Encode(Update({0, 5, 0, -2}), {}, buffers);
  ASSERT_TRUE(encoded.ok());
  EXPECT_EQ(RecordsOf(*encoded, head), std::string("\x07\x02\x01\x0a\x00\x45\x00\xc0", 8));
  // One of 300, which are not 0: a gap in two bytes.
  std::vector<float> values(300);
  values[299] = 5;
  encoded = pipeline->Encode(Update(values), {}, buffers);
  ASSERT_TRUE(encoded.ok());
  EXPECT_EQ(RecordsOf(*encoded, head), std::string("\x06\x01\x00\xab\x02\x00\x45", 7));
  // Nothing but zeros.
  encoded = pipeline->Encode(Update({0, 0, 0}), {}, buffers);
  ASSERT_TRUE(encoded.ok());
  EXPECT_EQ(RecordsOf(*encoded, head), std::string("\x00", 1));
}

TEST(Pipeline, DifferencesAreThoseOfTheDocument) {
  BufferPool buffers;
  const Manifest manifest =
      ManifestOf({{"steps", DType::kInt16, {2}, TensorRole::kBuffer}, {"w", DType::kFloat32, {1}}});
  const auto model = [&](int16_t a, int16_t b, float w) {
    PackedTensors tensors(manifest);
    const int16_t steps[] = {a, b};
    std::memcpy(tensors.mutable_tensor(0).data(), steps, sizeof(steps));
    std::memcpy(tensors.mutable_tensor(1).data(), &w, sizeof(w));
    return tensors;
  };
  const HeldModel base =
      HeldModel::Of({.version = 300, .attempt = 1, .local_round = 2}, model(0x0100, 7, 1));
  const auto pipeline = Pipeline({{"delta"}});
  const auto encoded = pipeline->EncodeDelta(model(0x0305, 6, 1), base, {}, buffers);
  ASSERT_TRUE(encoded.ok());
  std::string expected = std::string("\x01\xac\x02\x01\x02", 5);
  expected.append(reinterpret_cast<const char*>(&base.checksum), sizeof(base.checksum));
  // 0x0205 and -1: the lower bytes, then the upper ones. `w` is that of the base.
  expected += std::string("\x04\x05\xff\x02\xff\x00", 6);
  EXPECT_EQ(RecordsOf(*encoded, 4 + 1 + pipeline->form().size() + 8), expected);
}

TEST(Pipeline, SizesOfFixedCodecsAreExact) {
  BufferPool buffers;
  const std::vector<float> values(100'000, 0.5f);
  const std::pair<const char*, uint64_t> sizes[] = {{"fp16", 200'000},
                                                    {"bf16", 200'000},
                                                    {"int8", 100'000 + 196 * 4},
                                                    {"int4", 50'000 + 196 * 4}};
  for (const auto& [name, size] : sizes) {
    const auto pipeline = Pipeline({{name}});
    const auto encoded = pipeline->Encode(Update(values), {}, buffers);
    ASSERT_TRUE(encoded.ok());
    EXPECT_EQ(encoded->bytes.size(), 4 + 1 + pipeline->form().size() + 8 + 3 + size) << name;
  }
}

TEST(Pipeline, RefusesNanAndInfinityNamingThePlace) {
  BufferPool buffers;
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const auto& parts : std::vector<std::vector<PartSpec>>{{},
                                                              {{"zstd"}},
                                                              {{"fp16"}},
                                                              {{"int8"}},
                                                              {kTopK},
                                                              {kTopK, {"int4"}, {"zstd"}},
                                                              {{"randomk", {{"ratio", 0.01}}}},
                                                              {{"bf16", {{"clamp", true}}}}}) {
    for (const auto& [bad, text] : {std::pair(NAN, "NaN"), {kInf, "Inf"}, {-kInf, "-Inf"}}) {
      std::vector<float> values(5000, 0.5f);
      values[4321] = bad;
      const absl::Status status = Pipeline(parts)->Encode(Update(values), {}, buffers).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
      EXPECT_EQ(Message(status), std::string("tensor 'w' has ") + text + " at index 4321")
          << status;
    }
  }
}

TEST(Pipeline, NamesThePlaceOfAChosenValueThatIsTooLarge) {
  BufferPool buffers;
  std::vector<float> values(100);
  values[70] = 1e6f;
  values[80] = 3;
  const absl::Status status =
      Pipeline({kTopK, {"fp16"}})->Encode(Update(values), {}, buffers).status();
  EXPECT_EQ(Message(status), "tensor 'w' has 1000000 at index 70, fp16 takes up to 65519.9961");
}

TEST(Pipeline, RefusesPayloadsOfOtherLinksAndTensors) {
  BufferPool buffers;
  const PackedTensors update = Update({1, 2, 3});
  const auto encoded = Pipeline({{"int8"}})->Encode(update, {}, buffers);
  const auto refused = [&](const std::vector<PartSpec>& parts, const Manifest& manifest,
                           const std::string& why) {
    const absl::Status status = Pipeline(parts)->Decode(encoded->bytes, manifest, buffers).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(Message(status).find(why), std::string::npos) << status;
  };
  refused({{"int4"}}, update.manifest(),
          "payload has the form 'int8(512)', the link's is 'int4(512)'");
  refused({{"int8", {{"bucket", 64}}}}, update.manifest(), "the link's is 'int8(64)'");
  refused({{"int8"}}, Update({1, 2, 3, 4}).manifest(), "of other tensors");
}

TEST(Pipeline, AThousandTensorsComeBackEachByItself) {
  std::vector<TensorInfo> infos;
  for (int i = 0; i < 1000; ++i) {
    infos.push_back({"layer" + std::to_string(i), DType::kFloat32, {i % 7, 1 + i % 5}});
  }
  Rng rng(5);
  const PackedTensors update = testing::RandomModel(ManifestOf(infos), 0.1, rng);
  BufferPool buffers;
  for (const auto& parts : std::vector<std::vector<PartSpec>>{
           {{"int8"}, {"zstd"}}, {kTopK, {"fp16"}}, {{"randomk", {{"ratio", 0.3}}}}}) {
    const auto pipeline = Pipeline(parts);
    const auto encoded = pipeline->Encode(update, {}, buffers);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    const auto decoded = pipeline->Decode(encoded->bytes, update.manifest(), buffers);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    // Another value in one tensor changes that tensor alone.
    PackedTensors other = testing::Copied(update);
    for (uint64_t i = 0; i < infos[501].NumElements(); ++i) testing::SetValue(other, 501, i, 5);
    const auto changed =
        pipeline->Decode(pipeline->Encode(other, {}, buffers)->bytes, update.manifest(), buffers);
    ASSERT_TRUE(changed.ok());
    for (size_t t = 0; t < infos.size(); ++t) {
      EXPECT_EQ(std::ranges::equal(changed->tensor(t), decoded->tensor(t)), t != 501) << t;
    }
  }
}

TEST(Pipeline, AnEmptyModelIsAPayload) {
  BufferPool buffers;
  const PackedTensors nothing{Manifest()};
  const auto pipeline = Pipeline({kTopK, {"int8"}, {"zstd"}});
  const auto encoded = pipeline->Encode(nothing, {}, buffers);
  ASSERT_TRUE(encoded.ok());
  EXPECT_TRUE(pipeline->Decode(encoded->bytes, Manifest(), buffers).ok());
}

TEST(Pipeline, TheSumOfWhatWasDecodedIsExact) {
  // A parent folds decoded updates as it folds any: order and tree do not show.
  Rng rng(12);
  const PackedTensors base = testing::RandomModel(testing::MixedManifest(), 0.1, rng);
  auto updates = testing::RandomUpdates(base, 12, 600, 0.05, rng);
  const auto pipeline = Pipeline({{"int8"}});
  BufferPool buffers;
  for (testing::SampleUpdate& update : updates) {
    const auto encoded =
        pipeline->Encode(update.tensors, {.seed = 1, .sender = update.header.leaf}, buffers);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    auto decoded = pipeline->Decode(encoded->bytes, update.tensors.manifest(), buffers);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_FALSE(testing::SameBytes(*decoded, update.tensors));
    update.tensors = *std::move(decoded);
  }
  StrategyRegistries strategies;
  RegisterBuiltinStrategies(strategies);
  const auto fold = *strategies.folds.Create({"fedavg", {}});
  const auto plan = MakeNumericPlan(base, fold->MaxUpdateWeight(600), updates.size());
  ASSERT_TRUE(plan.ok());
  const auto flat = testing::FoldInRandomTree(*fold, base.manifest(), *plan, updates, 1, rng);
  ASSERT_TRUE(flat.ok()) << flat.status();
  for (int depth = 2; depth < 5; ++depth) {
    const auto tree = testing::FoldInRandomTree(*fold, base.manifest(), *plan, updates, depth, rng);
    ASSERT_TRUE(tree.ok()) << tree.status();
    EXPECT_TRUE(testing::SameBytes(tree->sums, flat->sums)) << depth;
  }
}

}  // namespace
}  // namespace skein
