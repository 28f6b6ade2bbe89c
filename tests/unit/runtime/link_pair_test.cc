#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/downlinks.h"
#include "runtime/uplink.h"
#include "skein/testing/faulty_transport.h"
#include "skein/testing/sim_executor.h"
#include "support/iterations.h"
#include "unit/runtime/link_samples.h"

namespace skein {
namespace {

using std::chrono::milliseconds;
using testing::Fault;
using testing::FrameContext;

constexpr uint64_t kMiB = uint64_t{1} << 20;

// A parent that has one model for its child and takes one update of it: welcomes, grants, stages.
class ParentEnd : public Downlinks::Owner {
 public:
  explicit ParentEnd(PackedTensors model) : model_(std::move(model)) {}

  void OnChildUp(const NodeId& child, Epoch epoch) override {
    downlinks->Welcome(child, epoch);
    downlinks->OfferModel(child, ModelHeader{{1, 0, 0}, {}}, {OutboundTensors::OfModel(model_)});
  }
  void OnChildDown(const NodeId&, Epoch) override {}
  void OnUploadOffered(const UploadId& id, const OfferFrame&) override {
    ++offers;
    if (update.has_value()) {  // the acknowledgment was lost
      downlinks->Acknowledge(id, absl::OkStatus());
    } else {
      downlinks->Grant(id, nullptr);
    }
  }
  void OnUploadProgress(const UploadId&) override {}
  void OnUploadStaged(const UploadId& id) override {
    EXPECT_FALSE(update.has_value());
    update = downlinks->Staged(id)->tensors();
    downlinks->Acknowledge(id, absl::OkStatus());
  }
  void OnUploadBroken(const UploadId&, const std::string& reason) override {
    ADD_FAILURE() << reason;
  }
  void OnChildFailed(const NodeId&, const TaskFailedFrame&) override {}
  void OnChildEvaluated(const NodeId&, const EvalReportFrame&) override {}

  std::shared_ptr<Downlinks> downlinks;
  int offers = 0;
  std::optional<PackedTensors> update;

 private:
  const PackedTensors model_;
};

// A child that answers the model with an update, and offers it until it is taken.
class ChildEnd : public Uplink::Owner {
 public:
  explicit ChildEnd(PackedTensors update) : update_(std::move(update)) {}

  void OnParentUp(Epoch) override {
    if (model.has_value() && !accepted) Offer();
  }
  void OnTask(Task) override {}
  bool HasModel(const VersionRef&) const override { return model.has_value(); }
  void OnModel(ReceivedModel received) override {
    EXPECT_FALSE(model.has_value());
    model = std::move(received.tensors);
    Offer();
  }
  void OnCancel(const CancelFrame&) override {}
  void OnCommitted(const CommittedFrame&) override {}

  std::shared_ptr<Uplink> uplink;
  std::optional<PackedTensors> model;
  bool accepted = false;

 private:
  void Offer() {
    uplink->Offer(++transfers_, OutboundTensors(update_, ""), UpdateHeader{.seq = 5},
                  [this](const absl::Status& s) {
                    EXPECT_TRUE(s.ok()) << s;
                    accepted = true;
                  });
  }
  const PackedTensors update_;
  uint64_t transfers_ = 0;
};

// Both ends over a transport with faults.
class LinkPair {
 public:
  LinkPair(PackedTensors model, PackedTensors update, testing::FaultPlan plan,
           uint64_t jitter_seed = 1)
      : transport_(testing::MakeFaultyTransport(MakeInprocTransport(), std::move(plan))),
        parent(std::move(model)),
        child(std::move(update)) {
    parent.downlinks = std::make_shared<Downlinks>(&parent, simulation.NewExecutor(),
                                                   std::make_shared<BufferPool>(), "run", 1);
    listener_ = *transport_->Listen("parent", simulation.NewExecutor(), parent.downlinks);
    child.uplink = std::make_shared<Uplink>(
        &child, transport_, simulation.NewExecutor(), std::make_shared<BufferPool>(),
        HelloFrame{kProtocolVersion, "run", "w0", 1, 0}, jitter_seed);
    child.uplink->Attach({"p", "parent", 1});
  }
  ~LinkPair() {
    child.uplink->Close();
    parent.downlinks->Close();
    listener_.reset();
    simulation.RunFor(std::chrono::hours(1));
  }
  bool Run() {
    return simulation.RunUntil([this] { return child.accepted; }, std::chrono::minutes(10));
  }

  testing::Simulation simulation;

 private:
  const std::shared_ptr<Transport> transport_;
  std::unique_ptr<Listener> listener_;

