#ifndef SKEIN_TESTS_DOCS_SNIPPETS_SOCKET_CONNECTION_H_
#define SKEIN_TESTS_DOCS_SNIPPETS_SOCKET_CONNECTION_H_

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "skein/transport/transport.h"
#include "skein/v1/data_plane.pb.h"
#include "transport/send_window.h"

namespace skein {

// Counts the threads of a transport, so that its end can wait for theirs.
class ThreadCount : public std::enable_shared_from_this<ThreadCount> {
 public:
  void Start(std::function<void()> work);
  void WaitForNone();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int running_ = 0;
};

// One end of a connection over a Unix socket, with a thread that reads and one that writes. On the
// wire a frame is its length, 4 bytes, and the message of data_plane.proto. Held by its Link, its
// threads and the tasks under way; no call to a handler or executor is made under the mutex.
class SocketConnection : public std::enable_shared_from_this<SocketConnection> {
 public:
  // Connects to `address` on its own thread, or takes over `fd`, which is connected.
  SocketConnection(std::string address, int fd, std::shared_ptr<Executor> executor,
                   std::shared_ptr<ThreadCount> threads);
  ~SocketConnection();

  // Frames are read from now on. Once.
  void Start(std::shared_ptr<LinkHandler> handler);

  void Send(Frame frame);
  bool Writable() const;
  void Close(absl::Status status);
  LinkStats stats() const;

  // The acceptor has been given this link: from then on a stop of the listener is a regular end.
  void SetOffered();
  bool offered() const;

 private:
  struct Outgoing {
    v1::Frame message;
    size_t size = 0;  // that counts for the window and the statistics
  };
  void Read();
  void Write();
  absl::Status Connect();
  // Gives the frame to the handler and waits until it is done with it.
  void Deliver(Frame frame);
  void End(absl::Status status);

  const std::string address_;
  const std::shared_ptr<Executor> executor_;
  const std::shared_ptr<ThreadCount> threads_;
  int fd_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::shared_ptr<LinkHandler> handler_;  // null after OnClosed
  std::deque<Outgoing> queue_;
  SendWindow window_;
  std::optional<absl::Status> end_;  // why, whoever said it first
  bool closed_here_ = false;         // by its user: the handler gets no more frames
  bool read_ended_ = false;          // nothing comes any more, and nothing that is sent is read
  bool offered_ = false;
  LinkStats stats_;
};

// The end as its user sees it; closes when destroyed.
class SocketLink final : public Link {
 public:
  explicit SocketLink(std::shared_ptr<SocketConnection> connection)
      : connection_(std::move(connection)) {}
  ~SocketLink() override { connection_->Close(absl::OkStatus()); }

  void Send(Frame frame) override { connection_->Send(std::move(frame)); }
  bool Writable() const override { return connection_->Writable(); }
  void Close(absl::Status status) override { connection_->Close(std::move(status)); }
  LinkStats stats() const override { return connection_->stats(); }

 private:
  const std::shared_ptr<SocketConnection> connection_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_DOCS_SNIPPETS_SOCKET_CONNECTION_H_
