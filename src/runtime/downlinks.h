#ifndef SKEIN_SRC_RUNTIME_DOWNLINKS_H_
#define SKEIN_SRC_RUNTIME_DOWNLINKS_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/aggregator_messages.h"
#include "runtime/inbound_transfer.h"
#include "runtime/outbox.h"
#include "skein/transport/transport.h"

namespace skein {

// A version for children: as it is, and as a link's codecs encode it where they do.
struct ModelForChildren {
  OutboundTensors whole;
  std::optional<OutboundTensors> encoded = {};
};

// The parent's ends of the links to its children: knows who is who, sends models, receives
// uploads under the core's credit. Decides nothing. Lives on the node's executor.
class Downlinks : public Acceptor, public std::enable_shared_from_this<Downlinks> {
 public:
  // What the node is told. All calls on its executor.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void OnChildUp(const NodeId& child, Epoch epoch) = 0;
    virtual void OnChildDown(const NodeId& child, Epoch epoch) = 0;
    virtual void OnUploadOffered(const UploadId& id, const OfferFrame& offer) = 0;
    virtual void OnUploadProgress(const UploadId& id) = 0;
    virtual void OnUploadStaged(const UploadId& id) = 0;
    virtual void OnUploadBroken(const UploadId& id, const std::string& reason) = 0;
    virtual void OnChildFailed(const NodeId& child, const TaskFailedFrame& what) = 0;
    virtual void OnChildEvaluated(const NodeId& child, const EvalReportFrame& report) = 0;
  };

  // `owner` must outlive this object or Close it. Uploads are staged in blocks of `buffers`.
  Downlinks(Owner* owner, std::shared_ptr<Executor> executor, std::shared_ptr<BufferPool> buffers,
            std::string run, Incarnation incarnation);

  // To be called once the node knows; children that were faster wait for it.
  void SetRun(std::string run);
  void Close();

  void Welcome(const NodeId& child, Epoch epoch);
  void Refuse(const NodeId& child, Epoch epoch, const absl::Status& why);
  void Send(const NodeId& child, Frame frame);  // to the welcomed link, if any
  // A child that has not said that it has the base of what is encoded gets the whole, as does one
  // that cannot make use of it.
  void OfferModel(const NodeId& child, const ModelHeader& header, const ModelForChildren& model);
  // More of a model that is on offer is here; sends it on.
  void ModelGrew();
  // Takes memory for the upload, or goes on with what an earlier link has left of the same one.
  // `begin` may make an intake for the block, to which bytes go as they arrive; null if the upload
  // is to be folded whole.
  using BeginIntake = std::function<absl::StatusOr<std::unique_ptr<Intake>>(
      const OfferFrame& offer, const PackedTensors& block)>;
  void Grant(const UploadId& id, const BeginIntake& begin);
  // The upload whose bytes are all there, until Acknowledge; null if its link broke.
  InboundTransfer* Staged(const UploadId& id);
  const OfferFrame* Offer(const UploadId& id) const;
  void Acknowledge(const UploadId& id, const absl::Status& status);

  // Encoded bytes of all links so far: from children, to children.
  std::pair<uint64_t, uint64_t> Traffic() const;

 private:
  class ChildLink;
  struct Incoming {
    OfferFrame offer;
    Incarnation sender = 0;                     // the life of the child that offered it
    std::shared_ptr<InboundTransfer> transfer;  // once granted
    bool staged = false;                        // it is whole, nothing more is taken
  };
  using Key = std::pair<NodeId, Epoch>;

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override;
  void OnHello(const std::shared_ptr<ChildLink>& link, const HelloFrame& hello);
  void OnClosed(ChildLink& link);
  static void Drop(ChildLink& link, const Incoming& incoming);
  std::shared_ptr<ChunkSink> MakeSink(const UploadId& id, InboundTransfer& transfer);
  void Suspend(ChildLink& link);
  static bool IsSameUpload(const Incoming& a, const Incoming& b);
  void OnFrame(ChildLink& link, Frame frame);
  void Send(ChildLink& link, const ModelHeader& header, const ModelForChildren& model);
  void OnChunk(ChildLink& link, const ChunkFrame& chunk);
  void OnTrailer(ChildLink& link, const TrailerFrame& trailer);
  std::shared_ptr<ChildLink> Find(const UploadId& id) const;

  Owner* owner_;
  std::shared_ptr<Executor> executor_;
  std::shared_ptr<BufferPool> buffers_;
  std::string run_;                                                     // empty until it is set
  std::vector<std::pair<std::weak_ptr<ChildLink>, HelloFrame>> early_;  // hellos before that
  Incarnation incarnation_;
  uint64_t next_transfer_ = 1;
  std::map<Key, std::shared_ptr<ChildLink>> links_;  // that said hello
  std::map<NodeId, Epoch> welcomed_;
  std::map<NodeId, Incoming> suspended_;  // at most one upload of a child whose link broke
  uint64_t closed_up_ = 0;                // traffic of links that are gone
  uint64_t closed_down_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_DOWNLINKS_H_
