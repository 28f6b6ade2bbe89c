#include <gtest/gtest.h>

#include "skein/runtime/shared_models.h"
#include "skein/tensor/digest.h"
#include "unit/runtime/link_samples.h"

namespace skein {
namespace {

std::shared_ptr<const PackedTensors> Share(SharedModels& models, const PackedTensors& model) {
  return models.Share(TransferDigest(model.bytes()), model);
}

TEST(SharedModels, EqualModelsAreHeldOnce) {
  SharedModels models;
  const auto first = Share(models, SampleTensors(1000, 1));
  const auto second = Share(models, SampleTensors(1000, 1));
  EXPECT_EQ(first->bytes().data(), second->bytes().data());
}

TEST(SharedModels, TheBlockOfAnEqualModelGoesBackToThePool) {
  BufferPool pool;
  SharedModels models;
  const PackedTensors sample = SampleTensors(1000, 1);
  const auto received = [&] {
    PackedTensors model(sample.manifest(), pool);
    std::ranges::copy(sample.bytes(), model.mutable_bytes().begin());
    return model;
  };
  const std::string digest = TransferDigest(sample.bytes());
  const auto first = models.Share(digest, received());
  EXPECT_EQ(pool.idle_bytes(), 0u);
  const auto second = models.Share(digest, received());
  EXPECT_GT(pool.idle_bytes(), 0u);
}

TEST(SharedModels, OtherModelsAreNotMixedUp) {
  SharedModels models;
  const auto first = Share(models, SampleTensors(1000, 1));
  const auto second = Share(models, SampleTensors(1000, 2));
  EXPECT_NE(first->bytes().data(), second->bytes().data());
  EXPECT_EQ(TransferDigest(second->bytes()), TransferDigest(SampleTensors(1000, 2).bytes()));
}

TEST(SharedModels, AModelGoesWithItsLastHolder) {
  BufferPool pool;
  SharedModels models;
  auto held = models.Share("digest", PackedTensors(SampleTensors(1000, 1).manifest(), pool));
  held.reset();
  EXPECT_GT(pool.idle_bytes(), 0u);
}

}  // namespace
}  // namespace skein
