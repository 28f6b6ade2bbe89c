// Whole federations in virtual time that take the median of the updates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/sim_federation.h"

namespace skein {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

RunConfig MedianConfig(uint64_t rounds, const ValueMap& params) {
  RunConfig config = SimFederation::Config(rounds);
  config.strategy.fold = {"median", params};
  return config;
}

std::string DigestOf(const RunConfig& config) {
  SimFederation federation({.topology = Tree("flat:9"), .config = config});
  EXPECT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  EXPECT_THAT(federation.EventsOf(event::kUpdateAccepted), SizeIs(9 * config.rounds));
  federation.ExpectReproducible();
  return federation.Digest();
}

TEST(SimMedian, IsTheSameHeldInMemoryAndInAFile) {
  const std::string in_memory = DigestOf(MedianConfig(4, {}));
  EXPECT_THAT(in_memory, SizeIs(64));
  EXPECT_EQ(DigestOf(MedianConfig(4, {{"memory_mb", 0}})), in_memory);
  RunConfig mean = SimFederation::Config(4);
  mean.strategy.fold = {"mean", {}};
  EXPECT_NE(DigestOf(mean), in_memory);
}

// Says that everything has moved by 1000, with as many samples as it may.
class Liar : public FormulaTrainer {
 public:
  using FormulaTrainer::FormulaTrainer;
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override {
    SKEIN_ASSIGN_OR_RETURN(TrainOutput output, FormulaTrainer::Train(base, request));
    const std::vector<float> bias(7, 1000.0f);
    std::memcpy(output.update.mutable_tensor(1).data(), bias.data(), 7 * sizeof(float));
    output.num_samples = kFormulaMaxSamples;
    return output;
  }
};

TEST(SimMedian, AFewLiarsDoNotMoveTheModelFar) {
  SimFederation::Options options{.topology = Tree("flat:9"), .config = MedianConfig(4, {})};
  options.trainer = [](const NodeView& view) -> std::unique_ptr<Trainer> {
    const bool liar = view.role == NodeRole::kWorker && view.leaf_begin % 3 == 1;
    return liar ? std::make_unique<Liar>(1, view.leaf_begin) : nullptr;
  };
  SimFederation federation(options);
  ASSERT_TRUE(federation.Run());
  ASSERT_EQ(federation.outcome().status, "completed") << federation.outcome().reason;
  const auto evaluated = federation.EventsOf(event::kEvaluated);
  ASSERT_FALSE(evaluated.empty());
  for (const Event& event : evaluated) {
    EXPECT_LT(std::abs(*event.fields.at("metrics").AsMap()->at("bias").AsDouble()), 1);
  }
}

// No update can be held: each is refused for that, and the run says so.
TEST(SimMedian, WithoutADiskForTheUpdatesTheRunFailsAndSaysWhy) {
  SimFederation federation(
      {.topology = Tree("flat:3"),
       .config = MedianConfig(2, {{"memory_mb", 0}, {"spill_dir", "/no/such/directory"}})});
  ASSERT_TRUE(federation.Run());
  EXPECT_EQ(federation.outcome().status, "failed");
  EXPECT_THAT(federation.outcome().reason,
              HasSubstr("/no/such/directory: cannot create a file for updates"));
  const auto rejected = federation.EventsOf(event::kUpdateRejected);
  ASSERT_FALSE(rejected.empty());
  EXPECT_THAT(*rejected[0].fields.at("reason").AsString(), HasSubstr("strategy.fold.spill_dir"));
}

}  // namespace
}  // namespace skein
