#include <atomic>
#include <filesystem>
#include <future>
#include <optional>

#include "runtime/aggregating_node.h"
#include "runtime/initial_model.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"

namespace skein {
namespace {

constexpr Duration kEvaluationLimit = std::chrono::minutes(10);

// The root: makes the initial model, owns the global one, takes plans from the control plane and
// reports rounds to it.
class CoordinatorNode : public AggregatingNode {
 public:
  using AggregatingNode::AggregatingNode;

 private:
  // A version that was made and is not committed yet.
  struct Pending {
    VersionRef version;
    Model model;
    std::string digest;  // ModelDigest
    std::string path;    // empty: nothing is stored
  };

  absl::Status OnAssigned() override {
    SKEIN_RETURN_IF_ERROR(AggregatingNode::OnAssigned());
    SKEIN_ASSIGN_OR_RETURN(optimizer_,
                           services_.strategies->optimizers.Create(config_.strategy.optimizer));
    services_.trainers->Run([back = WayBack(), factory = services_.trainer_factory,
                             config = config_, view = view_, this] {
      auto start =
          std::make_shared<absl::StatusOr<InitialModel>>(MakeInitialModel(factory, config, view));
      back([this, start] { OnInitialModel(std::move(*start)); });
    });
    return absl::OkStatus();
  }

  void OnInitialModel(absl::StatusOr<InitialModel> start) {
    if (!start.ok()) return Fail(start.status());
    const uint64_t max_weight =
        parts().fold->MaxUpdateWeight(services_.max_samples(config_.learner.name));
    auto numeric =
        MakeNumericPlan(start->model, max_weight, view_.num_workers, parts().fold->MinBound());
    if (!numeric.ok()) return Fail(Annotate(numeric.status(), "initial model"));
    numeric_ = *std::move(numeric);
    trainer_ = std::move(start->trainer);
    SendControl(ModelReadyMsg{VersionRef{}, ModelDigest(start->model)});
    AddModel(VersionRef{}, Model::OfModel(std::move(start->model)));
  }

  absl::Status OnMessage(ControlMessage message) override {
    if (auto* plan = std::get_if<PlanMsg>(&message)) {
      Task task{TaskKind::kTrain, plan->round,     plan->attempt,   0,
                plan->base,       plan->seq_first, plan->seq_count, plan->participants};
      if (FindModel(plan->base) == nullptr) {
        DeliverFailure(task, "the plan refers to " + ToString(plan->base) +
                                 ", which the coordinator does not have");
      } else {
        Feed(agg_event::TaskArrived{std::move(task)});
      }
      return absl::OkStatus();
    }
    if (auto* commit = std::get_if<CommitMsg>(&message)) return OnCommit(*commit);
    return AggregatingNode::OnMessage(std::move(message));
  }

  // ---- rounds ----

  absl::Status DeliverFold(const agg_action::CloseFold& close) override {
    SKEIN_ASSIGN_OR_RETURN(PackedTensors next,
                           accumulator().Finish(FindModel(close.base)->tensors(), *optimizer_));
    std::string path;
    std::future<absl::Status> stored;
    if (!config_.output_dir.empty()) {
      path = config_.output_dir + "/model-" + std::to_string(close.made.version) + "." +
             std::to_string(close.made.attempt) + ".safetensors";
      // Written while it is digested: for large models both take longer than the fold.
      stored = std::async(std::launch::async, [&] { return WriteSafetensors(next, path); });
    }
    std::string digest = ModelDigest(next);
    Pending pending{close.made, Model::OfModel(next), std::move(digest), path};
    if (stored.valid()) SKEIN_RETURN_IF_ERROR(stored.get());
    SendControl(RoundResultMsg{.round = close.task.round,
                               .attempt = close.task.attempt,
                               .version = close.made,
                               .digest = pending.digest,
                               .roster = close.roster,
                               .num_samples = tally().num_samples,
                               .metrics = tally().metrics.Means()});
    pending_ = std::move(pending);
    Feed(agg_event::Delivered{});
    return absl::OkStatus();
  }

