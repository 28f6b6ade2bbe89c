#ifndef SKEIN_SRC_RUNTIME_WORKER_STATE_H_
#define SKEIN_SRC_RUNTIME_WORKER_STATE_H_

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "skein/tensor/packed_tensors.h"

namespace skein {

// What a worker keeps from task to task. A task stages what comes after it; that counts once its
// update does, and is forgotten if the update is. With a path it is a file, which is replaced
// atomically: a worker that starts anew finds what has counted, and nothing of what was staged.
// Without one it is memory, and lost with the worker. Any thread.
class WorkerState {
 public:
  // `path` of the file; its directory is made when something is staged. Empty: in memory.
  explicit WorkerState(std::string path);

  // What the task `seq` starts from: the last that was staged before it, else what counts. No
  // value if there is neither. InvalidArgument with the path if the file is damaged.
  absl::StatusOr<PackedTensors> Before(uint64_t seq) const;
  // What comes after task `seq`, in place of what was staged for it earlier.
  absl::Status Stage(uint64_t seq, const PackedTensors& state);
  // The update of task `seq` counts, or is of no use any more. Nothing if nothing was staged.
  absl::Status Settle(uint64_t seq, bool counts);

 private:
  std::string PathOf(uint64_t seq) const;
  absl::Status MakeRoom();  // the directory, without what an earlier life has staged

  const std::string path_;
  mutable std::mutex mutex_;
  bool has_room_ = false;
  std::map<uint64_t, PackedTensors> staged_;  // the values are empty if they are files
  PackedTensors counted_;                     // in memory
};

// DIR/RUN/NODE.safetensors, with bytes of the node's name that a file's cannot have written out;
// empty if `directory` is.
std::string WorkerStatePath(const std::string& directory, const std::string& run,
                            const std::string& node);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_WORKER_STATE_H_
