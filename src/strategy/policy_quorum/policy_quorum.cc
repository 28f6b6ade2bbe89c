#include "strategy/policy_quorum/policy_quorum.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "strategy/policy_time.h"

namespace skein {
namespace {

using Verdict = PolicyDecision::Verdict;

// Exactly one of fraction and count is set.
struct Quorum {
  std::optional<double> fraction;
  std::optional<int64_t> count;
  int Of(int expected) const {
    if (count) return static_cast<int>(std::min<int64_t>(*count, INT32_MAX));
    // The small subtrahend keeps 0.57 * 100 at 57 in binary floating point.
    return std::max(1, static_cast<int>(std::ceil(*fraction * expected - 1e-9)));
  }
};

class PolicyQuorum : public RoundPolicy {
 public:
  PolicyQuorum(Quorum quorum, std::optional<Duration> deadline, Duration timeout)
      : quorum_(quorum), deadline_(deadline), timeout_(timeout) {}

  PolicyDecision Decide(const PolicyView& view) const override {
    if (view.expected == 0) return {Verdict::kFail, "policy 'quorum': no child takes part"};
    const int needed = quorum_.Of(view.expected);
    const Duration limit = deadline_.value_or(timeout_);
    const std::string has = "policy 'quorum' needs " + std::to_string(needed) + " of " +
                            std::to_string(view.expected) + " children and has " +
                            std::to_string(view.accepted);
    if (view.accepted + view.pending() < needed) {
      return {Verdict::kFail, has + ", " + std::to_string(view.failed) + " failed"};
    }
    const bool enough = view.accepted >= needed;
    if (enough && view.pending() == 0) return {Verdict::kClose, ""};
    // Without a deadline the quorum itself closes, or one silent child would hold it.
    if (enough && !deadline_) return {Verdict::kClose, "the quorum is reached"};
    if (view.elapsed >= limit) {
      const std::string passed = "the deadline of " + SecondsText(limit) + " passed";
      if (enough) return {Verdict::kClose, passed};
      return {Verdict::kFail, has + " when " + passed};
    }
    return {Verdict::kWait, "", limit};
  }
  int MinChildren() const override { return quorum_.count ? quorum_.Of(0) : 1; }
  bool has_barrier() const override { return true; }
  std::optional<Duration> Patience() const override { return deadline_.value_or(timeout_); }
  std::shared_ptr<const RoundPolicy> Relaxed(int times) const override {
    if (times <= 0) return nullptr;
    std::optional<Duration> deadline = deadline_;
    if (deadline) deadline = RelaxLimit(*deadline, times);
    return std::make_shared<PolicyQuorum>(quorum_, deadline, RelaxLimit(timeout_, times));
  }

 private:
  Quorum quorum_;
  std::optional<Duration> deadline_;
  Duration timeout_;
};

}  // namespace

absl::Status RegisterPolicyQuorum(StrategyRegistries& registries) {
  return registries.policies.Register(
      {.name = "quorum",
       .summary = "closes with a share of the children: at the deadline, or at once without one",
       .source = "Bonawitz et al. 2019, arXiv 1902.01046",
       .schema =
           ParamSchema({{.name = "fraction",
                         .type = ParamSpec::Type::kReal,
                         .min = 1e-9,
                         .max = 1,
                         .doc = "share of the node's children that must contribute"},
                        {.name = "count",
                         .type = ParamSpec::Type::kInt,
                         .min = 1,
                         .max = 1e9,
                         .doc = "number of the node's children that must contribute"},
                        {.name = "deadline_s",
                         .type = ParamSpec::Type::kReal,
                         .min = 0.001,
                         .max = 1e7,
                         .doc = "seconds to wait for all before closing with the quorum"},
                        {.name = "timeout_s",
                         .type = ParamSpec::Type::kReal,
                         .default_value = 600.0,
                         .min = 0.001,
                         .max = 1e7,
                         .doc = "without a deadline: seconds after which a short quorum fails"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const RoundPolicy>> {
        if (params.Has("fraction") == params.Has("count")) {
          return absl::InvalidArgumentError("policy 'quorum': give either 'fraction' or 'count'");
        }
        Quorum quorum;
        if (params.Has("fraction")) quorum.fraction = params.Real("fraction");
        if (params.Has("count")) quorum.count = params.Int("count");
        std::optional<Duration> deadline;
        if (params.Has("deadline_s")) deadline = FromSeconds(params.Real("deadline_s"));
        return std::make_shared<PolicyQuorum>(quorum, deadline,
                                              FromSeconds(params.Real("timeout_s")));
      });
}

}  // namespace skein
