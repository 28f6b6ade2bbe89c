#ifndef SKEIN_TRANSPORT_GRPC_STREAM_LINK_H_
#define SKEIN_TRANSPORT_GRPC_STREAM_LINK_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <absl/status/status.h>
#include <grpcpp/alarm.h>
#include <grpcpp/support/byte_buffer.h>

#include "skein/transport/transport.h"
#include "transport/grpc/frame_bytes.h"
#include "transport/send_window.h"

namespace skein {

// The operations of a gRPC stream that a link uses; the client's and the server's reactor differ in
// how they end. None calls back before it returns.
class FrameStream {
 public:
  virtual ~FrameStream() = default;
  virtual void Read(grpc::ByteBuffer* into) = 0;
  // `frame` stays until OnWriteDone. If `more`, another write follows at once, and what fits into
  // one call to the system may wait for it.
  virtual void Write(const grpc::ByteBuffer* frame, bool more) = 0;
  // After the last write, once: half-closes (client) or finishes the call (server).
  virtual void EndWrites() = 0;
  virtual void Cancel() = 0;
};

// One end of a link over gRPC: decides which operation is due on the stream, the same way for both
// ends. Thread-safe. Events come from the reactor, on gRPC's threads; the handler is called on the
// executor only. Shared by the user's Link, the reactor and the tasks under way.
//
// One read, one write and one delivery to the handler at most are under way; the next read starts
// when the handler, or the sink of a chunk, has returned. Sinks are called on gRPC's threads. A
// close is a Close frame after all others, then EndWrites; the client reads on until the server has
// finished the call. Whoever sees the stream end without a Close frame tells its handler
// Unavailable.
class StreamLink : public std::enable_shared_from_this<StreamLink> {
 public:
  enum class Role { kClient, kServer };
  StreamLink(Role role, std::shared_ptr<Executor> executor);

  // The reactor, once, before any other event; `stream` is good until OnDone.
  void Attach(FrameStream* stream);
  // Whose calls begin from now on.
  void SetHandler(std::shared_ptr<LinkHandler> handler);
  // The acceptor has been given this link; from then on a stop of the listener is a regular end.
  void SetOffered();
  bool offered() const;

  // As in Link.
  void Send(Frame frame);
  bool Writable() const;
  void Close(absl::Status status);
  LinkStats stats() const;
  void Receive(uint64_t transfer, std::shared_ptr<ChunkSink> sink);

  // Events of the stream.
  void OnReadDone(bool ok);
  void OnWriteDone(bool ok);
  void OnCancel();
  void OnDone(const absl::Status& status);  // the last one; `status` of the call

 private:
  struct Queued {
    Frame frame;
    size_t size = 0;
  };

  void Advance();  // starts what is due
  void StartWrite();
  // What has been read, without the mutex: a chunk that has a sink goes there, others to `inbound`.
  void Take(ReceivedFrame received);
  void CloseLocked(absl::Status status);
  void PeerIsOver(std::deque<Queued>& dropped);
  void ArmLinger();
  void OnLinger(uint64_t progress);
  void Deliver(LinkHandler& handler);
  void DeliverClosed(std::shared_ptr<LinkHandler> handler, absl::Status status);

  const Role role_;
  const std::shared_ptr<Executor> executor_;

  mutable std::mutex mutex_;
  FrameStream* stream_ = nullptr;  // null before Attach and after OnDone
  std::shared_ptr<LinkHandler> handler_;
  bool offered_ = false;
  bool done_ = false;
  std::optional<absl::Status> end_;  // what the handler is told; the first cause counts
  bool closed_here_ = false;         // no more frames for the handler, a Close frame at the end
  bool peer_over_ = false;           // nothing more comes that matters; what is queued is dropped

  std::deque<Queued> queue_;
  SendWindow window_;
  grpc::ByteBuffer write_buffer_;
  size_t writing_size_ = 0;
  bool writing_ = false;
  bool write_failed_ = false;
  bool close_written_ = false;
  bool writes_ended_ = false;

  grpc::ByteBuffer read_buffer_;
  bool reading_ = false;  // until what was read has been taken
  bool read_ended_ = false;
  std::optional<Frame> inbound_;  // on its way to the handler
  bool delivering_ = false;

  std::map<uint64_t, std::shared_ptr<ChunkSink>> sinks_;  // by transfer
  LinkStats stats_;
  uint64_t progress_ = 0;  // writes completed
  std::unique_ptr<grpc::Alarm> linger_;
};

// The user's end; closes when destroyed.
class GrpcLink final : public Link {
 public:
  explicit GrpcLink(std::shared_ptr<StreamLink> link) : link_(std::move(link)) {}
  ~GrpcLink() override { link_->Close(absl::OkStatus()); }

  void Send(Frame frame) override { link_->Send(std::move(frame)); }
  bool Writable() const override { return link_->Writable(); }
  void Close(absl::Status status) override { link_->Close(std::move(status)); }
  LinkStats stats() const override { return link_->stats(); }
  void Receive(uint64_t transfer, std::shared_ptr<ChunkSink> sink) override {
    link_->Receive(transfer, std::move(sink));
  }

 private:
  const std::shared_ptr<StreamLink> link_;
};

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_STREAM_LINK_H_
