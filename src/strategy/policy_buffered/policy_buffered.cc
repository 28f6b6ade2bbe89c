#include "strategy/policy_buffered/policy_buffered.h"

#include <optional>

#include "strategy/policy_time.h"
#include "strategy/without_barrier.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

class PolicyBuffered : public WithoutBarrier {
 public:
  PolicyBuffered(int size, std::optional<Duration> max_wait, const Params& params)
      : WithoutBarrier(params), size_(size), max_wait_(max_wait) {}

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

 private:
  const int size_;
  const std::optional<Duration> max_wait_;
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
                              WithoutBarrier::SilenceParam()})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        std::optional<Duration> max_wait;
        if (params.Has("max_wait_s")) max_wait = FromSeconds(params.Real("max_wait_s"));
        return std::make_shared<PolicyBuffered>(static_cast<int>(params.Int("size")), max_wait,
                                                params);
      });
}

}  // namespace skein
