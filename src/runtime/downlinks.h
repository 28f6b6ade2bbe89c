#ifndef SKEIN_SRC_RUNTIME_DOWNLINKS_H_
#define SKEIN_SRC_RUNTIME_DOWNLINKS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/aggregator_messages.h"
#include "runtime/outbox.h"
#include "skein/transport/transport.h"

namespace skein {

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

  // `owner` must outlive this object or Close it.
  Downlinks(Owner* owner, std::string run, Incarnation incarnation);

  // To be called once the node knows; children that were faster wait for it.
  void SetRun(std::string run);
  void Close();

  void Welcome(const NodeId& child, Epoch epoch);
  void Refuse(const NodeId& child, Epoch epoch, const absl::Status& why);
  void Send(const NodeId& child, Frame frame);  // to the welcomed link, if any
  void OfferModel(const NodeId& child, const ModelHeader& header, const PackedTensors& tensors,
                  const std::string& digest);
  // Takes memory for the upload, or goes on with what an earlier link has left of the same one.
  void Grant(const UploadId& id);
  // The staged tensors; the offer stays known until Acknowledge.
  PackedTensors Staged(const UploadId& id);
  const OfferFrame* Offer(const UploadId& id) const;
  void Acknowledge(const UploadId& id, const absl::Status& status);

  // Encoded bytes of all links so far: from children, to children.
  std::pair<uint64_t, uint64_t> Traffic() const;

 private:
  class ChildLink;
  struct Incoming {
    OfferFrame offer;
    Incarnation sender = 0;  // the life of the child that offered it
    std::optional<ChunkDecoder> decoder;
    PackedTensors staged;
  };
  using Key = std::pair<NodeId, Epoch>;

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override;
  void OnHello(const std::shared_ptr<ChildLink>& link, const HelloFrame& hello);
  void OnClosed(ChildLink& link);
  void Suspend(ChildLink& link);
  static bool IsSameUpload(const Incoming& a, const Incoming& b);
  void OnFrame(ChildLink& link, Frame frame);
  void OnChunk(ChildLink& link, const ChunkFrame& chunk);
  void OnTrailer(ChildLink& link, const TrailerFrame& trailer);
  std::shared_ptr<ChildLink> Find(const UploadId& id) const;

  Owner* owner_;
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
