#ifndef SKEIN_SRC_RUNTIME_UPLINK_H_
#define SKEIN_SRC_RUNTIME_UPLINK_H_

#include <memory>
#include <optional>
#include <string>

#include "codec/link_codecs.h"
#include "runtime/inbound_transfer.h"
#include "runtime/outbox.h"
#include "skein/runtime/control_link.h"
#include "skein/transport/transport.h"

namespace skein {

// A model as it came from the parent.
struct ReceivedModel {
  ModelHeader header;
  PackedTensors tensors;
  std::string digest;                           // TransferDigest of the tensors
  std::optional<OutboundTensors> payload = {};  // what it was decoded from, to be sent on
};

// The child's end of the link to its parent: dials as the control plane says, dials again when the
// link breaks, receives models, sends updates. Lives on the node's executor.
class Uplink : public LinkHandler, public std::enable_shared_from_this<Uplink> {
 public:
  // What the node is told. All calls on its executor.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnParentUp(
        Epoch epoch) = 0;  // welcomed; whatever is unanswered is to be offered again
    virtual void OnTask(Task task) = 0;
    virtual bool HasModel(const VersionRef& version) const = 0;
    // The whole of it, as a base for differences; no value if it is not here.
    virtual std::optional<PackedTensors> BaseModel(const VersionRef&) const { return {}; }
    virtual void OnModel(ReceivedModel model) = 0;  // complete, its digest verified
    // A model that is not encoded begins to come in, for nodes that send on what they have of it:
    // true to be told when there is more, and if nothing comes of it after all.
    virtual bool OnModelBegun(const ModelHeader&, std::shared_ptr<InboundTransfer>) {
      return false;
    }
    virtual void OnModelGrew() {}
    virtual void OnModelLost(const VersionRef&) {}
    // The parent speaks another protocol; it is not dialed again.
    virtual void OnParentForeign(const absl::Status&) {}
    virtual void OnCancel(const CancelFrame& cancel) = 0;
    virtual void OnCommitted(const CommittedFrame& committed) = 0;
  };

  // `owner` must outlive the uplink or Close it. `jitter_seed` spreads redials of many children.
  // Models are received into blocks of `buffers`; those that are encoded are decoded by `codecs`
  // (null: none are).
  Uplink(Owner* owner, std::shared_ptr<Transport> transport, std::shared_ptr<Executor> executor,
         std::shared_ptr<BufferPool> buffers, HelloFrame hello, uint64_t jitter_seed,
         std::shared_ptr<const LinkCodecs> codecs = nullptr);

  void Attach(const AttachMsg& attach);
  void Close();
  // Small frames; dropped while there is no link.
  void Send(Frame frame);
  // Tensors for the parent. `transfer` numbers are the caller's and never repeat. Offers do not
  // survive the link: OnParentUp says when to make them again.
  void Offer(uint64_t transfer, OutboundTensors tensors, decltype(OfferFrame::header) header,
             Outbox::Answer answer);
  void Withdraw(uint64_t transfer);

 private:
  class Handler;
  // A model that is coming in.
  struct Incoming {
    uint64_t transfer = 0;
    ModelHeader header;
    std::shared_ptr<InboundTransfer> bytes;  // null: we have this version already
    bool watched = false;                    // the owner wants to hear of it as it grows
    std::optional<Encoding> encoding = {};
    Manifest encoded = {};  // the manifest of what is encoded
  };

  void OnFrame(Frame frame) override;
  void OnWritable() override;
  void OnClosed(absl::Status status) override;
  void Dial();
  void On(OfferFrame& offer);
  void On(const ChunkFrame& chunk);
  void On(const TrailerFrame& trailer);
  std::shared_ptr<ChunkSink> MakeSink();
  absl::Status CheckEncoding(const OfferFrame& offer) const;
  bool GoesOn(const OfferFrame& offer, const VersionRef& version) const;
  absl::StatusOr<ReceivedModel> Decode(const Incoming& incoming, const std::string& digest);
  void Refuse(uint64_t transfer, const absl::Status& why);
  void DetachIncoming();  // its link is gone; it may go on with another
  void DropIncoming();    // nothing comes of it

  Owner* owner_;
  std::shared_ptr<Transport> transport_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<BufferPool> buffers_;
  HelloFrame hello_;
  uint64_t jitter_;
  std::shared_ptr<const LinkCodecs> codecs_;
  AttachMsg attach_;
  uint64_t generation_ = 0;  // of the link; calls of older ones are ignored
  int failures_ = 0;         // dials in a row that did not lead to a welcome, or to one that lasted
  bool garbled_ = false;     // the last link ended because of what the parent said
  bool welcomed_ = false;
  std::shared_ptr<Link> link_;
  std::optional<Outbox> outbox_;
  std::optional<Incoming> incoming_;  // kept when the link breaks, to resume
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_UPLINK_H_
