#ifndef SKEIN_RUNTIME_SHARED_MODELS_H_
#define SKEIN_RUNTIME_SHARED_MODELS_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// Received models, so that the workers of a process hold one copy of a version between them: each
// receives its own, and the block of all but the first goes back to the pool. Thread-safe.
class SharedModels {
 public:
  // `model`, or an equal one that somebody holds. `digest` is its TransferDigest, verified.
  std::shared_ptr<const PackedTensors> Share(const std::string& digest, PackedTensors model);

 private:
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<const PackedTensors>> models_;  // by digest
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_SHARED_MODELS_H_
