#include "control/grpc/runs_client.h"

#include <chrono>
#include <mutex>
#include <utility>

#include <grpcpp/client_context.h>

#include "control/grpc/runs_proto.h"
#include "runtime/control_proto.h"
#include "skein/base/status.h"
#include "skein/v1/runs.grpc.pb.h"
#include "transport/grpc/channel.h"
#include "transport/grpc/grpc_status.h"

namespace skein {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);  // for an answer

class GrpcRunsClient : public RunsClient {
 public:
  explicit GrpcRunsClient(const HostPort& place)
      : place_(place.ToString()), stub_(v1::Runs::NewStub(MakeChannel(place))) {}

  absl::StatusOr<RunInfo> Submit(const std::string& spec_yaml) override {
    v1::SubmitRequest request;
    request.set_protocol(kControlProtocol);
    request.set_spec(spec_yaml);
    return Ask(&v1::Runs::Stub::Submit, request);
  }

  absl::StatusOr<std::vector<RunInfo>> List() override {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::ListReply reply;
    SKEIN_RETURN_IF_ERROR(Explain(stub_->List(&context, {}, &reply)));
    std::vector<RunInfo> runs;
    for (const v1::Run& run : reply.runs()) runs.push_back(FromProto(run));
    return runs;
  }

  absl::StatusOr<RunInfo> Stop(const std::string& run) override {
    v1::StopRunRequest request;
    request.set_run(run);
    return Ask(&v1::Runs::Stub::Stop, request);
  }

  absl::Status Watch(const std::string& run, uint64_t from, bool follow,
                     const Watcher& watcher) override {
    grpc::ClientContext context;
    {
      std::lock_guard lock(mutex_);
      if (cancelled_) return absl::CancelledError("cancelled");
      watching_ = &context;
    }
    v1::WatchRequest request;
    request.set_run(run);
    request.set_from(from);
    request.set_follow(follow);
    const auto stream = stub_->Watch(&context, request);
    v1::WatchReply reply;
    std::string waits;
    while (stream->Read(&reply)) {
      if (!reply.run().empty()) watcher.on_run(reply.run());
      if (reply.waits() != waits) watcher.on_waits(reply.waits());
      waits = reply.waits();
      if (!reply.line().empty()) watcher.on_line(reply.number(), reply.line());
    }
    const grpc::Status status = stream->Finish();
    std::lock_guard lock(mutex_);
    watching_ = nullptr;
    return Explain(status);
  }

  void Cancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (watching_ != nullptr) watching_->TryCancel();
  }

 private:
  template <typename Request>
  absl::StatusOr<RunInfo> Ask(grpc::Status (v1::Runs::Stub::*method)(grpc::ClientContext*,
                                                                     const Request&, v1::Run*),
                              const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::Run reply;
    SKEIN_RETURN_IF_ERROR(Explain((stub_.get()->*method)(&context, request, &reply)));
    return FromProto(reply);
  }

  absl::Status Explain(const grpc::Status& status) const {
    const absl::Status result = FromGrpc(status);
    if (absl::IsUnavailable(result)) {
      return Annotate(result, "the control plane at " + place_ + " cannot be reached");
    }
    if (absl::IsDeadlineExceeded(result)) {
      return absl::DeadlineExceededError(
          "the control plane at " + place_ + " does not answer within " +
          std::to_string(kPatience.count()) + " s; it is stuck, or the port is another program's");
    }
    if (absl::IsUnimplemented(result)) {
      return absl::UnimplementedError("the control plane at " + place_ +
                                      " has one run only; start one with `skein control` alone");
    }
    return result;
  }

  const std::string place_;
  const std::unique_ptr<v1::Runs::Stub> stub_;
  std::mutex mutex_;
  grpc::ClientContext* watching_ = nullptr;
  bool cancelled_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RunsClient>> MakeRunsClient(const std::string& address) {
  SKEIN_ASSIGN_OR_RETURN(const HostPort place, ParseHostPort(address));
  return std::make_unique<GrpcRunsClient>(place);
}

}  // namespace skein
