#ifndef SKEIN_TESTS_SUPPORT_FORMULA_TRAINER_H_
#define SKEIN_TESTS_SUPPORT_FORMULA_TRAINER_H_

#include <cstring>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "skein/base/random.h"
#include "skein/runtime/trainer.h"
#include "skein/strategy/contribution.h"

namespace skein {

// A stand-in for a learner whose updates are a formula of (run seed, leaf, seq, base), so that a
// test can say by itself what a round must make of them. The model has parameters of two shapes, a
// float buffer, and an integer counter.

inline constexpr uint64_t kFormulaMaxSamples = 1000;

inline PackedTensors FormulaModel() {
  PackedTensors model(
      Manifest::Create({{"weight", DType::kFloat32, {13, 7}, TensorRole::kParameter},
                        {"bias", DType::kFloat32, {7}, TensorRole::kParameter},
                        {"running", DType::kFloat32, {7}, TensorRole::kBuffer},
                        {"steps", DType::kInt64, {}, TensorRole::kBuffer}})
          .value());
  std::memset(model.mutable_bytes().data(), 0, model.bytes().size());
  return model;
}

inline std::vector<float> FloatsOf(const PackedTensors& tensors, size_t tensor) {
  std::vector<float> values(tensors.manifest()[tensor].NumElements());
  std::memcpy(values.data(), tensors.tensor(tensor).data(), values.size() * sizeof(float));
  return values;
}

inline uint64_t FormulaSamples(uint64_t seed, LeafIndex leaf) {
  return 1 + DeriveSeed(seed, {leaf}) % kFormulaMaxSamples;
}

// The update of one task: differences that pull towards the leaf's own target, as training does.
inline PackedTensors FormulaUpdate(uint64_t seed, LeafIndex leaf, Seq seq,
                                   const PackedTensors& base) {
  PackedTensors update(base.manifest());
  Rng rng(DeriveSeed(seed, {leaf, seq}));
  for (size_t t = 0; t < 3; ++t) {
    std::vector<float> values = FloatsOf(base, t);
    for (float& value : values) {
      const float target = static_cast<float>(rng.Normal() * 0.1);
      value = t == 2 ? target : 0.25f * (target - value);
    }
    std::memcpy(update.mutable_tensor(t).data(), values.data(), values.size() * sizeof(float));
  }
  int64_t steps = 0;
  std::memcpy(&steps, base.tensor(3).data(), sizeof(steps));
  steps += 1 + static_cast<int64_t>(leaf % 3);
  std::memcpy(update.mutable_tensor(3).data(), &steps, sizeof(steps));
  return update;
}

class FormulaTrainer : public Trainer {
 public:
  FormulaTrainer(uint64_t seed, LeafIndex leaf) : seed_(seed), leaf_(leaf) {}

  absl::StatusOr<PackedTensors> Initialize() override { return FormulaModel(); }
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override {
    return TrainOutput{FormulaUpdate(seed_, leaf_, request.seq, base),
                       FormulaSamples(seed_, leaf_),
                       {{"loss", 1.0 / static_cast<double>(request.round)}}};
  }
  absl::StatusOr<EvalOutput> Evaluate(const PackedTensors& model, const TrainRequest&) override {
    return EvalOutput{FormulaSamples(seed_, leaf_), {{"bias", FloatsOf(model, 1)[0]}}};
  }

 private:
  const uint64_t seed_;
  const LeafIndex leaf_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_SUPPORT_FORMULA_TRAINER_H_
