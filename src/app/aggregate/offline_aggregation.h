#ifndef SKEIN_SRC_APP_AGGREGATE_OFFLINE_AGGREGATION_H_
#define SKEIN_SRC_APP_AGGREGATE_OFFLINE_AGGREGATION_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/strategy/registry.h"

namespace skein {

// A model to be aggregated, as a worker's.
struct OfflineInput {
  std::string name;  // for messages
  PackedTensors model;
  double weight = 1;  // its samples: a real number, not negative
  std::map<std::string, double> metrics;
};

// One aggregation without a federation: what a strategy makes of models in files.
struct OfflineAggregation {
  PartSpec fold;
  PartSpec optimizer{"sgd", {}};
  std::vector<OfflineInput> inputs;   // the order decides where a fold breaks ties
  std::optional<PackedTensors> base;  // the model from which all of them come; none: zero
};

struct OfflineResult {
  PackedTensors model;
  PackedTensors optimizer_state;  // no value: it gathers nothing
  size_t used = 0;                // inputs of positive weight
};

// Weights are made whole numbers of samples, which folds count: as they are if they are whole, else
// in 2^30ths of the largest. Inputs of weight 0 are left out. InvalidArgument, in one line: what
// does not fit together, an input that the fold refuses (with its name), and without a base a fold
// or an optimizer for which it matters.
absl::StatusOr<OfflineResult> Aggregate(const OfflineAggregation& job,
                                        const StrategyRegistries& registries);

}  // namespace skein

#endif  // SKEIN_SRC_APP_AGGREGATE_OFFLINE_AGGREGATION_H_
