#include "strategy/policy_every_update/policy_every_update.h"

#include "strategy/without_barrier.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyEveryUpdate : public WithoutBarrier {
 public:
  using WithoutBarrier::WithoutBarrier;

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.accepted > 0) return {Verdict::kClose, ""};
    if (view.pending() > 0) return {Verdict::kWait, ""};
    return {Verdict::kFail, "policy 'every_update': no child is left to contribute"};
  }
};

}  // namespace

absl::Status RegisterPolicyEveryUpdate(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "every_update",
       .summary = "no barrier: every contribution makes a step",
       .source = "Xie, Koyejo, Gupta 2019, arXiv 1903.03934",
       .schema = ParamSchema({WithoutBarrier::SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        return std::make_shared<PolicyEveryUpdate>(params);
      });
}

}  // namespace skein
