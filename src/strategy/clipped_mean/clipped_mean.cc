#include "strategy/clipped_mean/clipped_mean.h"

#include <memory>

#include "strategy/linear/linear_fold.h"

namespace skein {
namespace {

// delta * min(1, clip / |delta|), over all float parameters together (Sun et al. 2019, section 4).
class Clipping : public LinearScaling {
 public:
  explicit Clipping(double clip) : clip_(clip) {}
  bool NeedsNorm() const override { return true; }
  double LongestUpdate() const override { return clip_; }
  absl::StatusOr<LinearShare> ShareOf(const UpdateHeader&, double norm) const override {
    return LinearShare{.scale = norm > clip_ ? clip_ / norm : 1.0, .scalars = {}};
  }

 private:
  const double clip_;
};

ParamSchema Schema() {
  std::vector<ParamSpec> specs = LinearSchema().specs();
  specs.push_back({.name = "clip",
                   .type = ParamSpec::Type::kReal,
                   .required = true,
                   .min = 1e-30,
                   .max = 1e30,
                   .doc = "longer updates are shortened to this L2 norm"});
  specs.push_back({.name = "weights",
                   .type = ParamSpec::Type::kString,
                   .default_value = "uniform",
                   .choices = {"uniform", "samples"},
                   .doc = "whether all updates count the same; a worker may say what it likes of "
                          "its samples"});
  return ParamSchema(std::move(specs));
}

}  // namespace

absl::Status RegisterClippedMean(StrategyRegistries& registries) {
  return registries.folds.Register(
      {.name = "clipped-mean",
       .summary = "mean of the updates, each shortened to a given norm",
       .source = "Sun et al. 2019, arXiv 1911.07963",
       .schema = Schema()},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Fold>> {
        const bool samples = params.String("weights") == "samples";
        return MakeLinearFold(
            {.weight = [samples](const UpdateHeader& h) { return samples ? h.num_samples : 1; },
             .max_weight = [samples](uint64_t max) { return samples ? max : 1; },
             .options = LinearOptionsOf(params),
             .scaling = std::make_shared<Clipping>(params.Real("clip"))});
      });
}

}  // namespace skein
