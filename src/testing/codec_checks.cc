#include "skein/testing/codec_checks.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "strategy/elements.h"
#include "testing/fold_samples.h"

namespace skein::testing {
namespace {

constexpr uint64_t kSeed = 20260202;

bool IsParameter(const TensorInfo& info) {
  return IsFloat(info.dtype) && info.role == TensorRole::kParameter;
}

Manifest SampleManifest() {
  auto manifest = UpdateManifest(MixedManifest());
  EXPECT_TRUE(manifest.ok()) << manifest.status();
  return *std::move(manifest);
}

// Values of very different sizes: denormals, zeros and a few that are large.
PackedTensors UnevenUpdate(const Manifest& manifest, uint64_t seed) {
  Rng rng(seed);
  PackedTensors update = RandomModel(manifest, 0.05, rng);
  for (size_t t = 0; t < manifest.size(); ++t) {
    if (!IsFloat(manifest[t].dtype)) continue;
    for (uint64_t i = 0; i < manifest[t].NumElements(); ++i) {
      const uint64_t kind = rng.Below(20);
      if (kind == 0) SetValue(update, t, i, 0);
      if (kind == 1) SetValue(update, t, i, 1e-41 * rng.Normal());
      if (kind == 2) SetValue(update, t, i, 20 * rng.Normal());
    }
  }
  return update;
}

std::vector<float> FloatsOf(const PackedTensors& tensors, size_t tensor) {
  std::vector<float> values(tensors.manifest()[tensor].NumElements());
  for (uint64_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(ValueAt(tensors, tensor, i));
  }
  return values;
}

bool SameTensor(const PackedTensors& a, const PackedTensors& b, size_t tensor) {
  return std::ranges::equal(a.tensor(tensor), b.tensor(tensor));
}

std::vector<std::byte> BytesOf(const EncodedTensors& encoded) {
  return {encoded.bytes.begin(), encoded.bytes.end()};
}

bool Mentions(const absl::Status& status, const std::string& text) {
  return Message(status).find(text) != std::string::npos;
}

}  // namespace

void CodecChecks::SetUp() {
  pipeline_ = GetParam().make();
  ASSERT_NE(pipeline_, nullptr);
  update_ = UnevenUpdate(SampleManifest(), kSeed);
}

absl::StatusOr<EncodedTensors> CodecChecks::Encode(const PackedTensors& tensors,
                                                   const CodecContext& context) {
  CodecState state(tensors.manifest());
  return pipeline_->Encode(tensors, context, buffers_, &state);
}

absl::StatusOr<PackedTensors> CodecChecks::Decode(std::span<const std::byte> payload,
                                                  const Manifest& manifest) {
  return pipeline_->Decode(payload, manifest, buffers_);
}

PackedTensors CodecChecks::Received(const PackedTensors& tensors, const CodecContext& context) {
  const auto zeros = [&] {
    return Filled(tensors.manifest(), [](size_t, uint64_t) { return 0.0; });
  };
  const auto encoded = Encode(tensors, context);
  EXPECT_TRUE(encoded.ok()) << encoded.status();
  if (!encoded.ok()) return zeros();
  auto decoded = Decode(encoded->bytes, tensors.manifest());
  EXPECT_TRUE(decoded.ok()) << decoded.status();
  return decoded.ok() ? *std::move(decoded) : zeros();
}

void CodecChecks::ExpectRefusedOrSound(std::span<const std::byte> payload,
                                       const Manifest& manifest) {
  // In a block of its own, so that a sanitizer sees a read beyond it.
  const std::vector<std::byte> own(payload.begin(), payload.end());
  const auto decoded = Decode(own, manifest);
  if (!decoded.ok()) {
    const absl::StatusCode code = decoded.status().code();
    EXPECT_TRUE(code == absl::StatusCode::kInvalidArgument ||
                (pipeline_->has_delta() && code == absl::StatusCode::kFailedPrecondition))
        << decoded.status();
    EXPECT_TRUE(Mentions(decoded.status(), "tensor '") || Mentions(decoded.status(), "payload"))
        << decoded.status();
    return;
  }
  EXPECT_EQ(decoded->manifest(), manifest);
  for (size_t t = 0; t < manifest.size(); ++t) {
    if (!IsFloat(manifest[t].dtype)) continue;
    for (const float v : FloatsOf(*decoded, t)) ASSERT_TRUE(std::isfinite(v)) << manifest[t].name;
  }
}

void CodecChecks::ComesBackWithinItsLoss() {
  const PackedTensors received = Received(update_, {.seed = kSeed, .round = 3, .sender = 5});
  ASSERT_EQ(received.manifest(), update_.manifest());
  for (size_t t = 0; t < update_.manifest().size(); ++t) {
    const TensorInfo& info = update_.manifest()[t];
    if (!IsParameter(info)) continue;
    const std::vector<float> sent = FloatsOf(update_, t), got = FloatsOf(received, t);
    const double most = GetParam().max_error ? GetParam().max_error(sent) : 0;
    for (size_t i = 0; i < sent.size(); ++i) {
      ASSERT_LE(std::abs(double{got[i]} - sent[i]), most) << info.name << " at " << i;
    }
  }
}

void CodecChecks::BuffersAndWholeNumbersComeBackExactly() {
  const PackedTensors received = Received(update_);
  for (size_t t = 0; t < update_.manifest().size(); ++t) {
    const TensorInfo& info = update_.manifest()[t];
    EXPECT_TRUE(IsParameter(info) || SameTensor(received, update_, t)) << info.name;
  }
}

void CodecChecks::EqualCallsGiveEqualBytes() {
  const CodecContext context{.seed = 1, .round = 2, .sender = 3};
  const auto first = Encode(update_, context);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::vector<std::byte> bytes = BytesOf(*first);
  ASSERT_TRUE(Encode(UnevenUpdate(update_.manifest(), kSeed + 1), {.round = 9}).ok());
  const auto again = Encode(Copied(update_), context);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(BytesOf(*again), bytes);
  pipeline_ = GetParam().make();
  const auto of_another = Encode(update_, context);
  ASSERT_TRUE(of_another.ok());
  EXPECT_EQ(BytesOf(*of_another), bytes);
  const auto a = Decode(bytes, update_.manifest()), b = Decode(bytes, update_.manifest());
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(SameBytes(*a, *b));
}

void CodecChecks::ThreadsMayShareIt() {
  const PackedTensors expected = Received(update_, {.round = 1});
  std::atomic<int> same{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int time = 0; time < 5; ++time) {
        const auto encoded = Encode(update_, {.round = 1});
        if (!encoded.ok()) continue;
        const auto decoded = Decode(encoded->bytes, update_.manifest());
        if (decoded.ok() && SameBytes(*decoded, expected)) ++same;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, 20);
}

void CodecChecks::StaysWithinItsBound() {
  Rng rng(kSeed + 2);
  for (int trial = 0; trial < 60; ++trial) {
    std::vector<TensorInfo> infos;
    for (uint64_t t = 0, count = rng.Below(6); t < count; ++t) {
      TensorInfo info{"t" + std::to_string(t), DType::kFloat32, {}};
      if (rng.Below(4) == 0) info.dtype = DType::kInt16;
      if (rng.Below(5) > 0) info.shape.push_back(static_cast<int64_t>(rng.Below(2000)));
      infos.push_back(info);
    }
    const Manifest manifest = MakeManifest(infos);
    // What compresses badly, and what does not compress at all.
    PackedTensors tensors = RandomModel(manifest, 1, rng);
    for (std::byte& byte : tensors.mutable_bytes()) {
      byte = static_cast<std::byte>(rng.Next() & 0x3f);
    }
    const auto encoded = Encode(tensors, {.round = static_cast<uint64_t>(trial)});
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    EXPECT_LE(encoded->bytes.size(), pipeline_->MaxBytes(manifest));
    std::vector<std::byte> longer = BytesOf(*encoded);
    EXPECT_TRUE(Decode(longer, manifest).ok());
    longer.resize(pipeline_->MaxBytes(manifest) + 1);
    EXPECT_EQ(Decode(longer, manifest).status().code(), absl::StatusCode::kInvalidArgument);
  }
}

void CodecChecks::EmptyScalarAndZeroTensorsComeBack() {
  const Manifest manifest = MakeManifest({{"nothing", DType::kFloat32, {0}},
                                          {"scalar", DType::kFloat32, {}},
                                          {"none", DType::kInt64, {3, 0}, TensorRole::kBuffer},
                                          {"zeros", DType::kFloat32, {700}},
                                          {"one", DType::kFloat32, {1, 1}}});
  const PackedTensors update =
      Filled(manifest, [&](size_t t, uint64_t) { return manifest[t].name == "zeros" ? 0 : 0.5; });
  const PackedTensors received = Received(update);
  const std::vector<float> half = {0.5f};
  const double most = GetParam().max_error ? GetParam().max_error(half) : 0;
  EXPECT_NEAR(ValueAt(received, 1, 0), 0.5, most);
  EXPECT_NEAR(ValueAt(received, 4, 0), 0.5, most);
  EXPECT_TRUE(SameTensor(received, update, 3)) << "zeros are sent exactly";
  const PackedTensors none{Manifest()};
  EXPECT_TRUE(SameBytes(Received(none), none));
}

void CodecChecks::TensorsDoNotDependOnEachOther() {
  const PackedTensors received = Received(update_);
  PackedTensors changed = Copied(update_);
  const size_t last = update_.manifest().size() - 1;
  for (uint64_t i = 0; i < update_.manifest()[last].NumElements(); ++i) {
    SetValue(changed, last, i, 3 - ValueAt(update_, last, i));
  }
  const PackedTensors other = Received(changed);
  for (size_t t = 0; t < last; ++t) {
    EXPECT_TRUE(SameTensor(other, received, t)) << update_.manifest()[t].name;
  }
  EXPECT_FALSE(SameTensor(other, received, last));
}

void CodecChecks::RefusesNanAndInfinityNamingThePlace() {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  for (size_t t = 0; t < update_.manifest().size(); ++t) {
    const TensorInfo& info = update_.manifest()[t];
    if (!IsFloat(info.dtype) || info.NumElements() == 0) continue;
    const uint64_t last = info.NumElements() - 1;
    for (const double bad : {std::nan(""), kInf, -kInf}) {
      PackedTensors update = Copied(update_);
      SetValue(update, t, last, bad);
      CodecState state(update.manifest());
      const absl::Status status = pipeline_->Encode(update, {}, buffers_, &state).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << info.name << " " << bad;
      EXPECT_TRUE(Mentions(status, "'" + info.name + "'")) << status;
      EXPECT_TRUE(Mentions(status, "index " + std::to_string(last))) << status;
      EXPECT_TRUE(Mentions(status, std::isnan(bad) ? "NaN" : "Inf")) << status;
      EXPECT_FALSE(state.pending());
    }
  }
}

void CodecChecks::CutPayloadsAreRefused() {
  const auto encoded = Encode(update_);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  const std::vector<std::byte> whole = BytesOf(*encoded);
  Rng rng(kSeed + 3);
  for (int trial = 0; trial < 400; ++trial) {
    const size_t size =
        trial < 200 ? std::min<size_t>(trial, whole.size() - 1) : rng.Below(whole.size());
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size));
    EXPECT_EQ(Decode(cut, update_.manifest()).status().code(), absl::StatusCode::kInvalidArgument)
        << size << " of " << whole.size() << " bytes";
  }
  std::vector<std::byte> longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_EQ(Decode(longer, update_.manifest()).status().code(), absl::StatusCode::kInvalidArgument);
}

