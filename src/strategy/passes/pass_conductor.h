#ifndef SKEIN_SRC_STRATEGY_PASSES_PASS_CONDUCTOR_H_
#define SKEIN_SRC_STRATEGY_PASSES_PASS_CONDUCTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/strategy/server_optimizer.h"
#include "strategy/passes/pass_query.h"

namespace skein {

// Who contributes to a fold in passes, by ascending leaf.
struct PassCast {
  struct Member {
    LeafIndex leaf = 0;
    uint64_t samples = 0;
    double largest = 0;  // magnitude of a float that is averaged
  };
  std::vector<Member> members;
  uint64_t workers = 0;  // leaves of the tree
};

// The rule of such a fold: what is asked, and what is made of the answers. At the node that
// finishes, one for a round; used by one thread.
class PassConductor {
 public:
  virtual ~PassConductor() = default;
  // The first question, or none if nothing needs to be asked. Called once, first; there is a
  // member.
  virtual absl::StatusOr<std::optional<PassQuery>> Begin(const PassCast& cast) = 0;
  // Takes the answers to the last question, added up over the tree. InvalidArgument if no
  // contributions could have given them.
  virtual absl::StatusOr<std::optional<PassQuery>> Next(const PackedTensors& answer) = 0;
  // The model after `base`. Once there are no more questions.
  virtual absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                               ServerOptimizer& optimizer,
                                               BufferPool& buffers) const = 0;
};

// `update`: the manifest of updates, which must outlive it.
using MakePassConductor = std::function<std::unique_ptr<PassConductor>(const Manifest& update)>;

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_PASSES_PASS_CONDUCTOR_H_
