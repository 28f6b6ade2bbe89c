#ifndef SKEIN_SRC_CONTROL_GRPC_CLIENT_H_
#define SKEIN_SRC_CONTROL_GRPC_CLIENT_H_

#include <memory>
#include <string>

#include <grpcpp/channel.h>

#include "skein/runtime/control_link.h"

namespace skein {

// Streams to the control plane over one channel. `place` names the other end in errors.
std::shared_ptr<ControlDialer> MakeChannelDialer(std::shared_ptr<grpc::Channel> channel,
                                                 std::string place);

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_GRPC_CLIENT_H_