void CodecChecks::ChangedPayloadsAreRefusedOrSound() {
  const auto encoded = Encode(update_);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  Rng rng(kSeed + 4);
  for (int trial = 0; trial < 1500; ++trial) {
    std::vector<std::byte> bytes = BytesOf(*encoded);
    // Most changes where the structure is, which is at the beginning of records.
    const size_t reach = trial % 3 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 400);
    for (uint64_t change = 0, changes = 1 + rng.Below(4); change < changes; ++change) {
      const uint64_t kind = rng.Below(4);
      bytes[rng.Below(reach)] = kind == 0   ? std::byte{0xff}
                                : kind == 1 ? std::byte{0x00}
                                : kind == 2 ? std::byte{0x80}
                                            : static_cast<std::byte>(rng.Next());
    }
    ExpectRefusedOrSound(bytes, update_.manifest());
  }
}

void CodecChecks::PayloadsOfOtherTensorsAreRefused() {
  const auto encoded = Encode(update_);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  std::vector<TensorInfo> other = update_.manifest().tensors();
  other.back().shape.push_back(2);
  EXPECT_EQ(Decode(encoded->bytes, MakeManifest(other)).status().code(),
            absl::StatusCode::kInvalidArgument);
  other.pop_back();
  EXPECT_EQ(Decode(encoded->bytes, MakeManifest(other)).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace skein::testing
