#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <future>
#include <optional>

#include "runtime/aggregating_node.h"
#include "runtime/initial_model.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"
#include "strategy/companions.h"
#include "strategy/finite_check.h"

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

  // An evaluation here, which a learner may never return from.
  struct Evaluation {
    CommitMsg commit;
    Time due;
    std::shared_ptr<std::atomic<bool>> cancelled;
    TaskRunner::Ticket ticket = 0;
  };

  absl::Status OnAssigned() override {
    SKEIN_RETURN_IF_ERROR(AggregatingNode::OnAssigned());
    optimizer_spec_ = config_.strategy.optimizer;
    SKEIN_ASSIGN_OR_RETURN(optimizer_, services_.strategies->optimizers.Create(optimizer_spec_));
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
    // One plan for the folds of all tiers.
    uint64_t max_weight = 0;
    double min_bound = 0;
    for (int tier = 0; tier < view_.num_tiers - 1; ++tier) {
      auto at = MakeTierParts(config_.strategy, tier, view_.num_tiers, *services_.strategies);
      if (!at.ok()) return Fail(at.status());
      max_weight = std::max(max_weight,
                            at->fold->MaxUpdateWeight(services_.max_samples(config_.learner.name)));
      min_bound = std::max(min_bound, at->fold->MinBound());
    }
    auto terms = MakeTerms(config_.strategy, *services_.strategies);
    if (!terms.ok()) return Fail(terms.status());
    const std::string digest = ModelDigest(start->model);
    auto extended = WithCompanions(start->model, *terms);
    if (!extended.ok()) return Fail(Annotate(extended.status(), "initial model"));
    start->model = *std::move(extended);
    // Without a barrier a quick worker may contribute several times to one step.
    const std::vector<bool> barriers =
        BarriersOf(config_.strategy, view_.num_tiers, *services_.strategies);
    const bool all = std::find(barriers.begin(), barriers.end(), false) == barriers.end();
    auto numeric =
        MakeNumericPlan(start->model, max_weight,
                        view_.num_workers * (all ? 1 : kContributionsOfAWorker), min_bound);
    if (!numeric.ok()) {
      return Fail(
          Annotate(numeric.status(), config_.init.empty() ? "initial model" : config_.init));
    }
    if (auto ready = optimizer_->Prepare(start->model.manifest()); !ready.ok()) {
      return Fail(Annotate(ready, "strategy.optimizer"));
    }
    numeric_ = *std::move(numeric);
    trainer_ = std::move(start->trainer);
    SendControl(ModelReadyMsg{VersionRef{}, digest});
    AddModel(VersionRef{}, Model::OfModel(std::move(start->model)));
  }

  absl::Status OnMessage(ControlMessage message) override {
    if (auto* plan = std::get_if<PlanMsg>(&message)) {
      SKEIN_RETURN_IF_ERROR(Adopt(plan->change));
      planned_round_ = plan->round;
      Task task{TaskKind::kTrain, plan->round,     plan->attempt,   0,
                plan->base,       plan->seq_first, plan->seq_count, plan->participants};
      task.wants_reports = plan->wants_reports;
      if (FindModel(plan->base) == nullptr) {
        DeliverFailure(task, "the plan refers to " + ToString(plan->base) +
                                 ", which the coordinator does not have");
      } else {
        Feed(agg_event::TaskArrived{std::move(task), plan->last_version});
        last_version_ = plan->last_version;
      }
      return absl::OkStatus();
    }
    if (auto* commit = std::get_if<CommitMsg>(&message)) return OnCommit(*commit);
    if (auto* finish = std::get_if<FinishMsg>(&message)) return OnFinish(*finish);
    if (auto* steer = std::get_if<SteerMsg>(&message)) {
      changes_.push_back(std::move(*steer));
      SKEIN_RETURN_IF_ERROR(AdoptDue());
      Feed(agg_event::Tick{});  // what has come may be enough now
      return absl::OkStatus();
    }
    return AggregatingNode::OnMessage(std::move(message));
  }

  // ---- rounds ----

  absl::Status DeliverFold(const agg_action::CloseFold& close) override {
    Tally tally;
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors next, MakeStep(close, tally));
    RestMemory();
    if (last_version_ != 0) return DeliverVersion(close, next, tally);
    std::string path;
    if (!config_.output_dir.empty()) {
      path = config_.output_dir + "/model-" + std::to_string(close.made.version) + "." +
             std::to_string(close.made.attempt) + ".safetensors";
    }
    SKEIN_ASSIGN_OR_RETURN(std::string digest, Store(next, path));
    Pending pending{close.made, Model::OfModel(next), std::move(digest), path};
    SendControl(RoundResultMsg{.round = close.task.round,
                               .attempt = close.task.attempt,
                               .version = close.made,
                               .digest = pending.digest,
                               .roster = close.roster,
                               .num_samples = tally.num_samples,
                               .metrics = tally.metrics.Means(),
                               .bases = BasesOf(close),
                               .change = change_,
                               .reports = close.reports});
    pending_ = std::move(pending);
    Feed(agg_event::Delivered{});
    return absl::OkStatus();
  }

  // Without a barrier a version counts as soon as it is made. It is stored when it is evaluated,
  // and the last one always. Evaluations that are due while another one runs are left out.
  absl::Status DeliverVersion(const agg_action::CloseFold& close, const PackedTensors& next,
                              const Tally& tally) {
    const uint64_t number = close.made.version;
    const uint64_t every = config_.evaluate.every;
    const bool last = number >= last_version_;
    const bool due = every != 0 && number % every == 0 && !Evaluating();
    const bool evaluated = config_.evaluate.coordinator && (last || due);
    std::string digest;
    if (last || evaluated) {
      const std::string& directory = config_.output_dir;
      SKEIN_ASSIGN_OR_RETURN(
          digest, Store(next, directory.empty() ? "" : directory + "/model.safetensors"));
      SKEIN_RETURN_IF_ERROR(StoreOptimizer());
      stored_ = {close.made, digest};
    }
    SendControl(RoundResultMsg{.round = number,
                               .attempt = close.task.attempt,
                               .version = close.made,
                               .digest = std::move(digest),
                               .roster = close.roster,
                               .num_samples = tally.num_samples,
                               .metrics = tally.metrics.Means(),
                               .bases = BasesOf(close),
                               .evaluating = evaluated,
                               .change = change_,
                               .weight = close.weight});
    newest_ = close.made;
    AddModel(close.made, Model::OfModel(next));
    if (evaluated) EvaluateHere(CommitMsg{.round = number, .version = close.made}, next);
    SKEIN_RETURN_IF_ERROR(AdoptDue());
    Feed(agg_event::Delivered{});
    return absl::OkStatus();
  }

  static std::vector<BaseCount> BasesOf(const agg_action::CloseFold& close) {
    std::vector<BaseCount> bases;
    for (const agg_action::Bucket& bucket : close.buckets) {
      bases.push_back({bucket.base.version, bucket.updates});
    }
    return bases;
  }

  // The digest; the file is written while that is computed, since for large models both take longer
  // than the fold. Empty path: nowhere.
  static absl::StatusOr<std::string> Store(const PackedTensors& version, const std::string& path) {
    const PackedTensors model = WithoutCompanions(version);
    std::future<absl::Status> stored;
    if (!path.empty()) {
      stored = std::async(std::launch::async, [&] { return WriteSafetensors(model, path); });
    }
    std::string digest = ModelDigest(model);
    if (stored.valid()) SKEIN_RETURN_IF_ERROR(stored.get());
    return digest;
  }

  // Beside the model to which it belongs, so that another run can go on from both.
  absl::Status StoreOptimizer() const {
    const PackedTensors state = optimizer_->State();
    if (!state.has_value() || config_.output_dir.empty()) return absl::OkStatus();
    return WriteSafetensors(state, config_.output_dir + "/optimizer.safetensors");
  }

  // The model after the task's base; `tally` takes what the buckets have.
  absl::StatusOr<PackedTensors> MakeStep(const agg_action::CloseFold& close, Tally& tally) {
    std::vector<Bucket> buckets;
    std::vector<MixBucket> weights;
    for (const agg_action::Bucket& closed : close.buckets) {
      SKEIN_ASSIGN_OR_RETURN(Bucket bucket, TakeBucket(closed));
      tally.Merge(bucket.tally);
      weights.push_back(
          {closed.staleness_weight, bucket.sums->total_weight(),
           static_cast<double>(closed.updates) / static_cast<double>(view_.num_workers)});
      buckets.push_back(std::move(bucket));
    }
    const std::vector<double> coefficients = parts().mixing->Coefficients(weights);
    std::vector<MixPart> mixed;
    for (size_t i = 0; i < buckets.size(); ++i) {
      MixPart part{buckets[i].sums.get(), coefficients[i] * close.weight, nullptr};
      if (parts().mixing->MixesModels()) {
        const Model* base = FindModel(close.buckets[i].base);
        if (base == nullptr) {
          return absl::FailedPreconditionError(ToString(close.buckets[i].base) +
                                               " is no longer kept");
        }
        part.base = &base->tensors();
      }
      mixed.push_back(part);
    }
    uint64_t updates = 0;
    for (const agg_action::Bucket& closed : close.buckets) updates += closed.updates;
    const double share = static_cast<double>(updates) / static_cast<double>(view_.num_workers);
    optimizer_->SetParticipation(std::min(1.0, share));
    const PackedTensors& base = FindModel(close.base)->tensors();
    SKEIN_ASSIGN_OR_RETURN(PackedTensors next, parts().fold->Mix(base, mixed, *optimizer_));
    SKEIN_ASSIGN_OR_RETURN(next, WithCompanionShare(base, std::move(next), share));
    const absl::Status finite = CheckFinite(next);
    if (finite.ok()) return next;
    return Annotate(finite, "the step of optimizer '" + optimizer_spec_.name +
                                "' is too large, or what it began from is wrong");
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
    SKEIN_RETURN_IF_ERROR(StoreOptimizer());
    newest_ = pending.version;
    stored_ = {pending.version, pending.digest};
    AddModel(pending.version, std::move(pending.model));
    Feed(agg_event::Committed{commit.round, commit.version});
    if (commit.evaluate_at_coordinator) {
      EvaluateHere(commit, FindModel(commit.version)->tensors());
    }
    if (commit.evaluate_at_workers) {
      Feed(agg_event::TaskArrived{Task{.kind = TaskKind::kEvaluate,
                                       .round = commit.round,
                                       .base = commit.version,
                                       .participants = commit.participants}});
    }
    return absl::OkStatus();
  }

  // ---- the run is steered, and ends early ----

  // What holds for the next version.
  absl::Status AdoptDue() {
    while (!changes_.empty() && changes_.front().from_version <= newest_.version + 1) {
      SKEIN_RETURN_IF_ERROR(Adopt(changes_.front().change));
      changes_.pop_front();
    }
    return absl::OkStatus();
  }

  absl::Status Adopt(const StrategyChange& change) {
    if (change.number <= change_) return absl::OkStatus();
    if (change.optimizer && *change.optimizer != optimizer_spec_) {
      SKEIN_ASSIGN_OR_RETURN(auto next, services_.strategies->optimizers.Create(*change.optimizer));
      SKEIN_RETURN_IF_ERROR(next->Prepare(FindModel(newest_)->tensors().manifest()));
      if (change.optimizer->name == optimizer_spec_.name) next->Continue(*optimizer_);
      optimizer_ = std::move(next);
      optimizer_spec_ = *change.optimizer;
    }
    change_ = change.number;
    return AdoptPolicies(change.policies);
  }

  absl::Status OnFinish(const FinishMsg& finish) {
    DropPending();
    changes_.clear();
    Feed(agg_event::Cancelled{planned_round_, finish.reason});
    if (!stored_ || stored_->first != newest_) {
      const std::string& directory = config_.output_dir;
      auto digest = Store(FindModel(newest_)->tensors(),
                          directory.empty() ? "" : directory + "/model.safetensors");
      if (absl::Status state = StoreOptimizer(); digest.ok() && !state.ok()) digest = state;
      if (!digest.ok()) {
        SendControl(FinishedMsg{.code = static_cast<int>(digest.status().code()),
                                .message = skein::Message(digest.status())});
        return absl::OkStatus();
      }
      stored_ = {newest_, *std::move(digest)};
    }
    const CommitMsg last{.round = newest_.version, .version = newest_};
    if (finish.evaluate_at_coordinator && evaluated_ != newest_) {
      EvaluateHere(last, FindModel(newest_)->tensors());
    }
    SendControl(FinishedMsg{.version = newest_,
                            .digest = stored_->second,
                            .evaluating = evaluated_ == newest_ && Evaluating()});
    if (finish.evaluate_at_workers) {
      Feed(agg_event::TaskArrived{Task{.kind = TaskKind::kEvaluate,
                                       .round = last.round,
                                       .base = newest_,
                                       .participants = finish.participants}});
    }
    return absl::OkStatus();
  }

  // A version that was made and will not be committed.
  void DropPending() {
    if (pending_ && !pending_->path.empty()) {
      std::error_code ignored;
      std::filesystem::remove(pending_->path, ignored);
    }
    pending_.reset();
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

  bool Evaluating() const { return evaluations_reported_ != evaluations_; }

  void EvaluateHere(const CommitMsg& commit, const PackedTensors& version) {
    evaluated_ = commit.version;
    if (Evaluating()) {
      next_evaluation_ = [this, commit, version] { EvaluateHere(commit, version); };
      return;
    }
    const uint64_t number = ++evaluations_;
    auto cancelled = std::make_shared<std::atomic<bool>>(false);
    const TaskRunner::Ticket ticket = services_.trainers->Run(
        [this, back = WayBack(), trainer = trainer_, model = version,
         request = TrainRequest{commit.round, 0, 0, cancelled}, commit, number] {
          auto output = trainer->Evaluate(model, request);
          back([this, output = std::move(output), commit, number] {
            if (number == evaluations_) OnEvaluated(commit, output);
          });
        });
    under_way_ = {commit, Now() + kEvaluationLimit, cancelled, ticket};
    WatchEvaluation();
  }

  // By one timer: those of all evaluations of ten minutes would be many.
  void WatchEvaluation() {
    if (std::exchange(watching_, true)) return;
    LaterAt(under_way_->due, [this] {
      watching_ = false;
      if (!Evaluating()) return;
      if (Now() < under_way_->due) return WatchEvaluation();  // a later one
      under_way_->cancelled->store(true);
      services_.trainers->Abandon(under_way_->ticket);
      OnEvaluated(under_way_->commit,
                  absl::DeadlineExceededError("the learner did not return in 10 minutes"));
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
    if (next_evaluation_) std::exchange(next_evaluation_, nullptr)();
  }

  void DeliverEvaluation(const agg_action::DeliverEvaluation& result) override {
    SendControl(EvaluatedMsg{.round = result.task.round,
                             .version = result.task.base,
                             .where = "workers",
                             .num_samples = evaluation().num_samples,
                             .metrics = evaluation().metrics.Means()});
    Feed(agg_event::Delivered{});
  }

  void OnEnd(const absl::Status& why) override {
    DropPending();
    AggregatingNode::OnEnd(why);
  }

  PartSpec optimizer_spec_;
  std::shared_ptr<ServerOptimizer> optimizer_;
  std::shared_ptr<Trainer> trainer_;
  std::optional<Pending> pending_;
  VersionRef newest_;                                         // that counts
  std::optional<std::pair<VersionRef, std::string>> stored_;  // the last one, with its digest
  std::optional<VersionRef> evaluated_;                       // here, or soon
  uint64_t planned_round_ = 0;
  uint64_t change_ = 0;                  // of the strategy, that holds
  std::deque<SteerMsg> changes_;         // to come
  std::optional<Evaluation> under_way_;  // or the last one
  bool watching_ = false;                // for its time to be over
  uint64_t evaluations_ = 0;
  uint64_t evaluations_reported_ = 0;
  std::function<void()> next_evaluation_;  // when this one is over
  uint64_t last_version_ = 0;              // of a plan without a barrier
};

}  // namespace

std::shared_ptr<Node> MakeCoordinatorNode(NodeServices services, NodeOptions options) {
  return std::make_shared<CoordinatorNode>(std::move(services), std::move(options));
}

}  // namespace skein
