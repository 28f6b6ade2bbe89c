#ifndef SKEIN_TESTS_UNIT_RUNTIME_TRANSFER_PAIR_H_
#define SKEIN_TESTS_UNIT_RUNTIME_TRANSFER_PAIR_H_

#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/downlinks.h"
#include "runtime/uplink.h"
#include "skein/base/random.h"
#include "skein/tensor/digest.h"
#include "skein/testing/faulty_transport.h"
#include "skein/testing/sim_executor.h"

namespace skein {

inline PackedTensors RandomFloats(int64_t elements, uint64_t seed) {
  PackedTensors tensors(Manifest::Create({{"x", DType::kFloat32, {elements}}}).value());
  Rng rng(seed);
  std::vector<float> values(static_cast<size_t>(elements));
  for (float& value : values) value = static_cast<float>(rng.Uniform());
  std::memcpy(tensors.mutable_bytes().data(), values.data(), tensors.bytes().size());
  return tensors;
}

inline bool SameBytes(const PackedTensors& a, const PackedTensors& b) {
  return a.bytes().size() == b.bytes().size() &&
         std::memcmp(a.bytes().data(), b.bytes().data(), a.bytes().size()) == 0;
}

// A parent that welcomes everyone and grants every upload as it is offered.
class FriendlyParent : public Downlinks::Owner {
 public:
  void OnChildUp(const NodeId& child, Epoch epoch) override {
    ups.emplace_back(child, epoch);
    if (welcomes) downlinks->Welcome(child, epoch);
    if (model.has_value()) downlinks->OfferModel(child, {version, {}}, model, ModelDigest(model));
  }
  void OnChildDown(const NodeId& child, Epoch epoch) override { downs.emplace_back(child, epoch); }
  void OnUploadOffered(const UploadId& id, const OfferFrame&) override {
    offered.push_back(id);
    if (grants) downlinks->Grant(id);
  }
  void OnUploadProgress(const UploadId&) override { ++progress; }
  void OnUploadStaged(const UploadId& id) override {
    staged.push_back(downlinks->Staged(id));
    downlinks->Acknowledge(id, absl::OkStatus());
  }
  void OnUploadBroken(const UploadId& id, const std::string& reason) override {
    broken.push_back(reason);
    downlinks->Acknowledge(id, absl::DataLossError(reason));
  }
  void OnChildFailed(const NodeId&, const TaskFailedFrame& what) override {
    failures.push_back(what.reason);
  }
  void OnChildEvaluated(const NodeId&, const EvalReportFrame& report) override {
    evaluations.push_back(report.round);
  }

  Downlinks* downlinks = nullptr;
  bool welcomes = true;
  bool grants = true;
  VersionRef version;
  PackedTensors model;  // offered to whoever comes
  std::vector<std::pair<NodeId, Epoch>> ups, downs;
  std::vector<UploadId> offered;
  int progress = 0;
  std::vector<PackedTensors> staged;
  std::vector<std::string> broken, failures;
  std::vector<uint64_t> evaluations;
};

// A child that offers what it has whenever its link comes up.
class EagerChild : public Uplink::Owner {
 public:
  void OnParentUp(Epoch epoch) override {
    ups.push_back(epoch);
    if (update.has_value() && !answer) Offer();
  }
  void Offer() {
    uplink->Offer(++transfers, update, UpdateHeader{.seq = seq},
                  [this](const absl::Status& status) { answer = status; });
  }
  void OnTask(Task task) override { tasks.push_back(std::move(task)); }
  bool HasModel(const VersionRef& version) const override {
    return !models.empty() && models.back().header.version == version;
  }
  void OnModel(ReceivedModel model) override { models.push_back(std::move(model)); }
  void OnCancel(const CancelFrame& cancel) override { cancels.push_back(cancel.reason); }
  void OnCommitted(const CommittedFrame& committed) override { commits.push_back(committed.round); }

  Uplink* uplink = nullptr;
  PackedTensors update;
  Seq seq = 1;
  uint64_t transfers = 0;
  std::optional<absl::Status> answer;
  std::vector<Epoch> ups;
  std::vector<Task> tasks;
  std::vector<ReceivedModel> models;
  std::vector<std::string> cancels;
  std::vector<uint64_t> commits;
};

// Parent and child, their transfers and a network with the given faults between them.
class TransferPair {
 public:
  explicit TransferPair(testing::FaultPlan plan = nullptr) {
    transport = MakeInprocTransport();
    // Counts the chunks' bytes as the receiver gets them.
    transport = testing::MakeFaultyTransport(
        transport, [this, plan = std::move(plan)](const testing::FrameContext& context) {
          const testing::Fault fault = plan ? plan(context) : testing::Fault{};
          const auto* chunk = std::get_if<ChunkFrame>(context.frame);
          if (chunk != nullptr && fault.kind == testing::Fault::Kind::kNone) {
            (context.up ? chunk_bytes_up : chunk_bytes_down) += chunk->bytes.size();
          }
          return fault;
        });
    downlinks = std::make_shared<Downlinks>(&parent, "run", 1);
    parent.downlinks = downlinks.get();
    listener = transport->Listen("", executor, downlinks).value();
    uplink = std::make_shared<Uplink>(&child, transport, executor,
                                      HelloFrame{kProtocolVersion, "run", "c", 1, 0}, 5);
    child.uplink = uplink.get();
  }
  ~TransferPair() {
    uplink->Close();
    downlinks->Close();
    simulation.RunFor(std::chrono::hours(1));
  }
  void Attach(Epoch epoch = 1) { uplink->Attach({"p", listener->address(), epoch}); }
  void Run(Duration duration = std::chrono::seconds(20)) { simulation.RunFor(duration); }

  testing::Simulation simulation;
  std::shared_ptr<Executor> executor = simulation.NewExecutor();
  uint64_t chunk_bytes_up = 0;
  uint64_t chunk_bytes_down = 0;
  std::shared_ptr<Transport> transport;
  FriendlyParent parent;
  EagerChild child;
  std::shared_ptr<Downlinks> downlinks;
  std::unique_ptr<Listener> listener;
  std::shared_ptr<Uplink> uplink;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_TRANSFER_PAIR_H_
