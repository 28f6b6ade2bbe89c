#include "strategy/select_fraction/select_fraction.h"

#include <algorithm>

#include "strategy/how_many.h"
#include "strategy/sampling.h"

namespace skein {
namespace {

// m = max(C * K, 1) of the K available workers (McMahan et al. 2017, Algorithm 1).
class SelectFraction : public Selector {
 public:
  SelectFraction(double fraction, int64_t minimum) : fraction_(fraction), minimum_(minimum) {}
  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    return SampleUniformly(input, MaxWorkers(input.available->Count()));
  }
  size_t MaxWorkers(size_t available) const override {
    return std::max(ShareOf(fraction_, available), MinWorkers());
  }
  size_t MinWorkers() const override { return static_cast<size_t>(minimum_); }

 private:
  double fraction_;
  int64_t minimum_;
};

}  // namespace

absl::Status RegisterSelectFraction(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "fraction",
       .summary = "a random fraction of the available workers, drawn anew each round",
       .source = "McMahan et al. 2017, arXiv 1602.05629",
       .schema = ParamSchema({{.name = "fraction",
                               .type = ParamSpec::Type::kReal,
                               .required = true,
                               .min = 1e-9,
                               .max = 1,
                               .doc = "share of the available workers"},
                              {.name = "min",
                               .type = ParamSpec::Type::kInt,
                               .default_value = 1,
                               .min = 1,
                               .max = 1e9,
                               .doc = "at least this many"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        return std::make_shared<SelectFraction>(params.Real("fraction"), params.Int("min"));
      });
}

}  // namespace skein
