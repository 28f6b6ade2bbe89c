#ifndef SKEIN_SRC_RUNTIME_OUTBOX_H_
#define SKEIN_SRC_RUNTIME_OUTBOX_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <absl/status/status.h>

#include "skein/codec/pipeline.h"
#include "skein/tensor/chunk_codec.h"
#include "skein/transport/transport.h"

namespace skein {

// A transfer's source: tensors that are all here, or that are still arriving, so that a node can
// send on what it has; or what a link's codecs made of them. Copies share it. Written on the node's
// executor.
class OutboundTensors {
 public:
  OutboundTensors() = default;
  // Whole; `digest`, its TransferDigest, goes into the trailer.
  OutboundTensors(PackedTensors tensors, std::string digest);
  // A whole model; computes its digest.
  static OutboundTensors OfModel(PackedTensors model);
  // Of which `received` tells how much is there; whole once Finish has been called.
  OutboundTensors(PackedTensors tensors, std::function<uint64_t()> received);
  void Finish(std::string digest);
  // A payload, in place of tensors like `manifest`. It is whole.
  static OutboundTensors OfPayload(EncodedTensors payload, std::string form,
                                   std::optional<VersionRef> base, Manifest manifest,
                                   std::string digest);

  // What is sent.
  const PackedTensors& tensors() const { return state_->tensors; }
  // Of the tensors that it stands for.
  const Manifest& manifest() const;
  const std::optional<Encoding>& encoding() const { return state_->encoding; }
  const std::string& digest() const { return state_->digest; }
  bool whole() const { return state_->whole; }
  uint64_t available() const;
  // The checksum of a chunk, computed once however many receivers there are.
  uint64_t ChecksumOf(uint64_t offset, std::span<const std::byte> bytes) const;

 private:
  struct State {
    PackedTensors tensors;
    std::optional<Encoding> encoding;
    Manifest encoded;  // the manifest of what is encoded
    std::string digest;
    bool whole = false;
    std::function<uint64_t()> received;
    std::vector<std::optional<uint64_t>> checksums;  // of the chunks of the default cut
  };
  std::shared_ptr<State> state_;
};

// Of the block that what is offered comes in: that of its tensors, or one for a payload.
Manifest BlockManifest(const OfferFrame& offer);

// The sending side of tensor transfers on one link: offers, waits for the grant, then sends chunks
// as fast as the link takes them. Several transfers take turns, chunk by chunk. Lives on the
// executor of the link's handler.
class Outbox {
 public:
  // Called once per transfer: OK or the receiver's reason. Not called if the link breaks first.
  using Answer = std::function<void(const absl::Status&)>;

  explicit Outbox(std::shared_ptr<Link> link) : link_(std::move(link)) {}

  // `header` names the tensors' kind.
  void Offer(uint64_t transfer, OutboundTensors tensors, decltype(OfferFrame::header) header,
             Answer answer);
  // Forgets a transfer; what the receiver still says of it is ignored.
  void Withdraw(uint64_t transfer) { transfers_.erase(transfer); }

  void OnGrant(const GrantFrame& grant);
  void OnAck(const AckFrame& ack);
  // The link has room, or a source has grown.
  void OnWritable() { Pump(); }

 private:
  struct Transfer {
    OutboundTensors tensors;
    Answer answer;
    std::optional<ChunkEncoder> encoder;  // once granted
    bool sent = false;
    bool HasNext() const;  // something to send right now
  };
  using Transfers = std::map<uint64_t, Transfer>;
  void Pump();
  Transfers::iterator NextTurn();  // end if none has anything to send

  std::shared_ptr<Link> link_;
  Transfers transfers_;
  uint64_t last_turn_ = 0;  // the transfer that sent last
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_OUTBOX_H_
