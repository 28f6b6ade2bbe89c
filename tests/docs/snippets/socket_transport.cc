#include "docs/snippets/socket_transport.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "docs/snippets/socket_connection.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// Gives what comes in to the acceptor. Shared by the listener and the tasks under way.
class SocketAcceptor : public std::enable_shared_from_this<SocketAcceptor> {
 public:
  SocketAcceptor(std::shared_ptr<Executor> executor, std::shared_ptr<Acceptor> acceptor,
                 std::shared_ptr<ThreadCount> threads)
      : executor_(std::move(executor)),
        acceptor_(std::move(acceptor)),
        threads_(std::move(threads)) {}

  void Take(int fd) {
    auto connection = std::make_shared<SocketConnection>("", fd, executor_, threads_);
    {
      std::lock_guard lock(mutex_);
      std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
      connections_.push_back(connection);
    }
    executor_->Post([self = shared_from_this(), connection] { self->Offer(connection); });
  }

  void Shut() {
    std::shared_ptr<Acceptor> acceptor;  // released outside the lock
    std::lock_guard lock(mutex_);
    acceptor.swap(acceptor_);
    for (const auto& weak : connections_) {
      const auto connection = weak.lock();
      if (connection == nullptr) continue;
      connection->Close(connection->offered()
                            ? absl::OkStatus()
                            : absl::UnavailableError("the parent stopped listening"));
    }
  }

 private:
  // For a link that nobody takes.
  class Nobody : public LinkHandler {
    void OnFrame(Frame) override {}
    void OnWritable() override {}
    void OnClosed(absl::Status) override {}
  };

  void Offer(const std::shared_ptr<SocketConnection>& connection) {
    std::shared_ptr<Acceptor> acceptor;
    {
      std::lock_guard lock(mutex_);
      acceptor = acceptor_;
    }
    std::shared_ptr<LinkHandler> handler;
    std::shared_ptr<Link> link;
    if (acceptor != nullptr) {
      connection->SetOffered();
      // Kept for a moment: dropped with a refusal it would close the link without a reason.
      link = std::make_shared<SocketLink>(connection);
      handler = acceptor->OnLink(link);
      if (handler == nullptr) {
        connection->Close(absl::UnavailableError("the parent refused the link"));
      }
    }
    if (handler == nullptr) handler = std::make_shared<Nobody>();
    connection->Start(std::move(handler));  // it also tells the peer of the end
  }

  const std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::shared_ptr<Acceptor> acceptor_;  // null once shut
  const std::shared_ptr<ThreadCount> threads_;
  std::vector<std::weak_ptr<SocketConnection>> connections_;
};

class SocketListener final : public Listener {
 public:
  SocketListener(std::string address, int fd, std::shared_ptr<SocketAcceptor> acceptor)
      : address_(std::move(address)), fd_(fd), acceptor_(std::move(acceptor)), thread_([this] {
          for (int link = 0; link >= 0 || errno == EINTR || errno == ECONNABORTED;) {
            link = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
            if (link >= 0) acceptor_->Take(link);
          }
        }) {}
  ~SocketListener() override {
    unlink(address_.c_str());
    shutdown(fd_, SHUT_RDWR);  // wakes the thread
    thread_.join();
    close(fd_);
    acceptor_->Shut();
  }
  std::string address() const override { return address_; }

 private:
  const std::string address_;
  const int fd_;
  const std::shared_ptr<SocketAcceptor> acceptor_;
  std::thread thread_;
};

class SocketTransport final : public Transport {
 public:
  ~SocketTransport() override { threads_->WaitForNone(); }

  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address.empty() || address.size() >= sizeof(name.sun_path)) {
      return absl::InvalidArgumentError("'" + address + "' is no path of a socket");
    }
    std::memcpy(name.sun_path, address.data(), address.size());
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&name), sizeof(name)) != 0 ||
        listen(fd, SOMAXCONN) != 0) {
      const std::string why = std::generic_category().message(errno);
      if (fd >= 0) close(fd);
      return absl::UnavailableError("cannot listen on '" + address + "': " + why +
                                    "; choose another path, or remove what is there");
    }
    return std::make_unique<SocketListener>(
        address, fd,
        std::make_shared<SocketAcceptor>(std::move(executor), std::move(acceptor), threads_));
  }

  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    auto connection =
        std::make_shared<SocketConnection>(address, /*fd=*/-1, std::move(executor), threads_);
    connection->Start(std::move(handler));
    return std::make_shared<SocketLink>(std::move(connection));
  }

 private:
  const std::shared_ptr<ThreadCount> threads_ = std::make_shared<ThreadCount>();
};

}  // namespace

std::shared_ptr<Transport> MakeSocketTransport() { return std::make_shared<SocketTransport>(); }

}  // namespace skein
