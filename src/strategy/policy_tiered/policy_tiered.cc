#include "strategy/policy_tiered/policy_tiered.h"

#include "strategy/policy_tiered/tiered_schedule.h"
#include "strategy/without_barrier.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyTiered : public WithoutBarrier {
 public:
  PolicyTiered(const TieredConfig& config, const Params& params)
      : WithoutBarrier(params), config_(config) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.accepted > 0 || view.pending() > 0) return {Verdict::kWait, ""};
    return {Verdict::kFail, "policy 'tiered': no child is left to contribute"};
  }
  int MinChildren() const override { return static_cast<int>(config_.groups); }
  std::unique_ptr<ChildSchedule> NewSchedule(size_t children) const override {
    return std::make_unique<TieredSchedule>(config_, children);
  }
  std::string WhyOnlyAtRoot() const override {
    if (!config_.inverse_counts) return "";
    return "a group's weight counts where the model is; elsewhere say 'weights: none'";
  }

 private:
  const TieredConfig config_;
};

}  // namespace

absl::Status RegisterPolicyTiered(StrategyRegistries& registries) {
  using Type = ParamSpec::Type;
  return registries.policies.Register(
      {.name = "tiered",
       .summary = "groups of children by measured speed: a barrier inside each, none across",
       .source = "Chai et al. 2020, arXiv 2001.09249; Chai et al. 2021, arXiv 2010.05958",
       .schema = ParamSchema(
           {{.name = "groups",
             .type = Type::kInt,
             .required = true,
             .min = 1,
             .max = 16,
             .doc = "of like speed"},
            {.name = "speed_momentum",
             .default_value = 0.9,
             .min = 1e-3,
             .max = 1,
             .doc = "share of the newest measurement in the time of a child's tasks"},
            {.name = "patience",
             .default_value = 2.0,
             .min = 1,
             .max = 1000,
             .doc = "a group waits so many times its longest task for those who do not come"},
            {.name = "regroup_every",
             .type = Type::kInt,
             .default_value = 20,
             .min = 1,
             .max = 1e9,
             .doc = "steps after which groups are drawn anew"},
            {.name = "weights",
             .type = Type::kString,
             .default_value = "inverse",
             .choices = {"inverse", "none"},
             .doc = "of groups: the more, the fewer steps they have made; or all alike"},
            WithoutBarrier::SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        return std::make_shared<PolicyTiered>(
            TieredConfig{.groups = static_cast<size_t>(params.Int("groups")),
                         .speed_momentum = params.Real("speed_momentum"),
                         .patience = params.Real("patience"),
                         .regroup_every = static_cast<uint64_t>(params.Int("regroup_every")),
                         .inverse_counts = params.String("weights") == "inverse"},
            params);
      });
}

}  // namespace skein
