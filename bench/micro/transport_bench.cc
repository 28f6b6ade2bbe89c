// Updates that a parent receives from one child over gRPC on loopback, by the code of a node:
// offer, grant, chunks, trailer, acknowledgment. Beside it a plain TCP socket that carries as many
// bytes between two threads of the same process. And what children take that have nothing to send.

#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

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

// A parent and its children, each side on a strand of its own, connected until the end.
class Pair {
 public:
  explicit Pair(size_t children = 1) {
    parent_.downlinks = std::make_shared<Downlinks>(
        &parent_, parent_strand_, std::make_shared<BufferPool>(), "run", Incarnation{1});
    auto listener = transport_->Listen("127.0.0.1:0", parent_strand_, parent_.downlinks);
    if (!listener.ok()) {
      status_ = listener.status();
      return;
    }
    listener_ = *std::move(listener);
    for (size_t i = 0; i < children; ++i) Connect();
  }
  ~Pair() {
    std::promise<void> closed;
    child_strand_->Post([&] {
      for (const auto& uplink : uplinks_) uplink->Close();
      closed.set_value();
    });
    closed.get_future().wait();
    listener_.reset();
    pool_.Shutdown();
  }

  const absl::Status& status() const { return status_; }
  // One more child, on a connection of its own.
  void Connect() {
    const std::string id = "child" + std::to_string(uplinks_.size());
    children_.push_back(std::make_unique<Child>());
    Child& child = *children_.back();
    auto uplink = std::make_shared<Uplink>(&child, transport_, child_strand_, buffers_,
                                           HelloFrame{kProtocolVersion, "run", id, 1, 0}, 1);
    uplinks_.push_back(uplink);
    child_strand_->Post([this, uplink] { uplink->Attach({"parent", listener_->address(), 1}); });
    child.up.get_future().wait();
  }
  // Before the first Send.
  void FoldInto(std::unique_ptr<Accumulator> accumulator) {
    parent_.accumulator = std::move(accumulator);
  }
  // Until the parent has acknowledged.
  absl::Status Send(const PackedTensors& update) {
    std::promise<absl::Status> answer;
    child_strand_->Post([&] {
      uplinks_[0]->Offer(++transfers_, OutboundTensors(update, ""), SampleHeader(),
                         [&](const absl::Status& status) { answer.set_value(status); });
    });
    return answer.get_future().get();
  }

 private:
  ThreadPool pool_{2};
  const std::shared_ptr<Executor> parent_strand_ = pool_.NewExecutor();
  const std::shared_ptr<Executor> child_strand_ = pool_.NewExecutor();
  const std::shared_ptr<Transport> transport_ = MakeGrpcTransport();
  const std::shared_ptr<BufferPool> buffers_ = std::make_shared<BufferPool>();  // the children's
  Parent parent_;
  std::vector<std::unique_ptr<Child>> children_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::shared_ptr<Uplink>> uplinks_;
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

double ResidentKib() {
  std::ifstream file("/proc/self/statm");
  double pages = 0;
  file >> pages >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1024;
}

// Memory of both ends of a connection on which nothing happens. As many as fit the usual limit of
// 1,024 open files; the first ones bring what all have in common.
void BM_IdleConnections(benchmark::State& state) {
  constexpr size_t kFirst = 50;
  constexpr size_t kMore = 400;
  for (auto _ : state) {
    Pair pair(kFirst);
    if (!pair.status().ok()) return state.SkipWithError(Message(pair.status()).c_str());
    const double before = ResidentKib();
    for (size_t i = 0; i < kMore; ++i) pair.Connect();
    state.counters["KiB_each"] = (ResidentKib() - before) / kMore;
  }
}

BENCHMARK(BM_IdleConnections)->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_RawTcp)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Receive)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ReceiveAndFold)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace skein
