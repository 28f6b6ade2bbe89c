#ifndef SKEIN_TRANSPORT_TRANSPORT_H_
#define SKEIN_TRANSPORT_TRANSPORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "skein/base/executor.h"
#include "skein/transport/frame.h"

namespace skein {

// The data plane's lowest layer: ordered, reliable, bounded links of frames between a parent, which
// listens, and its children, which dial. Tensor transfers are built on top (runtime/transfer.h).
// To add a transport: implement these three classes in a folder of src/transport/, and instantiate
// the conformance suite (skein/testing/transport_conformance.h).

struct LinkStats {
  uint64_t bytes_sent = 0;      // encoded frames handed to the wire
  uint64_t bytes_received = 0;  // encoded frames taken from it
};

// Receives what happens on one link. All calls come on the executor that was given to Dial or
// Listen, one at a time, and none after OnClosed. The link reads its next frame only after OnFrame
// has returned, which is how a slow receiver holds its sender back.
class LinkHandler {
 public:
  virtual ~LinkHandler() = default;
  virtual void OnFrame(Frame frame) = 0;
  // Queued frames have dropped below the low-water mark after Writable() was false.
  virtual void OnWritable() = 0;
  // The end, exactly once: OK after a regular close by either side, otherwise why.
  virtual void OnClosed(absl::Status status) = 0;
};

// Takes the payloads of one incoming transfer from the wire to where they belong, so that they are
// copied once. An error closes the link with it.
class ChunkSink {
 public:
  virtual ~ChunkSink() = default;
  // The payload of one chunk, which is `pieces` one after another; good during the call. On any
  // thread, one call at a time, in the order of arrival.
  virtual absl::Status Take(uint64_t offset, uint64_t checksum,
                            std::span<const std::span<const std::byte>> pieces) = 0;
};

// One end of a connection. Any thread may call any method. Destruction closes; after the
// destructor has returned the handler may still get calls that were already posted, so handlers
// are held by weak or shared pointers.
class Link {
 public:
  virtual ~Link() = default;
  // Queues a frame. Frames arrive in order, whole and once, or the link closes. Never blocks;
  // after the end of the link frames are dropped. A chunk above 4 MiB or another frame above 16 MiB
  // closes the link (ResourceExhausted).
  virtual void Send(Frame frame) = 0;
  // False when enough is queued; bulk senders wait for OnWritable, small frames may always be sent.
  // False also after the end, when no OnWritable comes any more.
  virtual bool Writable() const = 0;
  // Sends what is queued, then closes; both handlers get OnClosed (the peer with `status`'s code
  // and message if it is an error). The own handler gets no more frames. A second call, or one
  // after the peer has closed, changes nothing but that. A peer that takes nothing for too long
  // (10 s with grpc) is cut off.
  virtual void Close(absl::Status status) = 0;
  virtual LinkStats stats() const = 0;
  // Chunks of `transfer` go to `sink` from now on, where the link can do so (grpc), without a word
  // to the handler; null ends that. A link that cannot hands all chunks to its handler.
  virtual void Receive(uint64_t /*transfer*/, std::shared_ptr<ChunkSink> /*sink*/) {}
};

// Accepts links at a parent.
class Acceptor {
 public:
  virtual ~Acceptor() = default;
  // Called on the listener's executor for every new link, before any of its frames. Returns the
  // handler; null refuses the link.
  virtual std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) = 0;
};

// A parent's open door; accepts links as long as it lives. Owned by whoever asked for it.
class Listener {
 public:
  // Stops accepting and closes all accepted links.
  virtual ~Listener() = default;
  // What children dial; with the port that the system chose.
  virtual std::string address() const = 0;
};

// Makes links. Thread-safe; outlives what it made.
class Transport {
 public:
  virtual ~Transport() = default;
  // `address`: "host:port" (port 0: any free one) for grpc, any name or "" for inproc. With grpc
  // listeners may share a port: each has a name of its own, "host:port/name". Unavailable if it
  // cannot be had (port in use), AlreadyExists if the name is taken, InvalidArgument if malformed.
  virtual absl::StatusOr<std::unique_ptr<Listener>> Listen(const std::string& address,
                                                           std::shared_ptr<Executor> executor,
                                                           std::shared_ptr<Acceptor> acceptor) = 0;
  // Starts to connect and returns at once; failure to connect is told by OnClosed (Unavailable).
  virtual std::shared_ptr<Link> Dial(const std::string& address, std::shared_ptr<Executor> executor,
                                     std::shared_ptr<LinkHandler> handler) = 0;
};

// Links inside one process; frames are handed over without encoding, payloads by reference.
std::shared_ptr<Transport> MakeInprocTransport();

// Links over gRPC bidirectional streams. Listens on loopback addresses only (FailedPrecondition
// otherwise) unless `insecure` is set: there is no TLS yet.
struct GrpcTransportOptions {
  bool insecure = false;
};
std::shared_ptr<Transport> MakeGrpcTransport(const GrpcTransportOptions& options = {});

}  // namespace skein

#endif  // SKEIN_TRANSPORT_TRANSPORT_H_
