#ifndef SKEIN_TRANSPORT_GRPC_CHANNEL_H_
#define SKEIN_TRANSPORT_GRPC_CHANNEL_H_

#include <memory>

#include <grpcpp/channel.h>
#include <grpcpp/server_builder.h>

#include "transport/grpc/address.h"

namespace skein {

// Metadata of a call: for which of a port's listeners it is (RoutedAddress).
inline constexpr char kRouteKey[] = "skein-route";

// How long a peer may leave a ping, or bytes, without an answer.
inline constexpr int kKeepaliveTimeoutMs = 20'000;

// A channel with a connection of its own and the settings that suit long streams; insecure.
std::shared_ptr<grpc::Channel> MakeChannel(const HostPort& address);

// The same settings for a server, which also takes no port that another process listens on.
void ConfigureServer(grpc::ServerBuilder& builder);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_CHANNEL_H_
