#ifndef SKEIN_SRC_RUNTIME_UPDATE_ENCODER_H_
#define SKEIN_SRC_RUNTIME_UPDATE_ENCODER_H_

#include <memory>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "runtime/outbox.h"
#include "runtime/worker_state.h"
#include "skein/base/ids.h"
#include "skein/codec/pipeline.h"

namespace skein {

// What a worker's updates are encoded by, on their way to its parent. Where the codecs keep what
// they lose (error feedback), the worker has it, as it has the state of terms: it counts once the
// update does, and with a path it is found again by the worker that starts anew. One Encode at a
// time; any thread.
class UpdateEncoder {
 public:
  // `pipeline` may be null: updates go as they are. `sender` has the run's seed and the worker's
  // number. `errors_path`: see WorkerState.
  UpdateEncoder(std::shared_ptr<const CodecPipeline> pipeline, CodecContext sender,
                std::string errors_path, std::shared_ptr<BufferPool> buffers);

  // The update of task `seq`, ready to be offered. InvalidArgument names the tensor and index of
  // what cannot be sent.
  absl::StatusOr<OutboundTensors> Encode(Seq seq, PackedTensors update);
  // It counts, or is of no use any more.
  absl::Status Settle(Seq seq, bool counts) { return errors_.Settle(seq, counts); }

 private:
  absl::StatusOr<CodecState> ErrorsBefore(Seq seq, const Manifest& update) const;

  const std::shared_ptr<const CodecPipeline> pipeline_;
  const CodecContext sender_;
  const std::shared_ptr<BufferPool> buffers_;
  const std::string errors_path_;
  WorkerState errors_;
};

// The file of what a worker's encoding has lost; empty if `directory` is.
std::string CodecErrorsPath(const std::string& directory, const std::string& run,
                            const std::string& node);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_UPDATE_ENCODER_H_
