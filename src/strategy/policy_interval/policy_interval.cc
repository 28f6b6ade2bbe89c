#include "strategy/policy_interval/policy_interval.h"

#include "strategy/policy_time.h"
#include "strategy/without_barrier.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyInterval : public WithoutBarrier {
 public:
  explicit PolicyInterval(const Params& params)
      : WithoutBarrier(params), period_(FromSeconds(params.Real("period_s"))) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.accepted == 0 && view.pending() <= 0) {
      return {Verdict::kFail, "policy 'interval': no child is left to contribute"};
    }
    if (view.elapsed < period_) return {Verdict::kWait, "", period_};
    if (view.accepted == 0) return {Verdict::kWait, ""};  // the next one closes
    return {Verdict::kClose, ""};
  }

 private:
  const Duration period_;
};

}  // namespace

absl::Status RegisterPolicyInterval(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "interval",
       .summary = "no barrier: what has come makes a step, at fixed intervals",
       .source = "Skein",
       .schema = ParamSchema({{.name = "period_s",
                               .type = ParamSpec::Type::kReal,
                               .required = true,
                               .min = 0.001,
                               .max = 1e7,
                               .doc = "seconds between steps, longer if nothing has come"},
                              WithoutBarrier::SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        return std::make_shared<PolicyInterval>(params);
      });
}

}  // namespace skein
