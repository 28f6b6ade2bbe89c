#include "runtime/learner_trainer.h"

#include <exception>
#include <unordered_map>
#include <utility>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include "base/one_line.h"
#include "skein/base/random.h"
#include "skein/base/status.h"
#include "skein/tensor/torch_file.h"
#include "strategy/companions.h"
#include "strategy/delta_in_place.h"
#include "strategy/reported.h"

namespace skein {
namespace {

// What a stream of random numbers is for. The values are part of what makes runs repeat.
enum Purpose : uint64_t {
  kMakeLearner = 0x4d414b45,
  kInitialize = 0x494e4954,
  kTrain = 0x54524149,
  kEvaluate = 0x4556414c,
  kPersonal = 0x50455253,
};

// An error of the user's code, in one line that begins with who had it.
absl::Status Told(const absl::Status& status, const std::string& who) {
  return absl::Status(status.code(), who + ": " + OneLine(Message(status)));
}

// Calls the user's code. With one intra-op thread: the pool's threads share the cores already, and
// with one thread libtorch's results repeat bit for bit.
template <typename Call>
auto Guarded(const Call& call) -> decltype(call()) {
  try {
    if (at::get_num_threads() != 1) at::set_num_threads(1);
    return call();
  } catch (const c10::Error& error) {
    return absl::InternalError(OneLine(std::string("libtorch: ") + error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return absl::InternalError(OneLine(std::string("exception: ") + error.what()));
  } catch (...) {
    return absl::InternalError("exception that is no std::exception");
  }
}

// `result` in the order and with the roles of `model`: a learner may list its tensors as it likes.
// Types and shapes are compared later, when they are in a manifest.
absl::StatusOr<StateDict> InOrderOf(const Manifest& model, const StateDict& result) {
  std::unordered_map<std::string, at::Tensor> tensors;
  for (const StateDict::Entry& entry : result.entries()) {
    if (!model.Find(entry.name).has_value()) {
      return absl::InvalidArgumentError("returned tensor '" + entry.name +
                                        "', which the model does not have");
    }
    tensors.emplace(entry.name, entry.tensor);
  }
  StateDict ordered;
  for (const TensorInfo& info : model.tensors()) {
    auto it = tensors.find(info.name);
    if (it == tensors.end()) {
      return absl::InvalidArgumentError("did not return tensor '" + info.name + "' of the model");
    }
    SKEIN_RETURN_IF_ERROR(ordered.Add(info.name, it->second, info.role));
  }
  return ordered;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Trainer>> LearnerTrainer::Create(
    const LearnerRegistry::Entry& entry, const RunConfig& config, const NodeView& view,
    std::shared_ptr<GlobalRngTurn> turn, std::shared_ptr<BufferPool> buffers,
    const StrategyRegistries* strategies) {
  const bool is_coordinator = view.role == NodeRole::kCoordinator;
  const std::string learner_name = "learner '" + config.learner.name + "'";
  Settings settings;
  settings.who = std::string(NameOf(view.role)) + " '" + view.id + "', " + learner_name;
  settings.options = entry.options;
  settings.want_initial_loss =
      strategies != nullptr && WantsInitialLoss(config.strategy, *strategies);
  settings.seed = config.seed;
  settings.stream = is_coordinator ? 0 : uint64_t{view.leaf_begin} + 1;
  settings.cancel_grace = config.limits.cancel_grace;

  auto terms = WorkerTerms::Create(config, view, strategies);
  if (!terms.ok()) return Told(terms.status(), settings.who);

  WorkerContext context;
  context.node = view.id;
  context.is_coordinator = is_coordinator;
  context.evaluates = is_coordinator ? config.evaluate.coordinator : config.evaluate.workers;
  context.leaf = view.leaf_begin;
  context.num_workers = view.num_workers;
  context.seed = config.seed;
  if (entry.options.schema != nullptr) {
    SKEIN_ASSIGN_OR_RETURN(context.params,
                           entry.options.schema->Resolve(config.learner.params, learner_name));
  } else {
    context.params = Params(config.learner.params);
  }
  context.data = Params(config.data);
  if (entry.options.data_schema != nullptr) {
    SKEIN_ASSIGN_OR_RETURN(
        context.data, entry.options.data_schema->Resolve(config.data, learner_name + ", data"));
  }
  context.attributes = view.attributes;

  // Factories make modules, whose default initial weights come from the global generator.
  auto hold = turn->Take(nullptr, settings.cancel_grace);
  if (!hold.ok()) return hold.status();
  auto learner = Guarded([&]() -> absl::StatusOr<std::unique_ptr<Learner>> {
    at::manual_seed(DeriveSeed(settings.seed, {kMakeLearner, settings.stream}));
    return entry.factory(context);
  });
  if (!learner.ok()) return Told(learner.status(), settings.who);
  if (*learner == nullptr) {
    return absl::InternalError(settings.who + ": the factory returned no learner");
  }
  if ((*learner)->UsesGlobalRng()) settings.options.uses_global_rng = true;
  return std::unique_ptr<Trainer>(new LearnerTrainer(std::move(settings), *std::move(learner),
                                                     *std::move(terms), std::move(turn),
                                                     std::move(buffers)));
}

LearnerTrainer::LearnerTrainer(Settings settings, std::unique_ptr<Learner> learner,
                               std::unique_ptr<WorkerTerms> terms,
                               std::shared_ptr<GlobalRngTurn> turn,
                               std::shared_ptr<BufferPool> buffers)
    : settings_(std::move(settings)),
      learner_(std::move(learner)),
      terms_(std::move(terms)),
      turn_(std::move(turn)),
      buffers_(std::move(buffers)) {}

std::string LearnerTrainer::Where(const TrainRequest& request) const {
  return settings_.who + ", round " + std::to_string(request.round);
}

absl::StatusOr<std::optional<GlobalRngTurn::Hold>> LearnerTrainer::TakeTurn(
    const TrainRequest& request, uint64_t seed) const {
  std::optional<GlobalRngTurn::Hold> result;
  if (settings_.options.uses_global_rng) {
    auto hold = turn_->Take(request.cancelled, settings_.cancel_grace);
    if (!hold.ok()) return hold.status();
    result.emplace(*std::move(hold));
    at::manual_seed(seed);
  }
  return result;
}

absl::StatusOr<PackedTensors> LearnerTrainer::Initialize() {
  auto hold = turn_->Take(nullptr, settings_.cancel_grace);
  if (!hold.ok()) return hold.status();
  auto packed = Guarded([&]() -> absl::StatusOr<PackedTensors> {
    const uint64_t seed = DeriveSeed(settings_.seed, {kInitialize});
    at::manual_seed(seed);
    InitContext context{MakeGenerator(seed)};
    SKEIN_ASSIGN_OR_RETURN(StateDict model, learner_->Initialize(context));
    if (model.size() == 0) return absl::InvalidArgumentError("the initial model has no tensors");
    return model.Pack();
  });
  if (!packed.ok()) return Told(packed.status(), settings_.who + ", initial model");
  return packed;
}

absl::StatusOr<PackedTensors> LearnerTrainer::ReadModel(const std::string& path) {
  if (!IsTorchFile(path)) return ReadSafetensors(path);
  SKEIN_ASSIGN_OR_RETURN(const StateDict model, ReadTorchFile(path));
  return model.Pack();
}

TrainContext LearnerTrainer::ContextOf(const TrainRequest& request, uint64_t seed,
                                       LocalTerms terms) const {
  return {request.round, request.local_round,         MakeGenerator(seed), request.cancelled,
          request.steps, settings_.want_initial_loss, std::move(terms)};
}

absl::StatusOr<TrainOutput> LearnerTrainer::Train(const PackedTensors& base,
                                                  const TrainRequest& request) {
  auto output = Guarded([&]() -> absl::StatusOr<TrainOutput> {
    const uint64_t seed = DeriveSeed(settings_.seed, {kTrain, settings_.stream, request.seq});
    SKEIN_ASSIGN_OR_RETURN(auto hold, TakeTurn(request, seed));
    if (request.cancelled->load()) return absl::CancelledError("cancelled before it started");
    SKEIN_ASSIGN_OR_RETURN(const WorkerTerms::Task task, terms_->Begin(request.seq, base));
    TrainContext context = ContextOf(request, seed, task.terms);
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors model, terms_->ModelOf(task));
    std::shared_ptr<std::byte> block =
        buffers_->Take(StateDict::UnpackedOffsets(model.manifest()).back());
    auto result = learner_->Train(StateDict::Unpack(model, block), context);
    if (request.cancelled->load()) return absl::CancelledError("cancelled");
    if (absl::IsInvalidArgument(result.status())) {  // that code is for what Checked refuses
      return absl::InternalError(Message(result.status()));
    }
    if (!result.ok()) return result.status();
    SKEIN_RETURN_IF_ERROR(terms_->CheckApplied(task.terms));
    if (task.terms.steps().count() > 0) {
      result->metrics.try_emplace(kStepsMetric, task.terms.steps().norm());
    }
    SKEIN_ASSIGN_OR_RETURN(TrainOutput trained,
                           Checked(*std::move(result), model, std::move(block)));
    TrainResult personal;
    if (terms_->has_personal()) {
      SKEIN_ASSIGN_OR_RETURN(personal, TrainPersonal(task, model.manifest(), request));
      for (const auto& [name, value] : personal.metrics) {
        trained.metrics["personal_" + name] = value;
      }
    }
    SKEIN_ASSIGN_OR_RETURN(trained.update,
                           terms_->End(task, std::move(trained.update), personal.model));
    return trained;
  });
  if (!output.ok()) return Told(output.status(), Where(request));
  return output;
}

absl::StatusOr<TrainResult> LearnerTrainer::TrainPersonal(const WorkerTerms::Task& task,
                                                          const Manifest& model,
                                                          const TrainRequest& request) {
  const uint64_t seed = DeriveSeed(settings_.seed, {kPersonal, settings_.stream, request.seq});
  if (settings_.options.uses_global_rng) at::manual_seed(seed);
  SKEIN_ASSIGN_OR_RETURN(const StateDict start, terms_->PersonalModel(task));
  const LocalTerms terms = terms_->PersonalTerms(task);
  TrainContext context = ContextOf(request, seed, terms);
  context.want_initial_loss = false;
  auto result = learner_->Train(start, context);
  if (request.cancelled->load()) return absl::CancelledError("cancelled");
  if (!result.ok()) return absl::InternalError("its own model: " + Message(result.status()));
  SKEIN_RETURN_IF_ERROR(terms_->CheckApplied(terms));
  SKEIN_ASSIGN_OR_RETURN(result->model, InOrderOf(model, result->model));
  return result;
}

absl::StatusOr<TrainOutput> LearnerTrainer::Checked(TrainResult result, const PackedTensors& base,
                                                    std::shared_ptr<std::byte> block) const {
  if (result.num_samples == 0 || result.num_samples > settings_.options.max_samples) {
    return absl::InvalidArgumentError(
        "returned num_samples " + std::to_string(result.num_samples) + "; it must be 1 to " +
        std::to_string(settings_.options.max_samples) + " (LearnerOptions::max_samples)");
  }
  SKEIN_ASSIGN_OR_RETURN(StateDict ordered, InOrderOf(base.manifest(), result.model));
  result.model = {};
  TrainOutput output;
  SKEIN_ASSIGN_OR_RETURN(output.update, UpdateOf(std::move(ordered), base, std::move(block)));
  output.num_samples = result.num_samples;
  output.metrics = std::move(result.metrics);
  return output;
}

absl::StatusOr<PackedTensors> LearnerTrainer::UpdateOf(StateDict local, const PackedTensors& base,
                                                       std::shared_ptr<std::byte> block) const {
  const bool alone = local.HoldsAlone(block);
  SKEIN_ASSIGN_OR_RETURN(TensorViews views, local.View());
  SKEIN_RETURN_IF_ERROR(
      Annotate(base.manifest().ExpectSame(views.manifest()), "returned another model"));
  const absl::StatusOr<Manifest> update = UpdateManifest(base.manifest());
  // A learner that has trained in place and kept nothing leaves its memory to the update.
  if (alone && update.ok() && *update == base.manifest()) {
    local = {};
    return DeltaInPlace(std::move(views), base, std::move(block));
  }
  return DeltaOf(views, base, *buffers_);
}

absl::StatusOr<EvalOutput> LearnerTrainer::Evaluate(const PackedTensors& model,
                                                    const TrainRequest& request) {
  auto output = Guarded([&]() -> absl::StatusOr<EvalOutput> {
    const uint64_t seed = DeriveSeed(settings_.seed, {kEvaluate, settings_.stream, request.round});
    SKEIN_ASSIGN_OR_RETURN(auto hold, TakeTurn(request, seed));
    if (request.cancelled->load()) return absl::CancelledError("cancelled before it started");
    const at::NoGradGuard no_grad;
    EvalContext context{request.round, MakeGenerator(seed), request.cancelled};
    SKEIN_ASSIGN_OR_RETURN(const WorkerTerms::Task task, terms_->Look(model));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors seen, terms_->ModelOf(task));
    SKEIN_ASSIGN_OR_RETURN(EvalResult result,
                           learner_->Evaluate(StateDict::Unpack(seen, *buffers_), context));
    if (terms_->has_personal()) {
      SKEIN_ASSIGN_OR_RETURN(const StateDict own, terms_->PersonalModel(task));
      EvalContext again{request.round, MakeGenerator(seed), request.cancelled};
      SKEIN_ASSIGN_OR_RETURN(const EvalResult personal, learner_->Evaluate(own, again));
      for (const auto& [name, value] : personal.metrics) result.metrics["personal_" + name] = value;
    }
    if (request.cancelled->load()) return absl::CancelledError("cancelled");
    return EvalOutput{result.num_samples, std::move(result.metrics)};
  });
  if (!output.ok()) return Told(output.status(), Where(request) + ", evaluation");
  return output;
}

}  // namespace skein
