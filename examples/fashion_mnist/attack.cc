#include "attack.h"

#include <cmath>
#include <string>
#include <utility>

#include <ATen/ATen.h>

namespace {

class SignFlipper : public skein::Learner {
 public:
  SignFlipper(std::unique_ptr<skein::Learner> honest, double scale)
      : honest_(std::move(honest)), scale_(scale) {}

  absl::StatusOr<skein::StateDict> Initialize(skein::InitContext& context) override {
    return honest_->Initialize(context);
  }
  absl::StatusOr<skein::TrainResult> Train(const skein::StateDict& global,
                                           skein::TrainContext& context) override {
    SKEIN_ASSIGN_OR_RETURN(const skein::StateDict before, Copied(global));
    SKEIN_ASSIGN_OR_RETURN(skein::TrainResult result, honest_->Train(global, context));
    const at::NoGradGuard no_grad;
    for (const skein::StateDict::Entry& entry : result.model.entries()) {
      if (!entry.tensor.is_floating_point()) continue;
      SKEIN_ASSIGN_OR_RETURN(const at::Tensor from, before.Get(entry.name));
      at::Tensor sent = entry.tensor;
      sent.copy_(from - scale_ * (sent - from));
    }
    return result;
  }
  absl::StatusOr<skein::EvalResult> Evaluate(const skein::StateDict& model,
                                             skein::EvalContext& context) override {
    return honest_->Evaluate(model, context);
  }
  bool UsesGlobalRng() const override { return honest_->UsesGlobalRng(); }

 private:
  // Tensors of its own: training may be in place.
  static absl::StatusOr<skein::StateDict> Copied(const skein::StateDict& model) {
    SKEIN_ASSIGN_OR_RETURN(const skein::PackedTensors packed, model.Pack());
    return skein::StateDict::Unpack(packed);
  }

  const std::unique_ptr<skein::Learner> honest_;
  const double scale_;
};

// Of `workers`, the share that attacks: the first ones, or spread evenly over all.
bool Attacks(double share, bool spread, uint64_t leaf, uint64_t workers) {
  if (!spread) return static_cast<double>(leaf) < std::round(share * static_cast<double>(workers));
  const auto before = [share](uint64_t leaves) {
    return std::floor(share * static_cast<double>(leaves) + 1e-9);
  };
  return before(leaf + 1) > before(leaf);
}

}  // namespace

Attack Attack::Of(const skein::WorkerContext& context) {
  const skein::Params& params = context.params;
  const std::string kind = params.StringOr("attack", "none");
  const bool spread = params.StringOr("attackers_where", "spread") == "spread";
  if (kind == "none" || context.is_coordinator ||
      !Attacks(params.RealOr("attackers", 0), spread, context.leaf, context.num_workers)) {
    return {};
  }
  return {kind == "label-flip" ? Kind::kLabelFlip : Kind::kSignFlip,
          params.RealOr("attack_scale", 1)};
}

std::vector<skein::ParamSpec> Attack::Params() {
  using Type = skein::ParamSpec::Type;
  return {{.name = "attack",
           .type = Type::kString,
           .default_value = "none",
           .choices = {"none", "label-flip", "sign-flip"},
           .doc = "what attackers do: learn from wrong labels, or send the opposite of what they "
                  "learned"},
          {.name = "attackers",
           .default_value = 0.2,
           .min = 0,
           .max = 1,
           .doc = "share of the workers that attack"},
          {.name = "attackers_where",
           .type = Type::kString,
           .default_value = "spread",
           .choices = {"spread", "first"},
           .doc = "spread over all workers, or the first ones, so that they share subtrees"},
          {.name = "attack_scale",
           .default_value = 1.0,
           .min = 0,
           .max = 1000,
           .doc = "what a flipped change is multiplied by"}};
}

void FlipLabels(Images& images) { images.labels = 9 - images.labels; }

std::unique_ptr<skein::Learner> FlippingSigns(std::unique_ptr<skein::Learner> honest,
                                              double scale) {
  return std::make_unique<SignFlipper>(std::move(honest), scale);
}
