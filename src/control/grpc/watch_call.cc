#include "control/grpc/watch_call.h"

#include <utility>

#include "transport/grpc/grpc_status.h"
#include "transport/wire_text.h"

namespace skein {

void WatchCall::Begin(absl::StatusOr<RunDesk::Watched> watched) {
  if (!watched.ok()) return End(ToGrpc(watched.status()));
  {
    std::lock_guard lock(mutex_);
    run_id_ = std::move(watched->run_id);
    log_ = std::move(watched->log);
  }
  Advance();
}

void WatchCall::Shut() {
  End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the control plane has shut down"));
}

void WatchCall::OnWriteDone(bool ok) {
  {
    std::lock_guard lock(mutex_);
    writing_ = false;
  }
  if (!ok) return End(grpc::Status::CANCELLED);
  Advance();
}

void WatchCall::OnDone() {
  std::shared_ptr<WatchCall> self;  // goes outside the lock
  std::lock_guard lock(mutex_);
  finished_ = true;
  self.swap(self_);
}

void WatchCall::Advance() {
  std::unique_lock lock(mutex_);
  if (writing_ || finished_) return;
  if (end_) {
    finished_ = true;
    lock.unlock();
    return Finish(*end_);
  }
  if (log_ == nullptr) return;
  // Before the file is read: what is added after that is another change.
  const RunLog::State state = log_->state();
  next_.Clear();
  bool write = NextLine();
  if (!write && state.waits != waits_) {
    waits_ = state.waits;
    next_.set_waits(WireText(waits_));
    write = true;
  }
  write = write || !named_;
  if (write) {
    if (!std::exchange(named_, true)) next_.set_run(run_id_);
    writing_ = true;
    lock.unlock();
    StartWrite(&next_);
    return;
  }
  if (state.over || !follow_) {
    finished_ = true;
    lock.unlock();
    return Finish(grpc::Status::OK);
  }
  if (std::exchange(waiting_, true)) return;
  lock.unlock();
  log_->Wait(state.changes, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    {
      std::lock_guard relock(self->mutex_);
      self->waiting_ = false;
    }
    self->Advance();
  });
}

bool WatchCall::NextLine() {
  if (!file_.is_open()) file_.open(log_->path());
  if (!file_.is_open()) return false;  // not yet
  std::string line;
  while (true) {
    file_.clear();
    const std::ifstream::pos_type begin = file_.tellg();
    if (!std::getline(file_, line) || file_.eof()) {
      // No line yet, or one that is still being written.
      file_.clear();
      file_.seekg(begin);
      return false;
    }
    if (number_++ < from_) continue;
    next_.set_number(number_ - 1);
    next_.set_line(WireText(line, line.size()));
    return true;
  }
}

void WatchCall::End(const grpc::Status& status) {
  {
    std::lock_guard lock(mutex_);
    if (!end_) end_ = status;
  }
  Advance();
}

}  // namespace skein
