#ifndef SKEIN_SRC_STRATEGY_WITHOUT_BARRIER_H_
#define SKEIN_SRC_STRATEGY_WITHOUT_BARRIER_H_

#include <memory>
#include <optional>

#include "skein/strategy/params.h"
#include "skein/strategy/round_policy.h"

namespace skein {

// What policies without a barrier have in common.
class WithoutBarrier : public RoundPolicy {
 public:
  // Of the parameters.
  static ParamSpec SilenceParam() {
    return {.name = "timeout_s",
            .type = ParamSpec::Type::kReal,
            .default_value = 600.0,
            .min = 0.001,
            .max = 1e7,
            .doc = "seconds without any contribution after which the node gives up"};
  }

  // `params` have SilenceParam.
  explicit WithoutBarrier(const Params& params)
      : patience_(FromSeconds(params.Real("timeout_s"))) {}

  bool has_barrier() const final { return false; }
  std::optional<Duration> Patience() const final { return patience_; }
  std::shared_ptr<const RoundPolicy> Relaxed(int) const final { return nullptr; }

 private:
  const Duration patience_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_WITHOUT_BARRIER_H_
