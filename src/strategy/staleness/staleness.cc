#include "strategy/staleness/staleness.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <utility>

namespace skein {
namespace {

using Weigh = std::function<double(double staleness)>;

class WeightByFormula : public Staleness {
 public:
  WeightByFormula(Weigh weigh, uint64_t max) : weigh_(std::move(weigh)), max_(max) {}
  // Kept above 0 however old: what is accepted counts.
  double Weight(uint64_t staleness) const override {
    return std::max(weigh_(static_cast<double>(staleness)), DBL_MIN);
  }
  uint64_t Max() const override { return max_; }

 private:
  const Weigh weigh_;
  const uint64_t max_;
};

ParamSpec Exponent(double default_value, std::string doc) {
  return {.name = "a", .default_value = default_value, .min = 0, .max = 1e6, .doc = std::move(doc)};
}

struct Formula {
  std::string name;
  std::string summary;
  std::string source;
  std::vector<ParamSpec> params;
  std::function<Weigh(const Params&)> make;
};

std::vector<Formula> Formulas() {
  const std::string xie = "Xie, Koyejo, Gupta 2019, arXiv 1903.03934";
  return {
      {"constant",
       "an old contribution counts like a fresh one",
       xie,
       {},
       [](const Params&) -> Weigh { return [](double) { return 1.0; }; }},
      {"polynomial",
       "(1 + staleness)^-a",
       xie,
       {Exponent(0.5, "how fast it falls")},
       [](const Params& params) -> Weigh {
         return [a = params.Real("a")](double u) { return std::pow(1 + u, -a); };
       }},
      {"hinge",
       "1 up to a staleness of b, then 1 / (a (staleness - b) + 1)",
       xie,
       {Exponent(10, "how fast it falls beyond b"),
        {.name = "b",
         .type = ParamSpec::Type::kInt,
         .default_value = 4,
         .min = 0,
         .max = 1e9,
         .doc = "versions by which a contribution may be late at no cost"}},
       [](const Params& params) -> Weigh {
         return [a = params.Real("a"), b = static_cast<double>(params.Int("b"))](double u) {
           return u <= b ? 1.0 : 1 / (a * (u - b) + 1);
         };
       }},
      {"exponential",
       "exp(-a staleness)",
       "Skein",
       {Exponent(0.5, "how fast it falls")},
       [](const Params& params) -> Weigh {
         return [a = params.Real("a")](double u) { return std::exp(-a * u); };
       }},
      {"inverse-sqrt",
       "1 / sqrt(1 + staleness)",
       "Nguyen et al. 2022, arXiv 2106.06639",
       {},
       [](const Params&) -> Weigh { return [](double u) { return 1 / std::sqrt(1 + u); }; }},
  };
}

}  // namespace

absl::Status RegisterStaleness(StrategyRegistries& registries) {
  for (Formula& formula : Formulas()) {
    formula.params.push_back({.name = "max",
                              .type = ParamSpec::Type::kInt,
                              .default_value = 1'000'000'000,
                              .min = 0,
                              .max = 1e9,
                              .doc = "contributions staler than this are refused"});
    SKEIN_RETURN_IF_ERROR(registries.staleness.Register(
        {.name = formula.name,
         .summary = formula.summary,
         .source = formula.source,
         .schema = ParamSchema(std::move(formula.params))},
        [make = formula.make](
            const Params& params) -> absl::StatusOr<std::shared_ptr<const Staleness>> {
          return std::make_shared<WeightByFormula>(make(params),
                                                   static_cast<uint64_t>(params.Int("max")));
        }));
  }
  return absl::OkStatus();
}

}  // namespace skein
