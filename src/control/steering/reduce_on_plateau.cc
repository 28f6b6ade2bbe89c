#include "control/steering/reduce_on_plateau.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "skein/control/stopping.h"

namespace skein {
namespace {

// The server's counterpart of a well-known schedule of learners.
class ReduceOnPlateau : public Steering {
 public:
  explicit ReduceOnPlateau(const Params& params)
      : metric_(params.String("metric")),
        training_(params.String("from") == "training"),
        rounds_(params.Int("rounds")),
        factor_(params.Real("factor")),
        min_lr_(params.Real("min_lr")),
        plateau_(
            static_cast<uint64_t>(rounds_), params.Real("min_delta"),
            params.StringOr("better", LowerIsBetter(metric_) ? "lower" : "higher") == "lower") {}

  absl::StatusOr<SteeringDecision> Decide(const SteeringRecord& record) override {
    const bool committed = record.moment == SteeringRecord::Moment::kCommitted;
    if (committed != training_) return SteeringDecision();
    // Where both places evaluate, those that come first count.
    if (!committed && where_.empty()) where_ = record.where;
    if (record.where != where_) return SteeringDecision();
    const auto value = record.metrics.find(metric_);
    if (value == record.metrics.end() || !plateau_.Stalled(record.round, value->second)) {
      return SteeringDecision();
    }
    const Params optimizer(record.strategy.optimizer.params);
    const double lr = optimizer.RealOr("lr", 0);
    if (lr <= 0) {
      return absl::FailedPreconditionError("optimizer '" + record.strategy.optimizer.name +
                                           "' has no parameter 'lr' that could be reduced");
    }
    plateau_.Restart(record.round);
    const double next = std::max(lr * factor_, min_lr_);
    SteeringDecision decision;
    if (next >= lr) return decision;
    decision.optimizer = PartSpec{"", {{"lr", next}}};
    char why[128];
    std::snprintf(why, sizeof(why), "no better for %lld rounds, lr %.6g becomes %.6g",
                  static_cast<long long>(rounds_), lr, next);
    decision.why = metric_ + " is " + why;
    return decision;
  }

 private:
  const std::string metric_;
  const bool training_;
  const int64_t rounds_;
  const double factor_;
  const double min_lr_;
  Plateau plateau_;
  std::string where_;  // whose evaluations count, once one has come
};

}  // namespace

absl::Status RegisterReduceOnPlateau(SteeringRegistry& registry) {
  return registry.Register(
      {.name = "reduce_on_plateau",
       .summary = "reduces the server's learning rate when a metric gets no better",
       .source = "Skein",
       .schema = ParamSchema({{.name = "metric",
                               .type = ParamSpec::Type::kString,
                               .default_value = "loss",
                               .doc = "as evaluations or training report it"},
                              {.name = "from",
                               .type = ParamSpec::Type::kString,
                               .default_value = "evaluation",
                               .choices = {"evaluation", "training"},
                               .doc = "whose metric"},
                              {.name = "better",
                               .type = ParamSpec::Type::kString,
                               .choices = {"lower", "higher"},
                               .doc = "by default lower for losses and errors, else higher"},
                              {.name = "rounds",
                               .type = ParamSpec::Type::kInt,
                               .default_value = 5,
                               .min = 1,
                               .max = 1e9,
                               .doc = "without a better value"},
                              {.name = "min_delta",
                               .default_value = 0.0,
                               .min = 0,
                               .max = 1e300,
                               .doc = "a better value differs by more than this"},
                              {.name = "factor",
                               .default_value = 0.5,
                               .min = 1e-6,
                               .max = 0.999999,
                               .doc = "what the learning rate is multiplied by"},
                              {.name = "min_lr",
                               .default_value = 1e-6,
                               .min = 1e-9,
                               .max = 1e6,
                               .doc = "the learning rate goes no lower"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Steering>> {
        return std::make_shared<ReduceOnPlateau>(params);
      });
}

}  // namespace skein