  absl::Status OnCommit(const CommitMsg& commit) {
    if (!pending_ || pending_->version != commit.version) {
      return absl::InternalError("the control plane committed " + ToString(commit.version) +
                                 ", which the coordinator did not make");
    }
    Pending pending = *std::exchange(pending_, std::nullopt);
    if (!pending.path.empty()) {
      std::error_code error;
      std::filesystem::rename(pending.path, config_.output_dir + "/model.safetensors", error);
      if (error) {
        return absl::UnavailableError(config_.output_dir +
                                      "/model.safetensors: " + error.message());
      }
    }
    AddModel(pending.version, std::move(pending.model));
    Feed(agg_event::Committed{commit.round, commit.version});
    if (commit.evaluate_at_coordinator) EvaluateHere(commit);
    if (commit.evaluate_at_workers) {
      Feed(agg_event::TaskArrived{Task{.kind = TaskKind::kEvaluate,
                                       .round = commit.round,
                                       .base = commit.version,
                                       .participants = commit.participants}});
    }
    return absl::OkStatus();
  }

  void DeliverFailure(const Task& task, const std::string& reason) override {
    const int code = static_cast<int>(absl::StatusCode::kAborted);
    if (task.kind == TaskKind::kEvaluate) {
      SendControl(EvaluatedMsg{.round = task.round,
                               .version = task.base,
                               .where = "workers",
                               .code = code,
                               .message = reason});
    } else {
      SendControl(RoundResultMsg{
          .round = task.round, .attempt = task.attempt, .code = code, .message = reason});
    }
  }

  // ---- evaluation ----

  void EvaluateHere(const CommitMsg& commit) {
    const uint64_t number = ++evaluations_;
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    const TaskRunner::Ticket ticket = services_.trainers->Run(
        [this, back = WayBack(), trainer = trainer_, model = FindModel(commit.version)->tensors(),
         request = TrainRequest{commit.round, 0, 0, cancelled}, commit, number] {
          auto output = trainer->Evaluate(model, request);
          back([this, output = std::move(output), commit, number] {
            if (number == evaluations_) OnEvaluated(commit, output);
          });
        });
    LaterAt(Now() + kEvaluationLimit, [this, number, commit, cancelled, ticket] {
      if (number != evaluations_ || evaluations_reported_ == number) return;
      cancelled->store(true);
      services_.trainers->Abandon(ticket);
      OnEvaluated(commit, absl::DeadlineExceededError("the learner did not return in 10 minutes"));
    });
  }

  void OnEvaluated(const CommitMsg& commit, const absl::StatusOr<EvalOutput>& output) {
    if (std::exchange(evaluations_reported_, evaluations_) == evaluations_) return;
    EvaluatedMsg message{.round = commit.round, .version = commit.version, .where = "coordinator"};
    if (output.ok()) {
      message.num_samples = output->num_samples;
      message.metrics = output->metrics;
    } else {
      message.code = static_cast<int>(output.status().code());
      message.message = "evaluation at '" + id() + "' failed: " + skein::Message(output.status());
    }
    SendControl(std::move(message));
  }

  void DeliverEvaluation(const agg_action::DeliverEvaluation& evaluation) override {
    SendControl(EvaluatedMsg{.round = evaluation.task.round,
                             .version = evaluation.task.base,
                             .where = "workers",
                             .num_samples = tally().num_samples,
                             .metrics = tally().metrics.Means()});
    Feed(agg_event::Delivered{});
  }

  void OnEnd(const absl::Status& why) override {
    if (pending_ && !pending_->path.empty()) {
      std::error_code ignored;
      std::filesystem::remove(pending_->path, ignored);
    }
    AggregatingNode::OnEnd(why);
  }

  std::shared_ptr<ServerOptimizer> optimizer_;
  std::shared_ptr<Trainer> trainer_;
  std::optional<Pending> pending_;
  uint64_t evaluations_ = 0;
  uint64_t evaluations_reported_ = 0;
};

}  // namespace

std::shared_ptr<Node> MakeCoordinatorNode(NodeServices services, NodeOptions options) {
  return std::make_shared<CoordinatorNode>(std::move(services), std::move(options));
}

}  // namespace skein
