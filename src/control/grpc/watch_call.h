#ifndef SKEIN_SRC_CONTROL_GRPC_WATCH_CALL_H_
#define SKEIN_SRC_CONTROL_GRPC_WATCH_CALL_H_

#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <absl/status/statusor.h>
#include <grpcpp/support/server_callback.h>

#include "control/run_desk.h"
#include "skein/v1/runs.pb.h"

namespace skein {

// One watcher of a run: reads its events.jsonl line by line, one write at a time, and waits at the
// end for more. Thread-safe; keeps itself alive from Start until gRPC is done with it.
class WatchCall final : public grpc::ServerWriteReactor<v1::WatchReply>,
                        public std::enable_shared_from_this<WatchCall> {
 public:
  WatchCall(uint64_t from, bool follow) : from_(from), follow_(follow) {}

  // gRPC has it from now on.
  void Hold() { self_ = shared_from_this(); }
  // What the desk says.
  void Begin(absl::StatusOr<RunDesk::Watched> watched);
  // The server goes; the watcher may come back to another.
  void Shut();

  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(grpc::Status::CANCELLED); }
  void OnDone() override;

 private:
  void Advance();   // starts what is due, outside the lock: gRPC may react on this thread
  bool NextLine();  // into next_
  void End(const grpc::Status& status);

  const uint64_t from_;
  const bool follow_;
  std::mutex mutex_;
  std::shared_ptr<WatchCall> self_;
  std::string run_id_;
  std::shared_ptr<RunLog> log_;
  std::ifstream file_;
  uint64_t number_ = 0;  // of the next line
  v1::WatchReply next_;
  bool named_ = false;  // a reply has told the id
  std::string waits_;   // that was told
  bool writing_ = false;
  bool waiting_ = false;             // for the log to change
  std::optional<grpc::Status> end_;  // what it is to end with, once nothing is being written
  bool finished_ = false;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_WATCH_CALL_H_
