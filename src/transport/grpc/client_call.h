#ifndef SKEIN_TRANSPORT_GRPC_CLIENT_CALL_H_
#define SKEIN_TRANSPORT_GRPC_CLIENT_CALL_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <grpcpp/channel.h>

#include "transport/grpc/address.h"
#include "transport/grpc/stream_link.h"

namespace skein {

// The calls that one transport has dialed and that are still under way. Channels come back here to
// die: the last channel of a process joins the threads that run gRPC's callbacks, so it must not be
// destroyed on one of them. Thread-safe; shared by the transport and its calls.
class ClientCalls : public std::enable_shared_from_this<ClientCalls> {
 public:
  // Starts a call on a connection of its own. `link` gets the events.
  void Start(const RoutedAddress& address, std::shared_ptr<StreamLink> link);

  // Destroys the channels of calls that have ended. Not for gRPC's threads.
  void Reap();

  // Gives the calls some time to end by themselves, cancels those that are left and waits for them.
  void Shutdown();

 private:
  class Call;

  void Forget(Call* call);  // it will not be cancelled any more
  void Bury(std::shared_ptr<grpc::Channel> channel);

  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<Call*> calls_;
  size_t live_ = 0;  // calls whose channel has not come back
  std::vector<std::shared_ptr<grpc::Channel>> dead_;
};

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_CLIENT_CALL_H_
