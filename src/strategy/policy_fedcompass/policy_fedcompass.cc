#include "strategy/policy_fedcompass/policy_fedcompass.h"

#include "strategy/policy_fedcompass/compass_schedule.h"
#include "strategy/without_barrier.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyFedCompass : public WithoutBarrier {
 public:
  PolicyFedCompass(const CompassConfig& config, const Params& params)
      : WithoutBarrier(params), config_(config) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.accepted > 0 || view.pending() > 0) return {Verdict::kWait, ""};
    return {Verdict::kFail, "policy 'fedcompass': no child is left to contribute"};
  }
  std::unique_ptr<ChildSchedule> NewSchedule(size_t children) const override {
    return std::make_unique<CompassSchedule>(config_, children);
  }
  std::string WhyOnlyAtRoot() const override {
    return "it times children by the versions of the model that it makes";
  }

 private:
  const CompassConfig config_;
};

ParamSpec Steps(const char* name, int64_t default_value, const char* doc) {
  return {.name = name,
          .type = ParamSpec::Type::kInt,
          .default_value = default_value,
          .min = 1,
          .max = 1e6,
          .doc = doc};
}

}  // namespace

absl::Status RegisterPolicyFedCompass(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "fedcompass",
       .summary = "no barrier: local steps by measured speed, so that children arrive in groups",
       .source = "Li et al. 2023, arXiv 2309.14675",
       .schema =
           ParamSchema({Steps("q_min", 20, "local steps of a task, at least"),
                        Steps("q_max", 100, "local steps of a task, at most, and of the first"),
                        {.name = "speed_momentum",
                         .default_value = 0.9,
                         .min = 1e-3,
                         .max = 1,
                         .doc = "share of the newest measurement in a child's speed"},
                        {.name = "latest_time_factor",
                         .default_value = 1.2,
                         .min = 1,
                         .max = 100,
                         .doc = "a group waits so many times as long as was expected"},
                        WithoutBarrier::SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        const CompassConfig config = {.q_min = static_cast<uint32_t>(params.Int("q_min")),
                                      .q_max = static_cast<uint32_t>(params.Int("q_max")),
                                      .speed_momentum = params.Real("speed_momentum"),
                                      .latest_time_factor = params.Real("latest_time_factor")};
        if (config.q_min > config.q_max) {
          return absl::InvalidArgumentError(
              "policy 'fedcompass': q_min is " + std::to_string(config.q_min) +
              ", more than q_max, which is " + std::to_string(config.q_max));
        }
        return std::make_shared<PolicyFedCompass>(config, params);
      });
}

}  // namespace skein
