#ifndef SKEIN_SRC_RUNTIME_INBOUND_TRANSFER_H_
#define SKEIN_SRC_RUNTIME_INBOUND_TRANSFER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/strategy/fold.h"
#include "skein/tensor/chunk_codec.h"
#include "skein/tensor/digest.h"
#include "skein/transport/transport.h"

namespace skein {

// The receiving side of one transfer: a block that fills from the wire, while what has come is
// folded or hashed as long as it is still in the cache. It outlives links, so that a transfer goes
// on after a break. Thread-safe; bytes come on the threads of the link, everything else on the
// node's executor.
class InboundTransfer : public std::enable_shared_from_this<InboundTransfer> {
 public:
  // `block` is held by nobody else yet.
  explicit InboundTransfer(PackedTensors block) : decoder_(std::move(block)) {}

  // What a link may write to. Only the newest sink writes; `on_bytes` is called after each chunk,
  // on the link's thread.
  std::shared_ptr<ChunkSink> NewSink(std::function<void()> on_bytes);
  // A chunk that came through the link's handler; only while there is no sink, or the newest one.
  absl::Status Take(const ChunkFrame& chunk);
  // No sink writes any more; waits for one that does.
  void Detach();

  // From now on the digest of the whole is computed as it arrives; before the first byte.
  void Hash();
  std::string FinishHash();

  // From now on bytes are folded as they arrive; what has arrived is folded at once. An error is
  // that of CompleteFold. Null: nothing is folded.
  void Fold(absl::StatusOr<std::unique_ptr<Intake>> intake);
  // Whether its bytes are folded, or could not be.
  bool folds();
  // All bytes are there.
  absl::Status CompleteFold();
  // Takes out what was folded.
  void DropFold();

  uint64_t received() const { return received_.load(std::memory_order_acquire); }
  bool done() const { return received() == decoder_.tensors().bytes().size(); }
  // May be read up to received().
  const PackedTensors& tensors() const { return decoder_.tensors(); }

 private:
  class Sink;
  absl::Status TakeLocked(uint64_t offset, uint64_t checksum,
                          std::span<const std::span<const std::byte>> pieces);

  std::mutex mutex_;
  uint64_t newest_sink_ = 0;
  ChunkDecoder decoder_;
  std::atomic<uint64_t> received_{0};
  std::optional<TransferDigestStream> digest_;
  std::unique_ptr<Intake> intake_;
  absl::Status fold_status_;
};

// A function, for any thread, that runs `task` on the executor soon: at most one is under way,
// however often it is called.
std::function<void()> PostOnceAtATime(std::shared_ptr<Executor> executor,
                                      std::function<void()> task);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_INBOUND_TRANSFER_H_
