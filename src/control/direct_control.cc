#include "skein/control/direct_control.h"

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

namespace skein {
namespace {

// Both ends of one connection share this. What is posted checks `open` again when it runs, so that
// nothing arrives after the end.
class Connection : public ControlSession, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::weak_ptr<ControlPlane> plane, std::shared_ptr<Executor> executor,
             std::shared_ptr<ControlHandler> handler, Duration latency)
      : plane_(std::move(plane)),
        executor_(std::move(executor)),
        handler_(std::move(handler)),
        latency_(latency) {}

  // From the control plane.
  void Send(ControlMessage message) override {
    Later([message = std::move(message)](Connection& self) mutable {
      if (self.to_node_) self.handler_->OnControl(std::move(message));
    });
  }
  void Close(absl::Status status) override {
    Later([status = std::move(status)](Connection& self) {
      self.to_plane_ = false;
      self.CloseNode(status);
    });
  }

  // From the node.
  void SendUp(NodeMessage message) {
    Later([message = std::move(message)](Connection& self) mutable {
      const auto plane = self.plane_.lock();
      if (self.to_plane_ && plane != nullptr) {
        plane->OnMessage(self.shared_from_this(), std::move(message));
      }
    });
  }
  void CloseUp() {
    Later([](Connection& self) {
      self.ClosePlane(absl::OkStatus());
      self.CloseNode(absl::OkStatus());
    });
  }

  void Cut() {
    const absl::Status status = absl::UnavailableError("the connection was cut");
    ClosePlane(status);
    executor_->Post([self = shared_from_this(), status] { self->CloseNode(status); });
  }

 private:
  void Later(std::function<void(Connection&)> task) {
    auto run = [self = shared_from_this(), task = std::move(task)] { task(*self); };
    if (latency_ == Duration(0)) {
      executor_->Post(std::move(run));
    } else {
      executor_->PostAt(executor_->Now() + latency_, std::move(run));
    }
  }
  void CloseNode(const absl::Status& status) {
    if (!to_node_.exchange(false)) return;
    // The handler owns the link and with it this object, so it must not be held any longer.
    const std::shared_ptr<ControlHandler> handler = std::exchange(handler_, nullptr);
    handler->OnControlClosed(status);
  }
  void ClosePlane(const absl::Status& status) {
    const auto plane = plane_.lock();
    if (to_plane_.exchange(false) && plane != nullptr) {
      plane->OnSessionClosed(shared_from_this(), status);
    }
  }

  const std::weak_ptr<ControlPlane> plane_;   // holds this object while the node is registered
  const std::shared_ptr<Executor> executor_;  // the node's; everything passes through it
  std::shared_ptr<ControlHandler> handler_;   // used on the executor only
  const Duration latency_;
  std::atomic<bool> to_plane_{true};
  std::atomic<bool> to_node_{true};
};

}  // namespace

struct DirectControl::State {
  std::shared_ptr<ControlPlane> plane;
  Duration latency{0};
  std::mutex mutex;
  std::map<NodeId, std::weak_ptr<Connection>> by_node;  // the last that registered
};

namespace {

template <typename State>
class DirectLink : public ControlLink {
 public:
  DirectLink(std::shared_ptr<State> state, std::shared_ptr<Connection> connection)
      : state_(std::move(state)), connection_(std::move(connection)) {}
  ~DirectLink() override { Close(); }

  void Send(NodeMessage message) override {
    if (closed_) return;
    if (const auto* registration = std::get_if<RegisterMsg>(&message)) {
      std::lock_guard lock(state_->mutex);
      state_->by_node[registration->node] = connection_;
    }
    connection_->SendUp(std::move(message));
  }
  void Close() override {
    if (!closed_.exchange(true)) connection_->CloseUp();
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Connection> connection_;
  std::atomic<bool> closed_{false};
};

}  // namespace

DirectControl::DirectControl(std::shared_ptr<ControlPlane> plane, Duration latency)
    : state_(std::make_shared<State>()) {
  state_->plane = std::move(plane);
  state_->latency = latency;
}

DirectControl::~DirectControl() = default;

std::shared_ptr<ControlLink> DirectControl::Connect(std::shared_ptr<Executor> executor,
                                                    std::shared_ptr<ControlHandler> handler) {
  auto connection = std::make_shared<Connection>(state_->plane, std::move(executor),
                                                 std::move(handler), state_->latency);
  return std::make_shared<DirectLink<State>>(state_, std::move(connection));
}

void DirectControl::Cut(const NodeId& node) {
  std::shared_ptr<Connection> connection;
  {
    std::lock_guard lock(state_->mutex);
    const auto it = state_->by_node.find(node);
    if (it != state_->by_node.end()) connection = it->second.lock();
  }
  if (connection != nullptr) connection->Cut();
}

}  // namespace skein
