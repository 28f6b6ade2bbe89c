#ifndef SKEIN_TRANSPORT_GRPC_ADDRESS_H_
#define SKEIN_TRANSPORT_GRPC_ADDRESS_H_

#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace skein {

// "host:port"; an IPv6 host stands in brackets.
struct HostPort {
  std::string host;  // without brackets
  int port = 0;

  std::string ToString() const;
};

// InvalidArgument, with an example, if it is not of that form.
absl::StatusOr<HostPort> ParseHostPort(const std::string& address);

// "host:port" or "host:port/route": one port may serve several listeners, each under a route of its
// own (letters, digits, '.', '-', '_').
struct RoutedAddress {
  HostPort place;
  std::string route;  // empty: the only listener of the port

  std::string ToString() const;
};

// InvalidArgument, with an example, if it is neither.
absl::StatusOr<RoutedAddress> ParseRoutedAddress(const std::string& address);

// A route of its own for a listener with this name, which may have any letters.
std::string RouteFor(std::string name);

// 127.0.0.0/8, ::1 or "localhost".
bool IsLoopback(const std::string& host);

// OK if a server may listen there: FailedPrecondition beyond loopback unless `insecure`,
// Unavailable, with the reason and a remedy, if the system does not give us the port now.
absl::Status CheckListenAddress(const HostPort& address, bool insecure);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_ADDRESS_H_