 public:
  ParentEnd parent;
  ChildEnd child;
};

// Counts the bytes of the chunks that arrive, and cuts the link at some of them.
struct CuttingPlan {
  std::vector<uint64_t> cut_at;  // numbers of chunks, of both directions
  uint64_t chunks = 0;
  uint64_t up = 0;
  uint64_t down = 0;

  Fault operator()(const FrameContext& context) {
    const auto* chunk = std::get_if<ChunkFrame>(context.frame);
    if (chunk == nullptr) return {};
    const uint64_t n = chunks++;
    if (std::find(cut_at.begin(), cut_at.end(), n) != cut_at.end()) return {Fault::Kind::kCut};
    (context.up ? up : down) += chunk->bytes.size();
    return {};
  }
};

TEST(LinkPairTest, AModelAndAnUpdateCrossAPerfectLink) {
  const PackedTensors model = SampleTensors(3 * kMiB + 1, 1);
  const PackedTensors update = SampleTensors(3 * kMiB + 1, 2);
  LinkPair pair(model, update, [](const FrameContext&) { return Fault{}; });
  ASSERT_TRUE(pair.Run());
  EXPECT_TRUE(SameBytes(*pair.child.model, model));
  EXPECT_TRUE(SameBytes(*pair.parent.update, update));
}

TEST(LinkPairTest, NothingAndOneByteCrossToo) {
  for (uint64_t size : {0, 1}) {
    const PackedTensors tensors = SampleTensors(size);
    LinkPair pair(tensors, tensors, [](const FrameContext&) { return Fault{}; });
    ASSERT_TRUE(pair.Run());
    EXPECT_TRUE(SameBytes(*pair.child.model, tensors));
    EXPECT_TRUE(SameBytes(*pair.parent.update, tensors));
  }
}

TEST(LinkPairTest, NoByteArrivesTwiceHoweverOftenTheLinkBreaks) {
  const PackedTensors model = SampleTensors(5 * kMiB + 9, 1);
  const PackedTensors update = SampleTensors(6 * kMiB + 7, 2);
  const auto plan = std::make_shared<CuttingPlan>();
  plan->cut_at = {0, 2, 5, 9, 11, 12, 15};
  LinkPair pair(model, update, [plan](const FrameContext& context) { return (*plan)(context); });
  ASSERT_TRUE(pair.Run());
  EXPECT_TRUE(SameBytes(*pair.child.model, model));
  EXPECT_TRUE(SameBytes(*pair.parent.update, update));
  EXPECT_GT(plan->chunks, 15u);
  EXPECT_EQ(plan->down, model.bytes().size());
  EXPECT_EQ(plan->up, update.bytes().size());
}

TEST(LinkPairTest, ALostAcknowledgmentIsMadeUpFor) {
  bool struck = false;
  const PackedTensors tensors = SampleTensors(1000);
  LinkPair pair(tensors, tensors, [&](const FrameContext& context) {
    const bool ack = !context.up && std::holds_alternative<AckFrame>(*context.frame);
    if (!ack || std::exchange(struck, true)) return Fault{};
    return Fault{Fault::Kind::kCut};
  });
  ASSERT_TRUE(pair.Run());
  EXPECT_EQ(pair.parent.offers, 2);
}

TEST(LinkPairTest, EverythingArrivesWholeWhateverTheNetworkDoes) {
  int faults_in_all = 0;
  for (int seed = 0; seed < SimSeeds(60); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Rng rng(static_cast<uint64_t>(seed));
    const PackedTensors model = SampleTensors(rng.Below(4 * kMiB), rng.Next());
    const PackedTensors update = SampleTensors(rng.Below(4 * kMiB), rng.Next());
    int faults = 0;
    LinkPair pair(
        model, update,
        [&](const FrameContext& context) -> Fault {
          // Frames are not dropped: a link that stays has lost nothing.
          if (faults >= 40 || rng.Below(5) != 0) return {};
          const bool chunk = std::holds_alternative<ChunkFrame>(*context.frame);
          ++faults;
          switch (rng.Below(chunk ? 4 : 3)) {
            case 0:
              return {Fault::Kind::kCut};
            case 1:
              return {Fault::Kind::kDuplicate};
            case 2:
              return {Fault::Kind::kDelay, milliseconds(rng.Below(300))};
            default:
              return {Fault::Kind::kCorrupt};
          }
        },
        rng.Next());
    ASSERT_TRUE(pair.Run());
    ASSERT_TRUE(SameBytes(*pair.child.model, model));
    ASSERT_TRUE(SameBytes(*pair.parent.update, update));
    faults_in_all += faults;
  }
  EXPECT_GT(faults_in_all, 100);
}

}  // namespace
}  // namespace skein
