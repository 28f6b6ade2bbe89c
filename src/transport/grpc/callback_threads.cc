#include "transport/grpc/callback_threads.h"

#include <memory>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

namespace skein {
namespace {

// A server without a port: it does nothing but use the threads.
struct Holder {
  Holder() {
    grpc::ServerBuilder builder;
    builder.RegisterCallbackGenericService(&service);
    server = builder.BuildAndStart();
  }
  grpc::CallbackGenericService service;
  std::unique_ptr<grpc::Server> server;
};

}  // namespace

void KeepCallbackThreads() {
  // Constant once made, and never destroyed: at exit the threads still run.
  [[maybe_unused]] static const Holder* const holder = new Holder;
}

}  // namespace skein
