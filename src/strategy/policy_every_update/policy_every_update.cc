#include "strategy/policy_every_update/policy_every_update.h"

#include "strategy/policy_time.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyEveryUpdate : public RoundPolicy {
 public:
  explicit PolicyEveryUpdate(Duration patience) : patience_(patience) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.accepted > 0) return {Verdict::kClose, ""};
    if (view.pending() > 0) return {Verdict::kWait, ""};
    return {Verdict::kFail, "policy 'every_update': no child is left to contribute"};
  }
  bool has_barrier() const override { return false; }
  std::optional<Duration> Patience() const override { return patience_; }
  std::shared_ptr<const RoundPolicy> Relaxed(int) const override { return nullptr; }

 private:
  const Duration patience_;
};

}  // namespace

absl::Status RegisterPolicyEveryUpdate(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "every_update",
       .summary = "no barrier: every contribution makes a step",
       .source = "Xie, Koyejo, Gupta 2019, arXiv 1903.03934",
       .schema = ParamSchema({SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        return std::make_shared<PolicyEveryUpdate>(FromSeconds(params.Real("timeout_s")));
      });
}

}  // namespace skein
