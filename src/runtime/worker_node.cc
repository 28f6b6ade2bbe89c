#include <atomic>
#include <functional>
#include <map>
#include <optional>

#include "codec/link_codecs.h"
#include "runtime/aggregating_node.h"
#include "runtime/model_encoder.h"
#include "runtime/node_shell.h"
#include "runtime/update_encoder.h"
#include "runtime/uplink.h"
#include "runtime/worker_core.h"
#include "skein/base/random.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// The shell around WorkerCore: holds the learner, the model it trains from and the updates that
// are not committed yet.
class WorkerNode : public NodeShell, public Uplink::Owner {
 public:
  using NodeShell::NodeShell;
  ~WorkerNode() override {
    if (uplink_) uplink_->Close();
  }

 private:
  struct Kept {
    UpdateHeader header;
    OutboundTensors update;
    uint64_t transfer = 0;  // of its last offer
  };

  absl::Status OnAssigned() override {
    SKEIN_ASSIGN_OR_RETURN(const auto conditions, ConditionsOfRun());
    SKEIN_ASSIGN_OR_RETURN(pace_, conditions->PaceOf(id(), view_.leaf_begin));
    core_.emplace(config_.limits.cancel_grace);
    if (!options_.state_dir.empty()) config_.worker_state = options_.state_dir;
    SKEIN_ASSIGN_OR_RETURN(const auto codecs, LinkCodecs::Create(config_.strategy, view_.num_tiers,
                                                                 *services_.strategies));
    encoder_ = std::make_shared<UpdateEncoder>(
        std::shared_ptr<const CodecPipeline>(codecs, codecs->updates(view_.tier - 1)),
        SenderContext(config_.seed, view_),
        CodecErrorsPath(config_.worker_state, config_.run_id, id()), services_.memory.buffers);
    uplink_ = std::make_shared<Uplink>(
        this, services_.transport, services_.executor, services_.memory.buffers,
        HelloFrame{kProtocolVersion, config_.run_id, id(), options_.incarnation, 0},
        DeriveSeed(options_.incarnation, {view_.leaf_begin}), codecs);
    services_.trainers->Run([back = WayBack(), factory = services_.trainer_factory,
                             config = config_, view = view_, this] {
      auto made = std::make_shared<absl::StatusOr<std::unique_ptr<Trainer>>>(factory(config, view));
      back([this, made] {
        if (!made->ok()) return Fail(made->status());
        trainer_ = std::move(**made);
        if (attach_) uplink_->Attach(*attach_);
      });
    });
    return absl::OkStatus();
  }

  absl::Status OnMessage(ControlMessage message) override {
    if (auto* attach = std::get_if<AttachMsg>(&message)) {
      attach_ = *attach;
      if (trainer_) uplink_->Attach(*attach);  // not before there is a learner to work
    }
    return absl::OkStatus();
  }

  void OnEnd(const absl::Status& why) override {
    // A run that is completed may be so before the worker has heard of its last round.
    if (core_ && why.ok()) {
      for (const Seq seq : core_->answered()) Settle(seq, true);
    }
    if (uplink_) uplink_->Close();
    if (cancelled_) cancelled_->store(true);
    if (working_) services_.trainers->Abandon(ticket_);
  }

  // ---- Uplink::Owner ----

  void OnParentUp(Epoch epoch) override {
    SendControl(AttachedMsg{epoch});
    Feed(worker_event::LinkUp{});
  }
  void OnTask(Task task) override { Feed(worker_event::TaskArrived{std::move(task)}); }
  bool HasModel(const VersionRef& version) const override { return model_version_ == version; }
  std::optional<PackedTensors> BaseModel(const VersionRef& version) const override {
    if (model_version_ != version) return std::nullopt;
    return *model_;
  }
  // The next one may take the place of the last, unless that is still worked on.
  bool OnModelBegun(const ModelHeader&, std::shared_ptr<InboundTransfer>) override {
    if (working_) return false;
    model_.reset();
    model_version_.reset();
    Feed(worker_event::ModelGone{});
    return false;
  }
  void OnModel(ReceivedModel model) override {
    model_ = services_.memory.models->Share(model.digest, std::move(model.tensors));
    model_version_ = model.header.version;
    Feed(worker_event::ModelArrived{*model_version_});
  }
  void OnParentForeign(const absl::Status& why) override { Fail(why); }
  void OnCancel(const CancelFrame& cancel) override {
    Feed(worker_event::Cancelled{cancel.round, cancel.local_round});
  }
  void OnCommitted(const CommittedFrame& committed) override {
    Feed(worker_event::Committed{committed.round});
  }

  // ---- the core's decisions ----

  void Feed(const WorkerEvent& event) {
    for (const WorkerAction& action : core_->Handle(event, Now())) {
      if (ended()) return;
      std::visit([this](const auto& a) { Do(a); }, action);
    }
  }

