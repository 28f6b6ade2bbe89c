#include <algorithm>
#include <cmath>

#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/testing/codec_checks.h"
#include "testing/delta_receiver.h"
#include "testing/fold_samples.h"

// The checks of what is kept from one payload to the next.

namespace skein::testing {
namespace {

constexpr uint64_t kSeed = 20260203;

// Of the errors, that which belongs to a tensor of the update.
std::vector<size_t> ErrorTensors(const Manifest& update, const PackedTensors& errors) {
  std::vector<size_t> of(update.size());
  for (size_t t = 0; t < update.size(); ++t) {
    of[t] = errors.manifest().Find(update[t].name).value_or(errors.manifest().size());
  }
  return of;
}

}  // namespace

void CodecChecks::NeedsItsErrors() {
  EXPECT_EQ(pipeline_->Encode(update_, {}, buffers_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  CodecState of_other(MakeManifest({{"other", DType::kFloat32, {2}}}));
  EXPECT_EQ(pipeline_->Encode(update_, {}, buffers_, &of_other).status().code(),
            absl::StatusCode::kInvalidArgument);
}

void CodecChecks::ErrorsChangeOnlyWhenCommitted() {
  CodecState state(update_.manifest());
  const PackedTensors nothing = Copied(state.errors());
  const auto first = pipeline_->Encode(update_, {}, buffers_, &state);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_TRUE(state.pending());
  EXPECT_TRUE(SameBytes(state.errors(), nothing));
  EXPECT_EQ(pipeline_->Encode(update_, {}, buffers_, &state).status().code(),
            absl::StatusCode::kFailedPrecondition);
  state.Rollback();
  EXPECT_TRUE(SameBytes(state.errors(), nothing));
  const auto again = pipeline_->Encode(update_, {}, buffers_, &state);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(std::ranges::equal(again->bytes, first->bytes));
  EXPECT_TRUE(state.Commit().ok());
  EXPECT_FALSE(state.pending());
  EXPECT_FALSE(SameBytes(state.errors(), nothing));
  EXPECT_EQ(state.Commit().code(), absl::StatusCode::kFailedPrecondition);
}

void CodecChecks::WhatIsReceivedAndOwedIsAll() {
  const Manifest& manifest = update_.manifest();
  CodecState state(manifest);
  const std::vector<size_t> error_of = ErrorTensors(manifest, state.errors());
  for (uint64_t round = 0; round < 5; ++round) {
    const PackedTensors before = Copied(state.errors());
    const auto encoded = pipeline_->Encode(update_, {.round = round}, buffers_, &state);
    ASSERT_TRUE(encoded.ok()) << encoded.status();
    ASSERT_TRUE(state.Commit().ok());
    const auto received = Decode(encoded->bytes, manifest);
    ASSERT_TRUE(received.ok()) << received.status();
    for (size_t t = 0; t < manifest.size(); ++t) {
      if (error_of[t] == state.errors().manifest().size()) continue;
      for (uint64_t i = 0; i < manifest[t].NumElements(); ++i) {
        const double p = ValueAt(update_, t, i) + ValueAt(before, error_of[t], i);
        const double q = ValueAt(*received, t, i) + ValueAt(state.errors(), error_of[t], i);
        ASSERT_NEAR(q, p, 1e-6 * std::abs(p) + 1e-6 * std::abs(ValueAt(*received, t, i)) + 1e-38)
            << manifest[t].name << " at " << i << " in round " << round;
      }
    }
  }
}

void CodecChecks::ErrorsSurviveAsAFile() {
  CodecState state(update_.manifest());
  ASSERT_TRUE(pipeline_->Encode(update_, {}, buffers_, &state).ok());
  ASSERT_TRUE(state.Commit().ok());
  auto again = CodecState::FromBytes(state.ToBytes(), update_.manifest());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(SameBytes(again->errors(), state.errors()));
  const auto a = pipeline_->Encode(update_, {.round = 1}, buffers_, &state);
  const auto b = pipeline_->Encode(update_, {.round = 1}, buffers_, &*again);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_TRUE(std::ranges::equal(a->bytes, b->bytes));
}

void CodecChecks::TheMeanOfManySendersNears() {
  const Manifest manifest = MakeManifest({{"w", DType::kFloat32, {48}}});
  Rng rng(kSeed);
  const PackedTensors update = RandomModel(manifest, 1, rng);
  constexpr int kSenders = 4000;
  std::vector<double> sum(48), squares(48);
  for (uint64_t sender = 0; sender < kSenders; ++sender) {
    const PackedTensors received = Received(update, {.seed = kSeed, .round = 1, .sender = sender});
    for (uint64_t i = 0; i < sum.size(); ++i) {
      const double error = ValueAt(received, 0, i) - ValueAt(update, 0, i);
      sum[i] += error;
      squares[i] += error * error;
    }
  }
  for (uint64_t i = 0; i < sum.size(); ++i) {
    const double value = std::abs(ValueAt(update, 0, i));
    // Five deviations of the mean, as they were observed, and float32's rounding.
    EXPECT_LE(std::abs(sum[i]) / kSenders, 5 * std::sqrt(squares[i]) / kSenders + value * 0x1p-20)
        << "at " << i;
  }
}

void CodecChecks::BothEndsHoldTheSameModel() {
  DeltaLink link(pipeline_);
  DeltaReceiver receiver(pipeline_);
  Rng rng(kSeed + 1);
  PackedTensors model = RandomModel(MixedManifest(), 0.1, rng);
  for (uint64_t version = 0; version < 6; ++version) {
    const auto payload =
        link.Encode(model, {.version = version}, {.seed = kSeed, .round = version}, buffers_);
    ASSERT_TRUE(payload.ok()) << payload.status();
    EXPECT_LE(payload->bytes.size(), pipeline_->MaxBytes(model.manifest()));
    const auto received =
        receiver.Decode(payload->bytes, {.version = version}, model.manifest(), buffers_);
    ASSERT_TRUE(received.ok()) << received.status();
    ASSERT_TRUE(link.Commit().ok());
    EXPECT_TRUE(SameBytes(*received, link.held()->tensors)) << "version " << version;
    EXPECT_TRUE(SameBytes(*received, model) || (pipeline_->lossy() && version > 0));
    PackedTensors next = Copied(model);
    for (size_t t = 0; t < next.manifest().size(); ++t) {
      if (!IsFloat(next.manifest()[t].dtype)) continue;
      for (uint64_t i = 0; i < next.manifest()[t].NumElements(); ++i) {
        SetValue(next, t, i, ValueAt(model, t, i) + 0.01 * rng.Normal());
      }
    }
    model = std::move(next);
  }
}

void CodecChecks::ChangedDifferencesAreRefusedOrSound() {
  Rng rng(kSeed + 2);
  const HeldModel base = HeldModel::Of({.version = 1}, RandomModel(MixedManifest(), 0.1, rng));
  const PackedTensors model = RandomModel(MixedManifest(), 0.1, rng);
  const auto encoded = pipeline_->EncodeDelta(model, base, {}, buffers_);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  for (int trial = 0; trial < 1500; ++trial) {
    std::vector<std::byte> bytes(encoded->bytes.begin(), encoded->bytes.end());
    const size_t reach = trial % 3 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 400);
    for (uint64_t change = 0, changes = 1 + rng.Below(3); change < changes; ++change) {
      bytes[rng.Below(reach)] = static_cast<std::byte>(rng.Below(2) == 0 ? 0xff : rng.Next());
    }
    const auto decoded = pipeline_->Decode(bytes, model.manifest(), buffers_, {&base, 1});
    if (decoded.ok()) continue;
    EXPECT_TRUE(decoded.status().code() == absl::StatusCode::kInvalidArgument ||
                decoded.status().code() == absl::StatusCode::kFailedPrecondition)
        << decoded.status();
  }
}

}  // namespace skein::testing
