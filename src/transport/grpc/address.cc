#include "transport/grpc/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <system_error>

#include "skein/base/status.h"

namespace skein {
namespace {

absl::Status Malformed(const std::string& address) {
  return absl::InvalidArgumentError("'" + address +
                                    "' is no address; write host:port, as in 127.0.0.1:7400");
}

// What a host name may hold, and a route.
bool IsPlain(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
         c == '-' || c == '_';
}

// Binds and lets go again. gRPC's own error for a port in use does not say what is wrong.
absl::Status TryBind(const HostPort& address) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (code != 0) {
    return absl::UnavailableError("cannot listen on " + address.ToString() + ": " +
                                  gai_strerror(code) + "; name a host of this machine");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
  int error = 0;
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      error = errno;
      continue;
    }
    const int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    const bool bound =
        bind(fd, info->ai_addr, info->ai_addrlen) == 0 && (address.port == 0 || listen(fd, 1) == 0);
    if (!bound) error = errno;
    close(fd);
    if (bound) return absl::OkStatus();
    if (error == EADDRINUSE) break;
  }
  const std::string reason =
      error == EADDRINUSE ? "the port is in use" : std::generic_category().message(error);
  return absl::UnavailableError("cannot listen on " + address.ToString() + ": " + reason +
                                "; choose another address, or port 0 for any free port");
}

}  // namespace

std::string HostPort::ToString() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

absl::StatusOr<HostPort> ParseHostPort(const std::string& address) {
  HostPort result;
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon > 255) return Malformed(address);
  const char* begin = address.data() + colon + 1;
  const char* end = address.data() + address.size();
  const auto [rest, error] = std::from_chars(begin, end, result.port);
  if (begin == end || rest != end || error != std::errc() || result.port < 0 ||
      result.port > 65535) {
    return Malformed(address);
  }
  result.host = address.substr(0, colon);
  if (result.host.front() == '[' && result.host.back() == ']') {
    result.host = result.host.substr(1, result.host.size() - 2);
    in6_addr ignored{};
    if (inet_pton(AF_INET6, result.host.c_str(), &ignored) != 1) return Malformed(address);
    return result;
  }
  // No scheme ("dns:..."), socket path or stray text: only what a host name may hold.
  if (!std::ranges::all_of(result.host, IsPlain)) return Malformed(address);
  return result;
}

std::string RouteFor(std::string name) {
  for (char& c : name) {
    if (!IsPlain(c)) c = '_';
  }
  return name;
}

std::string RoutedAddress::ToString() const {
  return route.empty() ? place.ToString() : place.ToString() + '/' + route;
}

absl::StatusOr<RoutedAddress> ParseRoutedAddress(const std::string& address) {
  RoutedAddress result;
  const size_t slash = address.find('/');
  SKEIN_ASSIGN_OR_RETURN(result.place, ParseHostPort(address.substr(0, slash)));
  if (slash == std::string::npos) return result;
  result.route = address.substr(slash + 1);
  if (result.route.empty() || !std::ranges::all_of(result.route, IsPlain)) {
    return Malformed(address);
  }
  return result;
}

bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

absl::Status CheckListenAddress(const HostPort& address, bool insecure) {
  if (!insecure && !IsLoopback(address.host)) {
    return absl::FailedPreconditionError(
        "refusing to listen on " + address.ToString() +
        ": it is reachable from other machines and there is no TLS yet; use 127.0.0.1, or "
        "--insecure on a network that you trust");
  }
  return TryBind(address);
}

}  // namespace skein
