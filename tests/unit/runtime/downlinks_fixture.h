#ifndef SKEIN_TESTS_UNIT_RUNTIME_DOWNLINKS_FIXTURE_H_
#define SKEIN_TESTS_UNIT_RUNTIME_DOWNLINKS_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/downlinks.h"
#include "skein/testing/sim_executor.h"
#include "unit/runtime/link_samples.h"

namespace skein {

// Notes who came, what they brought, and in which order.
class Children : public Downlinks::Owner {
 public:
  void OnChildUp(const NodeId& child, Epoch epoch) override { up.emplace_back(child, epoch); }
  void OnChildDown(const NodeId& child, Epoch epoch) override { down.emplace_back(child, epoch); }
  void OnUploadOffered(const UploadId& id, const OfferFrame& offer) override {
    offered.emplace_back(id, offer);
  }
  void OnUploadProgress(const UploadId& id) override { progressed.push_back(id); }
  void OnUploadStaged(const UploadId& id) override { staged.push_back(id); }
  void OnUploadBroken(const UploadId& id, const std::string& reason) override {
    broken.emplace_back(id, reason);
  }
  void OnChildFailed(const NodeId& child, const TaskFailedFrame& what) override {
    failed.emplace_back(child, what);
  }
  void OnChildEvaluated(const NodeId& child, const EvalReportFrame& report) override {
    evaluated.emplace_back(child, report);
  }

  std::vector<std::pair<NodeId, Epoch>> up;
  std::vector<std::pair<NodeId, Epoch>> down;
  std::vector<std::pair<UploadId, OfferFrame>> offered;
  std::vector<UploadId> progressed;
  std::vector<UploadId> staged;
  std::vector<std::pair<UploadId, std::string>> broken;
  std::vector<std::pair<NodeId, TaskFailedFrame>> failed;
  std::vector<std::pair<NodeId, EvalReportFrame>> evaluated;
};

using Up = std::vector<std::pair<NodeId, Epoch>>;

// Downlinks whose children are played by the test.
class DownlinksTest : public ::testing::Test {
 protected:
  DownlinksTest() {
    auto listener = transport_->Listen("", executor_, downlinks_);
    EXPECT_TRUE(listener.ok());
    listener_ = *std::move(listener);
  }
  ~DownlinksTest() override {
    downlinks_->Close();
    listener_.reset();
    Settle();  // links let go of their handlers when they have told them of the end
  }

  std::shared_ptr<Peer> Dial() {
    auto peer = std::make_shared<Peer>();
    peer->link = transport_->Dial(listener_->address(), executor_, peer);
    Settle();
    return peer;
  }
  std::shared_ptr<Peer> Hello(const std::string& run, Epoch epoch, const NodeId& node = "w0",
                              Incarnation incarnation = 7) {
    auto peer = Dial();
    Send(*peer, HelloFrame{kProtocolVersion, run, node, incarnation, epoch});
    return peer;
  }
  // A child that may send.
  std::shared_ptr<Peer> Join(const NodeId& node = "w0", Epoch epoch = 1,
                             Incarnation incarnation = 7) {
    downlinks_->SetRun("run");
    auto peer = Hello("run", epoch, node, incarnation);
    downlinks_->Welcome(node, epoch);
    Settle();
    return peer;
  }
  void Send(Peer& peer, Frame frame) {
    peer.link->Send(std::move(frame));
    Settle();
  }
  void Leave(Peer& peer) {
    peer.link->Close(absl::UnavailableError("broken"));
    Settle();
  }
  // Offers an update and grants it; the offset that the child is told.
  uint64_t OfferUpdate(Peer& peer, const UploadId& id, const PackedTensors& tensors, Seq seq = 1) {
    UpdateHeader header;
    header.seq = seq;
    return OfferAndGrant(peer, id, tensors, header);
  }
  uint64_t OfferAndGrant(Peer& peer, const UploadId& id, const PackedTensors& tensors,
                         decltype(OfferFrame::header) header) {
    Send(peer, OfferFrame{id.transfer, tensors.manifest(), std::move(header)});
    downlinks_->Grant(id, nullptr);
    Settle();
    EXPECT_EQ(peer.Last<GrantFrame>().transfer, id.transfer);
    return peer.Last<GrantFrame>().offset;
  }
  void Settle() { simulation_.RunFor(std::chrono::seconds(1)); }

  testing::Simulation simulation_;
  std::shared_ptr<Executor> executor_ = simulation_.NewExecutor();
  std::shared_ptr<Transport> transport_ = MakeInprocTransport();
  Children children_;
  std::shared_ptr<Downlinks> downlinks_ =
      std::make_shared<Downlinks>(&children_, executor_, std::make_shared<BufferPool>(), "", 21);
  std::unique_ptr<Listener> listener_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_DOWNLINKS_FIXTURE_H_
