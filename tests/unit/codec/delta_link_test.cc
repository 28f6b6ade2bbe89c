#include "skein/codec/delta_link.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "testing/delta_receiver.h"
#include "testing/fold_samples.h"
#include "unit/codec/codec_samples.h"

namespace skein {
namespace {

using testing::SameBytes;

// A model that moves a little from version to version, with every type of element.
class Walk {
 public:
  Walk() : rng_(21), model_(testing::RandomModel(testing::MixedManifest(), 0.5, rng_)) {}
  const PackedTensors& model() const { return model_; }
  void Step() {
    PackedTensors next = testing::Copied(model_);
    for (size_t t = 0; t < next.manifest().size(); ++t) {
      const TensorInfo& info = next.manifest()[t];
      for (uint64_t i = 0; i < info.NumElements(); ++i) {
        const double x = testing::ValueAt(model_, t, i);
        testing::SetValue(next, t, i, IsFloat(info.dtype) ? x + 0.01 * rng_.Normal() : x);
      }
    }
    model_ = std::move(next);
  }

 private:
  Rng rng_;
  PackedTensors model_;
};

// The largest difference among float32 parameters.
double Distance(const PackedTensors& a, const PackedTensors& b) {
  double most = 0;
  for (size_t t = 0; t < a.manifest().size(); ++t) {
    if (a.manifest()[t].dtype != DType::kFloat32) continue;
    for (uint64_t i = 0; i < a.manifest()[t].NumElements(); ++i) {
      most = std::max(most, std::abs(testing::ValueAt(a, t, i) - testing::ValueAt(b, t, i)));
    }
  }
  return most;
}

TEST(DeltaLink, DoesNotDriftOverFiftyVersions) {
  for (const auto& parts :
       std::vector<std::vector<PartSpec>>{{{"delta"}, {"int8"}},
                                          {{"delta"}, {"int4"}, {"zstd"}},
                                          {{"delta"}, {"fp16"}},
                                          {{"delta"}, {"topk", {{"ratio", 0.2}}}, {"int8"}}}) {
    const auto pipeline = Pipeline(parts);
    DeltaLink link(pipeline);
    testing::DeltaReceiver receiver(pipeline);
    BufferPool buffers;
    Walk walk;
    double early = 0, late = 0;
    for (uint64_t version = 0; version < 50; ++version, walk.Step()) {
      const auto payload =
          link.Encode(walk.model(), {.version = version}, {.round = version}, buffers);
      ASSERT_TRUE(payload.ok()) << payload.status();
      const auto received =
          receiver.Decode(payload->bytes, {.version = version}, walk.model().manifest(), buffers);
      ASSERT_TRUE(received.ok()) << received.status();
      ASSERT_TRUE(link.Commit().ok());
      ASSERT_TRUE(SameBytes(*received, link.held()->tensors)) << version;
      EXPECT_EQ(version == 0, SameBytes(*received, walk.model())) << "the first is whole";
      const double distance = Distance(*received, walk.model());
      (version < 25 ? early : late) = std::max(version < 25 ? early : late, distance);
    }
    // Steps are 0.01 N(0,1): what one payload loses stays within that, however many there were.
    EXPECT_LT(late, 0.12) << pipeline->form();
    EXPECT_LT(late, 2 * early + 1e-6) << pipeline->form();
  }
}

TEST(DeltaLink, LosesNothingWithoutALossyStage) {
  const auto pipeline = Pipeline({{"delta"}, {"zstd"}});
  EXPECT_FALSE(pipeline->lossy());
  DeltaLink link(pipeline);
  testing::DeltaReceiver receiver(pipeline);
  BufferPool buffers;
  Walk walk;
  for (uint64_t version = 0; version < 5; ++version, walk.Step()) {
    const auto payload = link.Encode(walk.model(), {.version = version}, {}, buffers);
    ASSERT_TRUE(payload.ok()) << payload.status();
    const auto received =
        receiver.Decode(payload->bytes, {.version = version}, walk.model().manifest(), buffers);
    ASSERT_TRUE(received.ok()) << received.status();
    EXPECT_TRUE(SameBytes(*received, walk.model())) << version;
    ASSERT_TRUE(link.Commit().ok());
  }
}

TEST(DeltaLink, WhatDidNotArriveIsInTheNextDifference) {
  const auto pipeline = Pipeline({{"delta"}, {"int8"}});
  DeltaLink link(pipeline);
  testing::DeltaReceiver receiver(pipeline);
  BufferPool buffers;
  Walk walk;
  const Manifest manifest = walk.model().manifest();
  ASSERT_TRUE(receiver
                  .Decode(link.Encode(walk.model(), {.version = 0}, {}, buffers)->bytes,
                          {.version = 0}, manifest, buffers)
                  .ok());
  ASSERT_TRUE(link.Commit().ok());
  EXPECT_EQ(link.Commit().code(), absl::StatusCode::kFailedPrecondition);

  walk.Step();
  ASSERT_TRUE(link.Encode(walk.model(), {.version = 1}, {.round = 1}, buffers).ok());
  EXPECT_EQ(link.Encode(walk.model(), {.version = 1}, {.round = 1}, buffers).status().code(),
            absl::StatusCode::kFailedPrecondition);
  link.Rollback();
  walk.Step();
  const auto payload = link.Encode(walk.model(), {.version = 2}, {.round = 2}, buffers);
  const auto received = receiver.Decode(payload->bytes, {.version = 2}, manifest, buffers);
  ASSERT_TRUE(received.ok()) << received.status();
  EXPECT_LT(Distance(*received, walk.model()), 0.002);
}

TEST(DeltaLink, ADifferenceToWhatIsNotThereIsRefused) {
  const auto pipeline = Pipeline({{"delta"}, {"int8"}});
  DeltaLink link(pipeline);
  BufferPool buffers;
  Walk walk;
  const Manifest manifest = walk.model().manifest();
  const auto whole = link.Encode(walk.model(), {.version = 4}, {}, buffers);
  ASSERT_TRUE(link.Commit().ok());
  walk.Step();
  const auto difference = link.Encode(walk.model(), {.version = 5}, {.round = 1}, buffers);
  ASSERT_TRUE(difference.ok());

  testing::DeltaReceiver stranger(pipeline);
  const auto refused =
      stranger.Decode(difference->bytes, {.version = 5}, manifest, buffers).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(Message(refused).find("v4"), std::string::npos) << refused;
  // The same version, another model.
  const HeldModel other = HeldModel::Of({.version = 4}, testing::Copied(walk.model()));
  EXPECT_EQ(pipeline->Decode(difference->bytes, manifest, buffers, {&other, 1}).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // The whole one needs nothing.
  EXPECT_TRUE(stranger.Decode(whole->bytes, {.version = 4}, manifest, buffers).ok());
  EXPECT_TRUE(stranger.Decode(difference->bytes, {.version = 5}, manifest, buffers).ok());
  // What it was given by other means is a base like any other.
  link.Hold({.version = 5}, testing::Copied(walk.model()));
  walk.Step();
  const auto next = link.Encode(walk.model(), {.version = 6}, {.round = 2}, buffers);
  ASSERT_TRUE(next.ok());
  const HeldModel held = *link.held();
  EXPECT_TRUE(pipeline->Decode(next->bytes, manifest, buffers, {&held, 1}).ok());
}

TEST(DeltaLink, NeedsTheStage) {
  DeltaLink link(Pipeline({{"int8"}}));
  BufferPool buffers;
  EXPECT_EQ(link.Encode(Update({1}), {}, {}, buffers).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(DeltaLink, AnUnchangedModelCostsNextToNothing) {
  const auto pipeline = Pipeline({{"delta"}, {"int8"}});
  DeltaLink link(pipeline);
  BufferPool buffers;
  Walk walk;
  ASSERT_TRUE(link.Encode(walk.model(), {.version = 0}, {}, buffers).ok());
  ASSERT_TRUE(link.Commit().ok());
  const auto again = link.Encode(walk.model(), {.version = 1}, {.round = 1}, buffers);
  ASSERT_TRUE(again.ok());
  EXPECT_LT(again->bytes.size(), 80u);
}

}  // namespace
}  // namespace skein
