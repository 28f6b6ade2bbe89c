#ifndef SKEIN_SRC_STRATEGY_COMPANIONS_H_
#define SKEIN_SRC_STRATEGY_COMPANIONS_H_

#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"
#include "strategy/client_terms.h"

namespace skein {

// Tensors that a client-side term has travel with the model, behind its own: role kCompanion, one
// for each float parameter. Updates carry what they change by; folds add that up as they do with
// differences. Learners, files and digests of models are without.

// "scaffold.c/conv1.weight"
std::string CompanionName(const std::string& term, const std::string& parameter);

// `model` and companions that are 0, for those terms that have some.
absl::StatusOr<PackedTensors> WithCompanions(const PackedTensors& model,
                                             const std::vector<NamedTerm>& terms);

// The tensors in front of the companions, in the same block; `tensors` itself if there are none.
PackedTensors WithoutCompanions(const PackedTensors& tensors);

// `next`, which a fold has made of `base` by adding the mean change to every companion, with
// `share` of the mean added instead: c + share * mean. Writes into `next` where it alone has its
// block.
absl::StatusOr<PackedTensors> WithCompanionShare(const PackedTensors& base, PackedTensors next,
                                                 double share);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_COMPANIONS_H_
