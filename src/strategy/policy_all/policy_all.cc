#include "strategy/policy_all/policy_all.h"

#include "strategy/policy_time.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyAll : public RoundPolicy {
 public:
  explicit PolicyAll(Duration timeout) : timeout_(timeout) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    const std::string needs = "policy 'all' needs " + std::to_string(view.expected) + " of " +
                              std::to_string(view.expected) + " children";
    if (view.expected == 0) return {Verdict::kFail, "policy 'all': no child takes part"};
    if (view.failed > 0) {
      return {Verdict::kFail, needs + " and " + std::to_string(view.failed) + " failed"};
    }
    if (view.accepted == view.expected) return {Verdict::kClose, ""};
    if (view.elapsed >= timeout_) {
      return {Verdict::kFail, needs + " and " + std::to_string(view.pending()) +
                                  " did not answer within " + SecondsText(timeout_)};
    }
    return {Verdict::kWait, "", timeout_};
  }
  bool has_barrier() const override { return true; }
  std::optional<Duration> Patience() const override { return timeout_; }
  bool NeedsEveryone() const override { return true; }
  std::shared_ptr<const RoundPolicy> Relaxed(int times) const override {
    if (times <= 0) return nullptr;
    return std::make_shared<PolicyAll>(RelaxLimit(timeout_, times));
  }

 private:
  Duration timeout_;
};

}  // namespace

absl::Status RegisterPolicyAll(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "all",
       .summary = "closes when every child has contributed; a failure ends the run",
       .source = "Skein",
       .schema = ParamSchema({{.name = "timeout_s",
                               .type = ParamSpec::Type::kReal,
                               .default_value = 600.0,
                               .min = 0.001,
                               .max = 1e7,
                               .doc = "seconds after which a silent child counts as failed"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        return std::make_shared<PolicyAll>(FromSeconds(params.Real("timeout_s")));
      });
}

}  // namespace skein
