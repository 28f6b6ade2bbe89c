#include "runtime/inbound_transfer.h"

#include "skein/base/status.h"

namespace skein {

class InboundTransfer::Sink : public ChunkSink {
 public:
  Sink(std::shared_ptr<InboundTransfer> transfer, uint64_t number, std::function<void()> on_bytes)
      : transfer_(std::move(transfer)), number_(number), on_bytes_(std::move(on_bytes)) {}

  absl::Status Take(uint64_t offset, uint64_t checksum,
                    std::span<const std::span<const std::byte>> pieces) override {
    {
      std::lock_guard lock(transfer_->mutex_);
      if (transfer_->newest_sink_ != number_) return absl::OkStatus();  // dropped meanwhile
      SKEIN_RETURN_IF_ERROR(transfer_->TakeLocked(offset, checksum, pieces));
    }
    on_bytes_();
    return absl::OkStatus();
  }

 private:
  const std::shared_ptr<InboundTransfer> transfer_;
  const uint64_t number_;
  const std::function<void()> on_bytes_;
};

std::shared_ptr<ChunkSink> InboundTransfer::NewSink(std::function<void()> on_bytes) {
  std::lock_guard lock(mutex_);
  return std::make_shared<Sink>(shared_from_this(), ++newest_sink_, std::move(on_bytes));
}

absl::Status InboundTransfer::Take(const ChunkFrame& chunk) {
  std::lock_guard lock(mutex_);
  return TakeLocked(chunk.offset, chunk.checksum, std::span(&chunk.bytes, 1));
}

absl::Status InboundTransfer::TakeLocked(uint64_t offset, uint64_t checksum,
                                         std::span<const std::span<const std::byte>> pieces) {
  const uint64_t before = decoder_.received();
  SKEIN_RETURN_IF_ERROR(decoder_.Add(offset, pieces, checksum));
  const uint64_t now = decoder_.received();
  if (digest_) digest_->Update(decoder_.tensors().bytes().subspan(before, now - before));
  if (intake_ != nullptr && fold_status_.ok()) fold_status_ = intake_->Advance(now);
  received_.store(now, std::memory_order_release);
  return absl::OkStatus();
}

void InboundTransfer::Detach() {
  std::lock_guard lock(mutex_);
  ++newest_sink_;
}

void InboundTransfer::Hash() { digest_.emplace(); }

std::string InboundTransfer::FinishHash() {
  std::lock_guard lock(mutex_);
  return digest_->Value();
}

void InboundTransfer::Fold(absl::StatusOr<std::unique_ptr<Intake>> intake) {
  std::lock_guard lock(mutex_);
  fold_status_ = intake.status();
  if (!intake.ok()) return;
  intake_ = *std::move(intake);
  if (intake_ != nullptr && received() > 0) fold_status_ = intake_->Advance(received());
}

bool InboundTransfer::folds() {
  std::lock_guard lock(mutex_);
  return intake_ != nullptr || !fold_status_.ok();
}

absl::Status InboundTransfer::CompleteFold() {
  std::lock_guard lock(mutex_);
  if (fold_status_.ok() && intake_ == nullptr) {
    fold_status_ = absl::FailedPreconditionError("nothing folds it");
  }
  if (fold_status_.ok()) fold_status_ = intake_->Complete();
  intake_.reset();
  return fold_status_;
}

void InboundTransfer::DropFold() {
  std::lock_guard lock(mutex_);
  intake_.reset();
}

std::function<void()> PostOnceAtATime(std::shared_ptr<Executor> executor,
                                      std::function<void()> task) {
  auto posted = std::make_shared<std::atomic<bool>>(false);
  return [executor = std::move(executor), task = std::move(task), posted] {
    if (posted->exchange(true)) return;
    executor->Post([task, posted] {
      posted->store(false);
      task();
    });
  };
}

}  // namespace skein
