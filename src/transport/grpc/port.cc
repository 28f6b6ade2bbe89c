#include "transport/grpc/port.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <grpcpp/security/server_credentials.h>
#include <spdlog/spdlog.h>

#include "skein/base/status.h"
#include "transport/grpc/channel.h"

namespace skein {
namespace {

constexpr int kBacklog = 4096;     // the system's own bound is mostly lower
constexpr int kPauseMs = 100;      // between looks for descriptors that are free again
constexpr rlim_t kKeptFiles = 16;  // for files of runs, and for what starts meanwhile

absl::Status CannotListen(const std::string& name, int error) {
  const std::string reason =
      error == EADDRINUSE ? "the port is in use" : std::generic_category().message(error);
  return absl::UnavailableError("cannot listen on " + name + ": " + reason +
                                "; choose another address, or port 0 for any free port");
}

void Set(int socket, int level, int option, int value) {
  setsockopt(socket, level, option, &value, sizeof(value));
}

// Connections inherit most of it.
int BoundSocket(const addrinfo& at) {
  const int fd = socket(at.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  Set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  Set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, kKeepaliveTimeoutMs);
  if (at.ai_family == AF_INET6) Set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (bind(fd, at.ai_addr, at.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

int NumberOf(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&address)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&address)->sin_port);
}

// Where there is IPv6, its "any" is that of IPv4, too.
constexpr char kAnyV4[] = "0.0.0.0", kAny[] = "::";

bool HasV6() {
  const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  Set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  const bool has = bind(fd, reinterpret_cast<sockaddr*>(&any), sizeof(any)) == 0;
  close(fd);
  return has;
}

rlim_t MostFiles() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

// The system gives out the lowest numbers first.
bool HasRoom(int any_fd) {
  const int next = fcntl(any_fd, F_DUPFD_CLOEXEC, 0);
  if (next < 0) return false;
  close(next);
  const rlim_t most = MostFiles();
  return most == RLIM_INFINITY || static_cast<rlim_t>(next) + kKeptFiles < most;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Port>> Port::Open(const HostPort& address,
                                                 grpc::ServerBuilder& builder) {
  std::unique_ptr<Port> port(new Port(address.ToString()));
  SKEIN_RETURN_IF_ERROR(port->Listen(address));
  port->server_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      grpc::InsecureServerCredentials());
  return port;
}

// On every address that the host's name has, as gRPC does; any one will do.
absl::Status Port::Listen(const HostPort& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  number_ = address.port;
  const char* host = address.host == kAnyV4 && HasV6() ? kAny : address.host.c_str();
  const int failed = getaddrinfo(host, std::to_string(number_).c_str(), &hints, &found);
  if (failed != 0) {
    return absl::UnavailableError("cannot listen on " + name_ + ": " + gai_strerror(failed) +
                                  "; choose another address");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, &freeaddrinfo);
  int error = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (number_ != address.port) {  // port 0: all get what the first got
      reinterpret_cast<sockaddr_in*>(at->ai_addr)->sin_port = htons(static_cast<uint16_t>(number_));
    }
    const int fd = BoundSocket(*at);
    if (fd < 0) {
      error = errno;
      continue;
    }
    sockets_.push_back(fd);
    if (number_ == 0) number_ = NumberOf(fd);
  }
  if (sockets_.empty()) return CannotListen(name_, error);
  name_ = HostPort{address.host, number_}.ToString();
  end_ = eventfd(0, EFD_CLOEXEC);
  return end_ >= 0 ? absl::OkStatus() : CannotListen(name_, errno);
}

Port::~Port() {
  if (thread_.joinable()) {
    eventfd_write(end_, 1);
    thread_.join();
  }
  for (const int fd : sockets_) close(fd);
  if (end_ >= 0) close(end_);
}

void Port::Start() {
  thread_ = std::thread([this] { Watch(); });
}

void Port::Watch() {
  bool told = false;
  bool room = true;
  while (true) {
    std::vector<pollfd> fds = {{end_, POLLIN, 0}};
    for (const int fd : sockets_) {
      if (room) fds.push_back({fd, POLLIN, 0});
    }
    if (poll(fds.data(), fds.size(), room ? -1 : kPauseMs) < 0) continue;
    if (fds[0].revents != 0) return;
    room = true;
    for (const int fd : sockets_) room = Take(fd) && room;
    if (!room && !std::exchange(told, true)) {
      spdlog::warn(
          "{} takes no more connections, the limit is {} open files; raise it "
          "(ulimit -n, or LimitNOFILE of the service)",
          name_, MostFiles());
    }
  }
}

bool Port::Take(int socket) {
  while (true) {
    if (!HasRoom(socket)) return false;  // who waits is taken later
    const int fd = accept4(socket, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
      return false;
    }
    if (fd < 0) continue;  // that connection is gone already
    Server::NewConnectionParameters connection;
    connection.listener_fd = -1;
    connection.fd = fd;
    server_->HandleNewConnection(&connection);
  }
}

}  // namespace skein
