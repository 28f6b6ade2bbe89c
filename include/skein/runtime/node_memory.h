#ifndef SKEIN_RUNTIME_NODE_MEMORY_H_
#define SKEIN_RUNTIME_NODE_MEMORY_H_

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "skein/tensor/buffer_pool.h"
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

// Memory that the nodes of a process share; copies share it.
struct NodeMemory {
  std::shared_ptr<BufferPool> buffers = std::make_shared<BufferPool>();
  std::shared_ptr<SharedModels> models = std::make_shared<SharedModels>();
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_NODE_MEMORY_H_
