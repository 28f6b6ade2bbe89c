#ifndef SKEIN_STRATEGY_UPDATE_FILTER_H_
#define SKEIN_STRATEGY_UPDATE_FILTER_H_

#include <absl/status/statusor.h>

#include "skein/strategy/contribution.h"
#include "skein/tensor/packed_tensors.h"

namespace skein {

// Looks at every update at the worker's parent before it is folded. May pass it on, change it
// (return other tensors of the same manifest) or refuse it with an error that says why.
// Shared by threads.
class UpdateFilter {
 public:
  virtual ~UpdateFilter() = default;
  virtual absl::StatusOr<PackedTensors> Apply(const UpdateHeader& header,
                                              PackedTensors update) const = 0;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_UPDATE_FILTER_H_
