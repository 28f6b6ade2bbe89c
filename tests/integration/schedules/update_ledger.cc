#include "integration/schedules/update_ledger.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "skein/base/random.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

constexpr size_t kFloatTensors = 2;  // the counter comes after them

std::vector<float> Floats(const PackedTensors& tensors, size_t tensor) {
  std::vector<float> values(tensors.manifest()[tensor].NumElements());
  std::memcpy(values.data(), tensors.tensor(tensor).data(), values.size() * sizeof(float));
  return values;
}

}  // namespace

PackedTensors UpdateLedger::InitialModel() {
  static const Manifest manifest =
      Manifest::Create({{"weight", DType::kFloat32, {5}, TensorRole::kParameter},
                        {"running", DType::kFloat32, {2}, TensorRole::kBuffer},
                        {"steps", DType::kInt64, {}, TensorRole::kBuffer}})
          .value();
  PackedTensors model(manifest);
  std::memset(model.mutable_bytes().data(), 0, model.bytes().size());
  return model;
}

PackedTensors UpdateLedger::UpdateOf(const Entry& entry, const PackedTensors& base) {
  PackedTensors update(base.manifest());
  Rng rng(DeriveSeed(entry.nonce, {entry.leaf, entry.seq}));
  for (size_t t = 0; t < kFloatTensors; ++t) {
    const bool buffer = base.manifest()[t].role == TensorRole::kBuffer;
    std::vector<float> values = Floats(base, t);
    for (float& value : values) {
      const float target = static_cast<float>(rng.Uniform() - 0.5);
      value = buffer ? target : 0.25f * (target - value);
    }
    if (!entry.good) values.back() = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(update.mutable_tensor(t).data(), values.data(), values.size() * sizeof(float));
  }
  int64_t steps = 0;
  std::memcpy(&steps, base.tensor(kFloatTensors).data(), sizeof(steps));
  steps += 1 + static_cast<int64_t>(entry.leaf % 3);
  std::memcpy(update.mutable_tensor(kFloatTensors).data(), &steps, sizeof(steps));
  return update;
}

class UpdateLedger::LedgerTrainer : public Trainer {
 public:
  LedgerTrainer(UpdateLedger* ledger, LeafIndex leaf, double bad, uint64_t seed)
      : ledger_(ledger), leaf_(leaf), bad_(bad), seed_(seed) {}

  absl::StatusOr<PackedTensors> Initialize() override { return InitialModel(); }

  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override {
    Entry entry{.leaf = leaf_, .seq = request.seq, .nonce = ++ledger_->nonces_};
    Rng rng(DeriveSeed(seed_, {leaf_, entry.nonce}));
    entry.base_hash = Checksum(base.bytes());
    entry.samples = 1 + rng.Below(kMaxSamples);
    entry.good = rng.Uniform() >= bad_;
    PackedTensors update = UpdateOf(entry, base);
    Hold(update);
    const std::string name = "u" + std::to_string(entry.nonce);
    ledger_->entries_[name] = entry;
    return TrainOutput{std::move(update), entry.samples, {{name, 1.0}}};
  }
  absl::StatusOr<EvalOutput> Evaluate(const PackedTensors&, const TrainRequest&) override {
    return EvalOutput{1, {{"loss", 1.0}}};
  }

 private:
  void Hold(const PackedTensors& update) {
    auto& held = ledger_->held_[leaf_];
    std::erase_if(held, [](const auto& weak) { return weak.expired(); });
    held.push_back(update.owner());
    ledger_->most_held_ = std::max(ledger_->most_held_, held.size());
  }

  UpdateLedger* const ledger_;
  const LeafIndex leaf_;
  const double bad_;
  const uint64_t seed_;
};

std::unique_ptr<Trainer> UpdateLedger::NewTrainer(LeafIndex leaf, double bad, uint64_t seed) {
  return std::make_unique<LedgerTrainer>(this, leaf, bad, seed);
}

}  // namespace skein
