#ifndef SKEIN_TESTS_UNIT_RUNTIME_UPLINK_FIXTURE_H_
#define SKEIN_TESTS_UNIT_RUNTIME_UPLINK_FIXTURE_H_

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/uplink.h"
#include "skein/testing/faulty_transport.h"
#include "skein/testing/sim_executor.h"
#include "unit/runtime/link_samples.h"

namespace skein {

// Writes down what an uplink says.
class UplinkOwner : public Uplink::Owner {
 public:
  void OnParentUp(Epoch epoch) override {
    ups.push_back(epoch);
    if (on_call) on_call();
  }
  void OnTask(Task task) override {
    tasks.push_back(std::move(task));
    if (on_call) on_call();
  }
  bool HasModel(const VersionRef& version) const override { return known.contains(version); }
  void OnModel(ReceivedModel model) override {
    models.push_back(std::move(model));
    if (on_call) on_call();
  }
  void OnParentForeign(const absl::Status& why) override { foreign = why; }
  void OnCancel(const CancelFrame& cancel) override { cancels.push_back(cancel); }
  void OnCommitted(const CommittedFrame& frame) override { committed.push_back(frame); }

  size_t calls() const {
    return ups.size() + tasks.size() + models.size() + cancels.size() + committed.size();
  }

  std::vector<Epoch> ups;
  std::vector<Task> tasks;
  std::vector<ReceivedModel> models;
  std::vector<CancelFrame> cancels;
  std::vector<CommittedFrame> committed;
  absl::Status foreign;
  std::set<VersionRef> known;
  std::function<void()> on_call;
};

// An uplink whose parents are played by the test.
class UplinkTest : public ::testing::Test {
 protected:
  struct Arrival {
    Time at;
    std::shared_ptr<Peer> peer;
  };
  // Takes every link; what its peers answer of themselves is `on_frame`.
  class Parent : public Acceptor {
   public:
    explicit Parent(const testing::Simulation& simulation) : simulation_(simulation) {}
    std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override {
      auto peer = std::make_shared<Peer>();
      peer->link = std::move(link);
      if (on_frame) {
        peer->on_frame = [this, raw = peer.get()](const Frame& frame) { on_frame(*raw, frame); };
      }
      arrivals.push_back({simulation_.Now(), peer});
      return peer;
    }
    Peer& last() { return *arrivals.back().peer; }

    std::vector<Arrival> arrivals;
    std::function<void(Peer&, const Frame&)> on_frame;

   private:
    const testing::Simulation& simulation_;
  };

  UplinkTest() {
    listener_ = *transport_->Listen("parent", simulation_.NewExecutor(), parent_);
    uplink_ = MakeUplink(11);
  }
  ~UplinkTest() override {
    uplink_->Close();
    parent_->on_frame = nullptr;
    listener_.reset();
    Run(std::chrono::minutes(1));
  }

  std::shared_ptr<Uplink> MakeUplink(uint64_t jitter_seed) {
    return std::make_shared<Uplink>(owner_.get(), transport_, simulation_.NewExecutor(),
                                    std::make_shared<BufferPool>(),
                                    HelloFrame{kProtocolVersion, "run", "w0", 3, 0}, jitter_seed);
  }
  void Run(Duration d) { simulation_.RunFor(d); }
  // Lets everything happen that takes no time.
  void Settle() { Run(Duration(0)); }
  void Attach(Epoch epoch = 7, const std::string& address = "parent") {
    uplink_->Attach({"p", address, epoch});
    Settle();
  }
  void Welcome() {
    parent_->last().link->Send(WelcomeFrame{kProtocolVersion, 1});
    Settle();
  }
  void AttachAndWelcome() {
    Attach();
    Welcome();
  }
  void Break() {
    parent_->last().link->Close(absl::UnavailableError("broken"));
    Settle();
  }
  // Breaks the link, waits for the next and welcomes it.
  void BreakAndComeBack() {
    Break();
    Run(std::chrono::seconds(1));
    Welcome();
  }
  void Send(Frame frame) {
    parent_->last().link->Send(std::move(frame));
    Settle();
  }
  void OfferModel(uint64_t transfer, const PackedTensors& model, VersionRef version = {1, 0, 0}) {
    Send(OfferFrame{transfer, model.manifest(), ModelHeader{version, {}}});
  }
  // All that a grant with this offset asks for, in chunks of 1000 bytes.
  void SendRest(uint64_t transfer, const PackedTensors& model, uint64_t from) {
    for (uint64_t at = from; at < model.bytes().size(); at += 1000) {
      parent_->last().link->Send(
          ChunkOf(transfer, model, at, std::min<uint64_t>(1000, model.bytes().size() - at)));
    }
    Send(TrailerFrame{transfer, TransferDigest(model.bytes())});
  }

  testing::Simulation simulation_;
  testing::FaultPlan plan_;
  std::shared_ptr<Transport> transport_ = testing::MakeFaultyTransport(
      MakeInprocTransport(),
      [this](const testing::FrameContext& c) { return plan_ ? plan_(c) : testing::Fault{}; });
  std::shared_ptr<Parent> parent_ = std::make_shared<Parent>(simulation_);
  std::unique_ptr<UplinkOwner> owner_ = std::make_unique<UplinkOwner>();
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<Uplink> uplink_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_UPLINK_FIXTURE_H_
