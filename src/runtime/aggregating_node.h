#ifndef SKEIN_SRC_RUNTIME_AGGREGATING_NODE_H_
#define SKEIN_SRC_RUNTIME_AGGREGATING_NODE_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/link_codecs.h"
#include "runtime/aggregator_core.h"
#include "runtime/downlinks.h"
#include "runtime/model_encoder.h"
#include "runtime/node_shell.h"
#include "skein/strategy/strategy_spec.h"
#include "transport/shaped_acceptor.h"

namespace skein {

// What aggregator and coordinator share: the shell around AggregatorCore. It carries the core's
// events in from links and control plane, does what the core decides, and holds what the core only
// names: models, the accumulator, metrics. Subclasses say where results go.
class AggregatingNode : public NodeShell, public Downlinks::Owner {
 public:
  using NodeShell::NodeShell;
  ~AggregatingNode() override;

 protected:
  using Model = OutboundTensors;  // whole, or still arriving
  // What was collected, besides the sums.
  struct Tally {
    uint64_t num_samples = 0;
    uint64_t contributions = 0;  // to the fold
    MetricSums metrics;
    void Merge(const Tally& other);
  };
  // A contribution that is passed on as it is.
  struct Member {
    Roster roster;
    uint64_t updates = 0;
    Tally tally;
  };
  // Contributions to one base.
  struct Bucket {
    std::unique_ptr<Accumulator> sums;
    Tally tally;
    absl::Status asked;  // what the fold said to the question of this pass
    // In the order in which they were added, where they are passed on or may have to be left out.
    std::vector<Member> members;
  };

  // ---- for subclasses ----
  // A closed aggregation is on its way; Deliver* must lead to a Delivered event.
  virtual absl::Status DeliverFold(const agg_action::CloseFold& close) = 0;
  virtual void DeliverEvaluation(const agg_action::DeliverEvaluation& evaluation) = 0;
  virtual void DeliverFailure(const Task& task, const std::string& reason) = 0;
  // What a bucket's mean is to have the types of.
  virtual absl::StatusOr<Manifest> ManifestOfMeans() const { return model_manifest(); }

  void Feed(const AggregatorEvent& event);
  // Tells the parent that nothing comes of the task. Workers whose updates were accepted here have
  // to know, too, that they do not count.
  void CannotDeliver(const Task& task, const absl::Status& why);
  // `payload`: what it was decoded from, if it was.
  void AddModel(const VersionRef& version, Model model,
                const std::optional<OutboundTensors>& payload = {});
  void DropModel(const VersionRef& version);  // nothing comes of it
  // A question about contributions, which travels as models do and is none.
  void AddQuestion(const VersionRef& version, Model question);
  // Contributions that the next pass will ask about.
  void Keep(Bucket bucket) { kept_ = std::move(bucket); }
  void LetGo() { kept_.reset(); }
  const Manifest& model_manifest() const { return *manifest_; }  // once there is a model
  Downlinks& downlinks() { return *downlinks_; }
  const Model* FindModel(const VersionRef& version) const;
  // The same if all of it is here: a child that has the version from elsewhere may be ahead of it.
  absl::StatusOr<PackedTensors> WholeModel(const VersionRef& version) const;
  // The plain mean of a local round: the server optimizer's step is taken once per round, at the
  // coordinator.
  absl::StatusOr<PackedTensors> FinishLocalRound(const agg_action::CloseFold& close,
                                                 Accumulator& sums);
  // The base and the plain mean.
  absl::StatusOr<PackedTensors> FinishPlainly(const PackedTensors& base, Accumulator& sums);
  // Large models: until the next version comes, other processes may have what was staged with.
  void RestMemory();
  // Takes a bucket that is closed: what its lots have, as one.
  absl::StatusOr<Bucket> TakeBucket(const agg_action::Bucket& closed);
  const Tally& evaluation() const { return evaluation_; }
  const std::shared_ptr<const LinkCodecs>& codecs() const { return codecs_; }
  // Whether children get models otherwise than they come in here.
  bool EncodesModels() const { return encoder_.has_value(); }
  const TierParts& parts() const { return parts_; }

  // The policies that steering has put in place of the run's: this node's takes effect with the
  // next event, those below go with the tasks.
  absl::Status AdoptPolicies(const TierPolicies& policies);