  void Do(const worker_action::StartWork& a) {
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    working_ = true;
    done_at_ =
        Now() + (a.task.kind == TaskKind::kEvaluate ? pace_.Evaluation(evaluations_++)
                                                    : pace_.Training(trainings_++, a.task.steps));
    const TrainRequest request{a.task.round, a.task.local_round, a.task.seq_first, cancelled_,
                               a.task.steps};
    ticket_ = services_.trainers->Run([this, back = WayBack(), trainer = trainer_, model = model_,
                                       encoder = encoder_, request, start = a.start,
                                       task = a.task] {
      if (task.kind == TaskKind::kEvaluate) {
        auto output = trainer->Evaluate(*model, request);
        back([this, start, output = std::move(output)] {
          WhenDone([this, start, output] { OnEvaluated(start, output); });
        });
      } else {
        auto output = trainer->Train(*model, request);
        absl::StatusOr<OutboundTensors> update =
            output.ok() ? encoder->Encode(task.seq_first, std::move(output->update))
                        : output.status();
        back([this, start, task, output = std::move(output), update = std::move(update)] {
          WhenDone([this, start, task, output, update] { OnTrained(start, task, output, update); });
        });
      }
    });
  }

  // The learner has returned: goes on when a worker of this pace would have, or is told to stop.
  void WhenDone(std::function<void()> go_on) {
    if (done_at_ <= Now() || cancelled_->load()) return go_on();
    go_on_ = std::move(go_on);
    LaterAt(done_at_, [this, work = ticket_] {
      if (work == ticket_) GoOn();
    });
  }
  void GoOn() {
    if (auto go_on = std::exchange(go_on_, nullptr)) go_on();
  }

  void OnTrained(uint64_t start, const Task& task, const absl::StatusOr<TrainOutput>& output,
                 const absl::StatusOr<OutboundTensors>& update) {
    working_ = false;
    if (update.ok()) {
      Kept& kept = kept_[task.seq_first];
      kept.header = {.leaf = view_.leaf_begin,
                     .seq = task.seq_first,
                     .round = task.round,
                     .local_round = task.local_round,
                     .base = task.base,
                     .num_samples = output->num_samples,
                     .metrics = output->metrics};
      kept.update = *update;
    }
    Feed(worker_event::WorkEnded{start, update.status()});
  }

  void OnEvaluated(uint64_t start, const absl::StatusOr<EvalOutput>& output) {
    working_ = false;
    if (output.ok()) evaluation_ = *output;
    Feed(worker_event::WorkEnded{start, output.status()});
  }

  void Do(const worker_action::CancelWork&) {
    cancelled_->store(true);
    if (go_on_) LaterAt(Now(), [this] { GoOn(); });  // not in the middle of the core's actions
  }
  void Do(const worker_action::AbandonWork&) {
    working_ = false;
    services_.trainers->Abandon(ticket_);
  }

  void Do(const worker_action::OfferUpdate& a) {
    Kept& kept = kept_.at(a.seq);
    kept.transfer = ++transfers_;
    uplink_->Offer(kept.transfer, kept.update, kept.header,
                   [this, seq = a.seq, transfer = kept.transfer](const absl::Status& status) {
                     const auto it = kept_.find(seq);
                     if (it == kept_.end() || it->second.transfer != transfer) return;
                     Feed(worker_event::UpdateAnswered{seq, status});
                   });
  }

  void Do(const worker_action::DropUpdate& a) {
    Settle(a.seq, a.counts);
    auto it = kept_.find(a.seq);
    if (it == kept_.end()) return;
    uplink_->Withdraw(it->second.transfer);
    kept_.erase(it);
  }

  void Settle(Seq seq, bool counts) {
    if (!trainer_) return;
    for (const absl::Status& status :
         {trainer_->Settle(seq, counts), encoder_->Settle(seq, counts)}) {
      if (!status.ok() && !ended()) Fail(Annotate(status, "what the worker keeps"));
    }
  }

  void Do(const worker_action::SendEvaluation& a) {
    EvalReportFrame report{.round = a.task.round,
                           .version = a.task.base,
                           .num_samples = evaluation_.num_samples,
                           .roster = Roster::Range(view_.leaf_begin, view_.leaf_end)};
    report.metrics.Add(evaluation_.metrics, evaluation_.num_samples);
    uplink_->Send(std::move(report));
  }

  void Do(const worker_action::SendFailed& a) { uplink_->Send(a.what); }
  void Do(const worker_action::WakeAt& a) {
    LaterAt(a.when, [this] { Feed(worker_event::Tick{}); });
  }

  std::optional<WorkerCore> core_;
  std::shared_ptr<Uplink> uplink_;
  std::shared_ptr<Trainer> trainer_;
  std::shared_ptr<UpdateEncoder> encoder_;
  std::optional<AttachMsg> attach_;  // that came before the learner was made
  std::optional<VersionRef> model_version_;
  std::shared_ptr<const PackedTensors> model_;
  std::map<Seq, Kept> kept_;
  EvalOutput evaluation_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
  TaskRunner::Ticket ticket_ = 0;
  bool working_ = false;
  uint64_t transfers_ = 0;
  WorkerPace pace_;
  uint64_t trainings_ = 0;  // begun
  uint64_t evaluations_ = 0;
  Time done_at_{0};              // the work under way, not earlier
  std::function<void()> go_on_;  // with what has returned before
};

}  // namespace

std::shared_ptr<Node> MakeWorkerNode(NodeServices services, NodeOptions options) {
  return std::make_shared<WorkerNode>(std::move(services), std::move(options));
}

}  // namespace skein
