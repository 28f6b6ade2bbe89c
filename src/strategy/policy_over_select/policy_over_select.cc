#include "strategy/policy_over_select/policy_over_select.h"

#include <algorithm>
#include <cmath>

#include "strategy/policy_time.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyOverSelect : public RoundPolicy {
 public:
  PolicyOverSelect(double factor, double min_fraction, Duration deadline)
      : factor_(factor), min_fraction_(min_fraction), deadline_(deadline) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.expected == 0) return {Verdict::kFail, "policy 'over_select': no child takes part"};
    // The largest goal of which `factor` times as many are asked; 1e-9 undoes binary fractions.
    const int goal = std::max(1, static_cast<int>(std::floor(view.expected / factor_ + 1e-9)));
    const int enough = std::max(1, static_cast<int>(std::ceil(min_fraction_ * goal - 1e-9)));
    if (view.accepted >= goal) return {Verdict::kClose, Reached(goal, view)};
    const bool over = view.pending() == 0 || view.elapsed >= deadline_;
    if (!over && view.accepted + view.pending() >= enough) return {Verdict::kWait, "", deadline_};
    const std::string why = view.elapsed >= deadline_
                                ? "the deadline of " + SecondsText(deadline_) + " passed"
                                : std::to_string(view.failed) + " failed";
    if (view.accepted >= enough) return {Verdict::kClose, why};
    return {Verdict::kFail, "policy 'over_select' needs " + std::to_string(enough) + " of " +
                                std::to_string(view.expected) + " children and has " +
                                std::to_string(view.accepted) + ", " + why};
  }
  bool has_barrier() const override { return true; }
  std::optional<Duration> Patience() const override { return deadline_; }
  std::shared_ptr<const RoundPolicy> Relaxed(int times) const override {
    if (times <= 0) return nullptr;
    return std::make_shared<PolicyOverSelect>(factor_, min_fraction_, RelaxLimit(deadline_, times));
  }

 private:
  static std::string Reached(int goal, const PolicyView& view) {
    if (view.pending() == 0) return "";
    return "the goal of " + std::to_string(goal) + " is reached";
  }

  const double factor_;
  const double min_fraction_;
  const Duration deadline_;
};

}  // namespace

absl::Status RegisterPolicyOverSelect(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "over_select",
       .summary = "asks more children than it needs and closes with the quickest",
       .source = "Bonawitz et al. 2019, arXiv 1902.01046",
       .schema =
           ParamSchema({{.name = "factor",
                         .type = ParamSpec::Type::kReal,
                         .default_value = 1.3,
                         .min = 1,
                         .max = 1000,
                         .doc = "children asked for each that is needed"},
                        {.name = "min_fraction",
                         .type = ParamSpec::Type::kReal,
                         .default_value = 0.8,
                         .min = 1e-9,
                         .max = 1,
                         .doc = "share of the needed that will do at the deadline"},
                        {.name = "deadline_s",
                         .type = ParamSpec::Type::kReal,
                         .default_value = 600.0,
                         .min = 0.001,
                         .max = 1e7,
                         .doc = "seconds after which what has come is taken, if it is enough"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        return std::make_shared<PolicyOverSelect>(params.Real("factor"),
                                                  params.Real("min_fraction"),
                                                  FromSeconds(params.Real("deadline_s")));
      });
}

}  // namespace skein
