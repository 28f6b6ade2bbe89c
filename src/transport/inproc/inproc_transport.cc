#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "skein/transport/transport.h"
#include "transport/inproc/connection.h"

namespace skein {
namespace {

// Takes new connections for one Listen. Every connection is known here from the moment it is
// dialed, so that the listener's end reaches those that are still to be accepted.
class Endpoint : public std::enable_shared_from_this<Endpoint> {
 public:
  Endpoint(std::shared_ptr<Executor> executor, std::shared_ptr<Acceptor> acceptor)
      : executor_(std::move(executor)), acceptor_(std::move(acceptor)) {}

  const std::shared_ptr<Executor>& executor() const { return executor_; }

  // False if the listener is gone.
  bool Connect(const std::shared_ptr<InprocConnection>& connection) {
    {
      std::lock_guard lock(mutex_);
      if (acceptor_ == nullptr) return false;
      // Forgets connections that are over, at a constant cost per new one.
      if (connections_.size() >= prune_at_) {
        std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
        prune_at_ = 2 * connections_.size() + 16;
      }
      connections_.push_back(connection);
    }
    executor_->Post([self = shared_from_this(), connection] { self->Accept(connection); });
    return true;
  }

  void Shut() {
    std::shared_ptr<Acceptor> acceptor;  // released outside the lock
    std::vector<std::weak_ptr<InprocConnection>> connections;
    {
      std::lock_guard lock(mutex_);
      acceptor.swap(acceptor_);
      connections.swap(connections_);
    }
    for (const auto& weak : connections) {
      const std::shared_ptr<InprocConnection> connection = weak.lock();
      if (connection == nullptr) continue;
      connection->Close(InprocConnection::kAcceptor,
                        connection->offered()
                            ? absl::OkStatus()
                            : absl::UnavailableError("the parent stopped listening"));
    }
  }

 private:
  void Accept(const std::shared_ptr<InprocConnection>& connection) {
    std::shared_ptr<Acceptor> acceptor;
    {
      std::lock_guard lock(mutex_);
      acceptor = acceptor_;
    }
    if (acceptor == nullptr) return;  // Shut has closed the connection
    connection->SetOffered();
    auto link = std::make_shared<InprocLink>(connection, InprocConnection::kAcceptor);
    std::shared_ptr<LinkHandler> handler = acceptor->OnLink(link);
    if (handler == nullptr) {
      connection->Close(InprocConnection::kAcceptor,
                        absl::UnavailableError("the parent refused the link"));
      return;
    }
    connection->Accept(std::move(handler));
  }

  const std::shared_ptr<Executor> executor_;
  std::mutex mutex_;
  std::shared_ptr<Acceptor> acceptor_;  // null once shut
  std::vector<std::weak_ptr<InprocConnection>> connections_;
  size_t prune_at_ = 16;
};

// The names of one transport. Shared with its listeners, which take their names out again.
struct Names {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Endpoint>> endpoints;
  uint64_t next = 1;
};

class InprocListener final : public Listener {
 public:
  InprocListener(std::shared_ptr<Names> names, std::string name, std::shared_ptr<Endpoint> endpoint)
      : names_(std::move(names)), name_(std::move(name)), endpoint_(std::move(endpoint)) {}
  ~InprocListener() override {
    {
      std::lock_guard lock(names_->mutex);
      names_->endpoints.erase(name_);
    }
    endpoint_->Shut();
  }
  std::string address() const override { return name_; }

 private:
  const std::shared_ptr<Names> names_;
  const std::string name_;
  const std::shared_ptr<Endpoint> endpoint_;
};

class InprocTransport final : public Transport {
 public:
  absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                   std::shared_ptr<Executor> executor,
                                                   std::shared_ptr<Acceptor> acceptor) override {
    auto endpoint = std::make_shared<Endpoint>(std::move(executor), std::move(acceptor));
    std::string name = address;
    {
      std::lock_guard lock(names_->mutex);
      while (name.empty() || (address.empty() && names_->endpoints.contains(name))) {
        name = "inproc-" + std::to_string(names_->next++);
      }
      if (!names_->endpoints.emplace(name, endpoint).second) {
        return absl::UnavailableError("cannot listen on '" + name +
                                      "': the address is in use; choose another one");
      }
    }
    return std::make_unique<InprocListener>(names_, std::move(name), std::move(endpoint));
  }

  std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                             std::shared_ptr<LinkHandler> handler) override {
    std::shared_ptr<Endpoint> endpoint;
    {
      std::lock_guard lock(names_->mutex);
      const auto it = names_->endpoints.find(address);
      if (it != names_->endpoints.end()) endpoint = it->second;
    }
    // Without a listener the far end is never accepted and its executor never used.
    auto connection = std::make_shared<InprocConnection>(
        executor, std::move(handler), endpoint == nullptr ? executor : endpoint->executor());
    if (endpoint == nullptr || !endpoint->Connect(connection)) {
      connection->Close(
          InprocConnection::kAcceptor,
          absl::UnavailableError("cannot reach '" + address + "': nothing listens there"));
    }
    return std::make_shared<InprocLink>(std::move(connection), InprocConnection::kDialer);
  }

 private:
  const std::shared_ptr<Names> names_ = std::make_shared<Names>();
};

}  // namespace

std::shared_ptr<Transport> MakeInprocTransport() { return std::make_shared<InprocTransport>(); }

}  // namespace skein