  absl::StatusOr<std::string> Listen() override;
  absl::Status OnAssigned() override;
  absl::Status OnMessage(ControlMessage message) override;
  void OnEnd(const absl::Status& why) override;
  void AddTraffic(ReportMsg& report) const override;

  NumericPlan numeric_;

 private:
  // Downlinks::Owner
  void OnChildUp(const NodeId& child, Epoch epoch) override;
  void OnChildDown(const NodeId& child, Epoch epoch) override;
  void OnUploadOffered(const UploadId& id, const OfferFrame& offer) override;
  void OnUploadProgress(const UploadId& id) override;
  void OnUploadStaged(const UploadId& id) override;
  void OnUploadBroken(const UploadId& id, const std::string& reason) override;
  void OnChildFailed(const NodeId& child, const TaskFailedFrame& what) override;
  void OnChildEvaluated(const NodeId& child, const EvalReportFrame& report) override;

  void Do(const agg_action::Welcome& a);
  void Do(const agg_action::Refuse& a);
  void Do(const agg_action::SendTask& a);
  void Do(const agg_action::OfferModel& a);
  void Do(const agg_action::SendCancel& a);
  void Do(const agg_action::SendCommitted& a);
  void Do(const agg_action::BeginTask& a);
  void Do(const agg_action::OpenBucket& a);
  void Do(const agg_action::DropBucket& a);
  void Do(const agg_action::Grant& a);
  void Do(const agg_action::Fold& a);
  void Do(const agg_action::Acknowledge& a);
  void Do(const agg_action::CloseFold& a);
  void Do(const agg_action::DeliverEvaluation& a);
  void Do(const agg_action::Abandon& a);
  void Do(const agg_action::Report& a);
  void Do(const agg_action::WakeAt& a);

  absl::Status ShapeLinks();
  bool WorksInPasses() const { return leads_passes_ || parts_.answers_passes; }
  // What an upload's tensors have to be.
  absl::StatusOr<Manifest> LayoutOf(const OfferFrame& offer) const;
  absl::Status CheckManifest(const OfferFrame& offer) const;
  absl::StatusOr<PackedTensors> Decode(const OfferFrame& offer, const PackedTensors& staged) const;
  absl::StatusOr<std::unique_ptr<Intake>> BeginIntake(const OfferFrame& offer,
                                                      const PackedTensors& block);
  absl::Status FoldUpload(const UploadInfo& info);
  absl::Status FoldWhole(const OfferFrame& offer, PackedTensors tensors, Accumulator& sums);
  void MakeLocalModel(const agg_action::CloseFold& close);
  std::unique_ptr<Accumulator> NewSums() const;
  // In a pass: its bucket is that of the first again.
  void Rejoin(const agg_action::CloseFold& close);
  // Where passes are led: whether something more is asked, which is on its way then.
  absl::StatusOr<bool> AskMore(const agg_action::CloseFold& close);
  absl::Status EncodeForChildren(const VersionRef& version, const Model& model,
                                 const std::optional<OutboundTensors>& payload);
  void DropOldModels();

  std::unique_ptr<Listener> listener_;
  std::shared_ptr<Downlinks> downlinks_;
  std::shared_ptr<ShapedAcceptor> acceptor_;  // before them
  std::unique_ptr<AggregatorCore> core_;
  TierParts parts_;
  std::shared_ptr<const LinkCodecs> codecs_;
  std::optional<ModelEncoder> encoder_;  // of what goes down, where links encode that
  TierPolicies policies_;                // in place of the run's
  std::optional<Manifest> manifest_;     // of every model of the run, once one has come
  std::map<VersionRef, Model> models_;
  std::map<VersionRef, ModelForChildren> encoded_;  // of these, where links encode them
  std::map<BucketKey, Bucket> buckets_;
  bool leads_passes_ = false;
  std::optional<Bucket> kept_;  // between two passes
  Tally evaluation_;
};

std::shared_ptr<Node> MakeAggregatorNode(NodeServices services, NodeOptions options);
std::shared_ptr<Node> MakeCoordinatorNode(NodeServices services, NodeOptions options);
std::shared_ptr<Node> MakeWorkerNode(NodeServices services, NodeOptions options);

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_AGGREGATING_NODE_H_
