#ifndef SKEIN_TRANSPORT_INPROC_CONNECTION_H_
#define SKEIN_TRANSPORT_INPROC_CONNECTION_H_

#include <array>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <absl/status/status.h>

#include "skein/transport/transport.h"
#include "transport/send_window.h"

namespace skein {

// Both ends of a link within the process. What one end sends waits in the other end's inbox, from
// where one task at a time takes one frame to the handler; the inbox is thus the sender's queue.
// Thread-safe; no call to a handler or executor is made under the mutex. Held by the Link objects
// of both ends and by the tasks under way; holds each handler until it has had its OnClosed.
class InprocConnection : public std::enable_shared_from_this<InprocConnection> {
 public:
  enum Side { kDialer = 0, kAcceptor = 1 };

  InprocConnection(std::shared_ptr<Executor> dialer_executor, std::shared_ptr<LinkHandler> dialer,
                   std::shared_ptr<Executor> acceptor_executor);

  // The acceptor's handler; frames that came before it are delivered from now on.
  void Accept(std::shared_ptr<LinkHandler> handler);
  // The acceptor has been given this link; from then on a stop of the listener is a regular end.
  void SetOffered();
  bool offered() const;

  void Send(Side side, Frame frame);
  bool Writable(Side side) const;
  void Close(Side side, absl::Status status);
  LinkStats stats(Side side) const;

 private:
  struct Queued {
    Frame frame;
    size_t size = 0;
  };
  struct End {
    std::shared_ptr<Executor> executor;
    std::shared_ptr<LinkHandler> handler;  // null before Accept and after OnClosed
    std::deque<Queued> inbox;
    SendWindow window;  // of what this end has sent and the other has not taken
    // Set when the link ends for this side, for OnClosed once the inbox is empty. What it sends
    // from then on is dropped.
    std::optional<absl::Status> last;
    bool delivering = false;  // a delivery task is posted or runs
    LinkStats stats;
  };

  // True if a delivery task must be posted for this end, which is marked as done.
  static bool ClaimDelivery(End& end);
  void PostDelivery(Side side);
  void Deliver(Side side);
  void TellWritable(Side side, const std::shared_ptr<LinkHandler>& handler);

  static Side Other(Side side) { return side == kDialer ? kAcceptor : kDialer; }

  mutable std::mutex mutex_;
  std::array<End, 2> ends_;
  bool offered_ = false;
};

// One end as the user sees it; closes when destroyed.
class InprocLink final : public Link {
 public:
  InprocLink(std::shared_ptr<InprocConnection> connection, InprocConnection::Side side)
      : connection_(std::move(connection)), side_(side) {}
  ~InprocLink() override { connection_->Close(side_, absl::OkStatus()); }

  void Send(Frame frame) override { connection_->Send(side_, std::move(frame)); }
  bool Writable() const override { return connection_->Writable(side_); }
  void Close(absl::Status status) override { connection_->Close(side_, std::move(status)); }
  LinkStats stats() const override { return connection_->stats(side_); }

 private:
  const std::shared_ptr<InprocConnection> connection_;
  const InprocConnection::Side side_;
};

}  // namespace skein

#endif  // SKEIN_TRANSPORT_INPROC_CONNECTION_H_
