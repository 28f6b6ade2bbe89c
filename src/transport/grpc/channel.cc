#include "transport/grpc/channel.h"

#include <cstdlib>
#include <mutex>

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <grpcpp/version_info.h>

#include "transport/frame_limits.h"

namespace skein {
namespace {

// A dead peer, or one behind a dead router, is noticed within the sum of both.
constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kMinPingIntervalMs = 10'000;
// Whoever waits for a server to come up finds it soon after it has.
constexpr int kFirstReconnectMs = 200;
constexpr int kLastReconnectMs = 2'000;
// What one call to the system reads at most. A connection keeps a buffer of the size that its last
// reads filled, so this is also what each of thousands keeps.
constexpr int kReadBytes = 32 << 10;

// Of gRPC 1.51's two ways to read only the older one knows a limit (ADR 0017). It asks for the
// other one's switch once, at its first connection. What the user has set counts.
void LimitReads() {
  static std::once_flag once;
  std::call_once(once, [] {
    constexpr bool kHasSwitch = GRPC_CPP_VERSION_MAJOR == 1 && GRPC_CPP_VERSION_MINOR == 51;
    if (kHasSwitch) setenv("GRPC_EXPERIMENTS", "-tcp_read_chunks", /*replace=*/0);
  });
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const HostPort& address) {
  LimitReads();
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // The bandwidth probe lets windows, and with them memory, grow without bound.
  args.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  args.SetInt(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kReadBytes);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLastReconnectMs);
  args.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);  // or gRPC keeps copies of what it sent
  if (IsLoopback(address.host)) args.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  args.SetMaxReceiveMessageSize(static_cast<int>(kMaxFrameBytes));
  args.SetMaxSendMessageSize(static_cast<int>(kMaxFrameBytes));
  return grpc::CreateCustomChannel(address.ToString(), grpc::InsecureChannelCredentials(), args);
}

void ConfigureServer(grpc::ServerBuilder& builder) {
  LimitReads();
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_TCP_MAX_READ_CHUNK_SIZE, kReadBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.SetMaxReceiveMessageSize(static_cast<int>(kMaxFrameBytes));
  builder.SetMaxSendMessageSize(static_cast<int>(kMaxFrameBytes));
}

}  // namespace skein
