#ifndef SKEIN_SRC_CONTROL_GRPC_RUNS_SERVICE_H_
#define SKEIN_SRC_CONTROL_GRPC_RUNS_SERVICE_H_

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "control/run_desk.h"
#include "skein/v1/runs.grpc.pb.h"

namespace skein {

class WatchCall;

// proto/skein/v1/runs.proto in front of a RunDesk. Thread-safe; Shut before the server goes.
class RunsService final : public v1::Runs::CallbackService {
 public:
  explicit RunsService(std::shared_ptr<RunDesk> desk) : desk_(std::move(desk)) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext* context,
                                   const v1::SubmitRequest* request, v1::Run* reply) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext* context,
                                 const v1::ListRequest* request, v1::ListReply* reply) override;
  grpc::ServerUnaryReactor* Stop(grpc::CallbackServerContext* context,
                                 const v1::StopRunRequest* request, v1::Run* reply) override;
  grpc::ServerWriteReactor<v1::WatchReply>* Watch(grpc::CallbackServerContext* context,
                                                  const v1::WatchRequest* request) override;

  // Ends what is being watched.
  void Shut();

 private:
  const std::shared_ptr<RunDesk> desk_;
  std::mutex mutex_;
  bool shut_ = false;
  std::vector<std::weak_ptr<WatchCall>> watches_;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_RUNS_SERVICE_H_
