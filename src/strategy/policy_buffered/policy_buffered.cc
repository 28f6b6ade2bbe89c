#include "strategy/policy_buffered/policy_buffered.h"

#include <optional>

#include "strategy/policy_time.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyBuffered : public RoundPolicy {
 public:
  PolicyBuffered(int size, std::optional<Duration> max_wait, Duration patience)
      : size_(size), max_wait_(max_wait), patience_(patience) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.accepted >= size_) return {Verdict::kClose, ""};
    if (view.pending() <= 0) {
      const std::string none = "no child is left to contribute";
      return {view.accepted > 0 ? Verdict::kClose : Verdict::kFail, "policy 'buffered': " + none};
    }
    if (!max_wait_) return {Verdict::kWait, ""};
    if (view.elapsed < *max_wait_) return {Verdict::kWait, "", *max_wait_};
    if (view.accepted == 0) return {Verdict::kWait, ""};  // the next one closes
    return {Verdict::kClose, SecondsText(*max_wait_) + " passed"};
  }
  int MinChildren() const override { return size_; }
  bool has_barrier() const override { return false; }
  std::optional<Duration> Patience() const override { return patience_; }
  std::shared_ptr<const RoundPolicy> Relaxed(int) const override { return nullptr; }

 private:
  const int size_;
  const std::optional<Duration> max_wait_;
  const Duration patience_;
};

}  // namespace

absl::Status RegisterPolicyBuffered(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "buffered",
       .summary = "no barrier: every `size` contributions make a step",
       .source = "Nguyen et al. 2022, arXiv 2106.06639",
       .schema = ParamSchema({{.name = "size",
                               .type = ParamSpec::Type::kInt,
                               .required = true,
                               .min = 1,
                               .max = 1e9,
                               .doc = "contributions of the node's children in a step"},
                              {.name = "max_wait_s",
                               .type = ParamSpec::Type::kReal,
                               .min = 0.001,
                               .max = 1e7,
                               .doc = "seconds after which fewer will do, if there is one"},
                              SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        std::optional<Duration> max_wait;
        if (params.Has("max_wait_s")) max_wait = FromSeconds(params.Real("max_wait_s"));
        return std::make_shared<PolicyBuffered>(static_cast<int>(params.Int("size")), max_wait,
                                                FromSeconds(params.Real("timeout_s")));
      });
}

}  // namespace skein
