#include "app/bench/baselines.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <vector>

namespace skein {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kPiece = size_t{1} << 20;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace

double RawTcpBytesPerSecond(uint64_t bytes) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const Socket listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (bind(listener.fd(), generic, size) != 0 || listen(listener.fd(), 1) != 0 ||
      getsockname(listener.fd(), generic, &size) != 0) {
    return 0;
  }
  const Socket sender(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (connect(sender.fd(), generic, size) != 0) return 0;
  const Socket receiver(accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC));
  std::vector<char> in(kPiece, 1);
  const std::vector<char> out(kPiece, 2);
  const auto start = Clock::now();
  std::thread writer([&] {
    uint64_t left = bytes;
    while (left > 0) {
      const ssize_t n =
          send(sender.fd(), out.data(), std::min<uint64_t>(left, out.size()), MSG_NOSIGNAL);
      if (n <= 0) break;
      left -= static_cast<uint64_t>(n);
    }
    shutdown(sender.fd(), SHUT_WR);
  });
  uint64_t received = 0;
  for (ssize_t n; (n = recv(receiver.fd(), in.data(), in.size(), 0)) > 0;) {
    received += static_cast<uint64_t>(n);
  }
  const double seconds = SecondsSince(start);
  writer.join();
  return received == bytes ? static_cast<double>(bytes) / seconds : 0;
}

double MemcpyBytesPerSecond(uint64_t bytes) {
  const std::vector<char> from(bytes, 1);
  std::vector<char> to(bytes, 2);
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const auto start = Clock::now();
    std::memcpy(to.data(), from.data(), bytes);
    // The copy must not be optimized away.
    asm volatile("" : : "r"(to.data()) : "memory");
    best = std::max(best, static_cast<double>(bytes) / SecondsSince(start));
  }
  return best;
}

}  // namespace skein
