// Updates that a parent receives from one child over gRPC on loopback, by the code of a node:
// offer, grant, chunks, trailer, acknowledgment. Beside it a plain TCP socket that carries as many
// bytes between two threads of the same process.

#include <future>
#include <memory>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "app/bench/baselines.h"
#include "micro/fold_model.h"
#include "runtime/downlinks.h"
#include "runtime/uplink.h"
#include "skein/base/status.h"
#include "skein/base/thread_pool.h"
#include "skein/tensor/buffer_pool.h"

namespace skein {
namespace {

constexpr size_t kElements = 100'000'000;
constexpr uint64_t kBytes = kElements * sizeof(float);

// Takes every update; into exact sums if it has an accumulator.
class Parent : public Downlinks::Owner {
 public:
  void OnChildUp(const NodeId& child, Epoch epoch) override { downlinks->Welcome(child, epoch); }
  void OnChildDown(const NodeId&, Epoch) override {}
  void OnUploadOffered(const UploadId& id, const OfferFrame&) override {
    Downlinks::BeginIntake begin;
    if (accumulator != nullptr) {
      begin = [this](const OfferFrame& offer, const PackedTensors& block) {
        return accumulator->Begin(std::get<UpdateHeader>(offer.header), block);
      };
    }
    downlinks->Grant(id, begin);
  }
  void OnUploadProgress(const UploadId&) override {}
  void OnUploadStaged(const UploadId& id) override {
    const bool folds = accumulator != nullptr;
    downlinks->Acknowledge(id, folds ? downlinks->Staged(id)->CompleteFold() : absl::OkStatus());
  }
  void OnUploadBroken(const UploadId& id, const std::string& reason) override {
    downlinks->Acknowledge(id, absl::DataLossError(reason));
  }
  void OnChildFailed(const NodeId&, const TaskFailedFrame&) override {}
  void OnChildEvaluated(const NodeId&, const EvalReportFrame&) override {}

  std::shared_ptr<Downlinks> downlinks;
  std::unique_ptr<Accumulator> accumulator;
};

class Child : public Uplink::Owner {
 public:
  void OnParentUp(Epoch) override { up.set_value(); }
  void OnTask(Task) override {}
  bool HasModel(const VersionRef&) const override { return false; }
  void OnModel(ReceivedModel) override {}
  void OnCancel(const CancelFrame&) override {}
  void OnCommitted(const CommittedFrame&) override {}

  std::promise<void> up;
};

// A parent and its child, each on a strand of its own, connected until the end.
class Pair {
 public:
  Pair() {
    parent_.downlinks = std::make_shared<Downlinks>(
        &parent_, parent_strand_, std::make_shared<BufferPool>(), "run", Incarnation{1});
    auto listener = transport_->Listen("127.0.0.1:0", parent_strand_, parent_.downlinks);
    if (!listener.ok()) {
      status_ = listener.status();
      return;
    }
    listener_ = *std::move(listener);
    uplink_ =
        std::make_shared<Uplink>(&child_, transport_, child_strand_, std::make_shared<BufferPool>(),
                                 HelloFrame{kProtocolVersion, "run", "child", 1, 0}, 1);
    child_strand_->Post([this] { uplink_->Attach({"parent", listener_->address(), 1}); });
    child_.up.get_future().wait();
  }
  ~Pair() {
    std::promise<void> closed;
    child_strand_->Post([&] {
      if (uplink_ != nullptr) uplink_->Close();
      closed.set_value();
    });
    closed.get_future().wait();
    listener_.reset();
    pool_.Shutdown();
  }

  const absl::Status& status() const { return status_; }
  // Before the first Send.
  void FoldInto(std::unique_ptr<Accumulator> accumulator) {
    parent_.accumulator = std::move(accumulator);
  }
  // Until the parent has acknowledged.
  absl::Status Send(const PackedTensors& update) {
    std::promise<absl::Status> answer;
    child_strand_->Post([&] {
      uplink_->Offer(++transfers_, OutboundTensors(update, ""), SampleHeader(),
                     [&](const absl::Status& status) { answer.set_value(status); });
    });
    return answer.get_future().get();
  }

 private:
  ThreadPool pool_{2};
  const std::shared_ptr<Executor> parent_strand_ = pool_.NewExecutor();
  const std::shared_ptr<Executor> child_strand_ = pool_.NewExecutor();
  const std::shared_ptr<Transport> transport_ = MakeGrpcTransport();
  Parent parent_;
  Child child_;
  std::unique_ptr<Listener> listener_;
  std::shared_ptr<Uplink> uplink_;
  absl::Status status_;
  uint64_t transfers_ = 0;
};

void Receive(benchmark::State& state, std::unique_ptr<Accumulator> accumulator) {
  const PackedTensors update = FloatTensors(kElements, 0.001f);
  Pair pair;
  if (!pair.status().ok()) return state.SkipWithError(Message(pair.status()).c_str());
  if (accumulator != nullptr) pair.FoldInto(std::move(accumulator));
  pair.Send(update).IgnoreError();  // touches the memory; the next one says what is wrong
  for (auto _ : state) {
    const absl::Status status = pair.Send(update);
    if (!status.ok()) return state.SkipWithError(Message(status).c_str());
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kBytes));
}

void BM_RawTcp(benchmark::State& state) {
  for (auto _ : state) {
    if (RawTcpBytesPerSecond(kBytes) == 0) return state.SkipWithError("no socket");
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * kBytes));
}

void BM_Receive(benchmark::State& state) { Receive(state, nullptr); }

void BM_ReceiveAndFold(benchmark::State& state) { Receive(state, MeanAccumulator(kElements)); }

BENCHMARK(BM_RawTcp)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Receive)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReceiveAndFold)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skein
