#include "control/grpc/runs_service.h"

#include "control/grpc/runs_proto.h"
#include "control/grpc/watch_call.h"
#include "runtime/control_proto.h"
#include "transport/grpc/grpc_status.h"

namespace skein {
namespace {

// Answers a call with what the desk says. gRPC keeps `reply` until the call is finished.
RunDesk::Reply<RunInfo> AnswerWith(grpc::ServerUnaryReactor* reactor, v1::Run* reply) {
  return [reactor, reply](absl::StatusOr<RunInfo> run) {
    if (run.ok()) *reply = ToProto(*run);
    reactor->Finish(ToGrpc(run.status()));
  };
}

}  // namespace

grpc::ServerUnaryReactor* RunsService::Submit(grpc::CallbackServerContext* context,
                                              const v1::SubmitRequest* request, v1::Run* reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (request->protocol() != kControlProtocol) {
    reactor->Finish(ToGrpc(absl::FailedPreconditionError(
        "the control plane speaks control protocol " + std::to_string(kControlProtocol) +
        ", this side " + std::to_string(request->protocol()) + "; use the same release on both")));
    return reactor;
  }
  desk_->Submit(request->spec(), AnswerWith(reactor, reply));
  return reactor;
}

grpc::ServerUnaryReactor* RunsService::List(grpc::CallbackServerContext* context,
                                            const v1::ListRequest*, v1::ListReply* reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  desk_->List([reactor, reply](absl::StatusOr<std::vector<RunInfo>> runs) {
    if (runs.ok()) {
      for (const RunInfo& run : *runs) *reply->add_runs() = ToProto(run);
    }
    reactor->Finish(ToGrpc(runs.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* RunsService::Stop(grpc::CallbackServerContext* context,
                                            const v1::StopRunRequest* request, v1::Run* reply) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  desk_->Stop(request->run(), AnswerWith(reactor, reply));
  return reactor;
}

grpc::ServerWriteReactor<v1::WatchReply>* RunsService::Watch(grpc::CallbackServerContext*,
                                                             const v1::WatchRequest* request) {
  const auto call = std::make_shared<WatchCall>(request->from(), request->follow());
  call->Hold();
  bool shut = false;
  {
    std::lock_guard lock(mutex_);
    shut = shut_;
    std::erase_if(watches_, [](const auto& weak) { return weak.expired(); });
    watches_.push_back(call);
  }
  if (shut) {
    call->Shut();
  } else {
    desk_->Watch(request->run(), [call](absl::StatusOr<RunDesk::Watched> watched) {
      call->Begin(std::move(watched));
    });
  }
  return call.get();
}

void RunsService::Shut() {
  std::vector<std::weak_ptr<WatchCall>> watches;
  {
    std::lock_guard lock(mutex_);
    shut_ = true;
    watches.swap(watches_);
  }
  for (const auto& weak : watches) {
    if (const auto call = weak.lock()) call->Shut();
  }
}

}  // namespace skein
