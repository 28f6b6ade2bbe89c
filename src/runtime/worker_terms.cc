#include "runtime/worker_terms.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "skein/base/status.h"
#include "skein/strategy/fold.h"
#include "strategy/companions.h"

namespace skein {
namespace {

using Keeps = ClientTerm::Keeps;

// "scaffold.k/conv1.weight", in a worker's state.
std::string KeptName(const NamedTerm& named, const std::string& parameter) {
  return named.name + ".k/" + parameter;
}
// "ditto.model/conv1.weight"
std::string PersonalName(const NamedTerm& named, const std::string& tensor) {
  return named.name + ".model/" + tensor;
}

// "fedbn.own/bn1.weight"
std::string OwnName(const NamedTerm& named, const std::string& tensor) {
  return named.name + ".own/" + tensor;
}

absl::Status OfAnotherModel(const NamedTerm& named, const std::string& tensor) {
  return absl::FailedPreconditionError(
      "term '" + named.name + "': what this worker has kept is of another model: tensor '" +
      tensor + "'; remove its file under worker_state");
}

// A tensor of its own. No value: there is none of that name.
std::optional<at::Tensor> TensorOf(const PackedTensors& tensors, const std::string& name) {
  if (!tensors.has_value()) return std::nullopt;
  const auto at = tensors.manifest().Find(name);
  if (!at) return std::nullopt;
  const TensorInfo& info = tensors.manifest()[*at];
  const auto one = Manifest::Create({info});
  const StateDict state =
      StateDict::Unpack(PackedTensors(*one, tensors.tensor(*at), tensors.owner()));
  return state.entries().front().tensor;
}

// c of the base, 0 if the term has none.
at::Tensor CompanionOf(const NamedTerm& named, const PackedTensors& base,
                       const TensorInfo& parameter) {
  if (named.term->has_companion) {
    if (auto c = TensorOf(base, CompanionName(named.name, parameter.name))) return *std::move(c);
  }
  return at::zeros(parameter.shape, at::kFloat);
}

at::Tensor KeptOf(const NamedTerm& named, const PackedTensors& state, const TensorInfo& parameter) {
  if (auto k = TensorOf(state, KeptName(named, parameter.name))) return *std::move(k);
  return at::zeros(parameter.shape, at::kFloat);
}

// That what a worker has kept is of this model.
absl::Status CheckState(const PackedTensors& state, const NamedTerm& named,
                        const TensorInfo& parameter) {
  if (!state.has_value()) return absl::OkStatus();
  const auto at = state.manifest().Find(KeptName(named, parameter.name));
  if (at && state.manifest()[*at].shape == parameter.shape) return absl::OkStatus();
  return OfAnotherModel(named, parameter.name);
}

// What x - y has to be divided by to be a mean of the gradients: K lr for plain SGD, as in the
// paper; with momentum or a pull, the weights with which gradients have entered.
double WeightOfGradients(const LocalSteps& steps) {
  return steps.count() == 0 ? 0
                            : steps.lr_sum() / static_cast<double>(steps.count()) * steps.norm();
}

bool Takes(const TensorInfo& info) {
  return info.role == TensorRole::kParameter && IsFloat(info.dtype);
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerTerms>> WorkerTerms::Create(
    const RunConfig& config, const NodeView& view, const StrategyRegistries* strategies) {
  std::vector<NamedTerm> terms;
  if (!config.strategy.terms.empty() && view.role == NodeRole::kWorker) {
    if (strategies == nullptr) {
      return absl::FailedPreconditionError(
          "the strategy has terms, and this trainer was made without the registry of them");
    }
    SKEIN_ASSIGN_OR_RETURN(terms, MakeTerms(config.strategy, *strategies));
  }
  return std::unique_ptr<WorkerTerms>(new WorkerTerms(
      std::move(terms), WorkerStatePath(config.worker_state, config.run_id, view.id)));
}

WorkerTerms::WorkerTerms(std::vector<NamedTerm> terms, std::string state_path)
    : terms_(std::move(terms)), state_(std::move(state_path)) {
  for (const NamedTerm& named : terms_) {
    if (named.term->stays != nullptr) local_ = &named;
    if (named.term->personal) {
      personal_ = &named;
    } else {
      pull_ += named.term->pull;
    }
    keeps_ = keeps_ || named.term->keeps != Keeps::kNothing;
  }
}

absl::StatusOr<WorkerTerms::Task> WorkerTerms::Read(uint64_t seq, const PackedTensors& base) const {
  Task task{.seq = seq, .base = base, .state = {}, .terms = {}};
  if (keeps_ || has_personal() || local_ != nullptr) {
    SKEIN_ASSIGN_OR_RETURN(task.state, state_.Before(seq));
  }
  return task;
}

absl::StatusOr<WorkerTerms::Task> WorkerTerms::Begin(uint64_t seq,
                                                     const PackedTensors& base) const {
  SKEIN_ASSIGN_OR_RETURN(Task task, Read(seq, base));
  if (terms_.empty()) return task;
  const PackedTensors model = WithoutCompanions(base);
  StateDict corrections;
  for (const TensorInfo& info : model.manifest().tensors()) {
    if (!keeps_ || !Takes(info)) continue;
    at::Tensor sum = at::zeros(info.shape, at::kFloat);
    for (const NamedTerm& named : terms_) {
      if (named.term->keeps == Keeps::kNothing) continue;
      SKEIN_RETURN_IF_ERROR(CheckState(task.state, named, info));
      sum.add_(CompanionOf(named, base, info)).sub_(KeptOf(named, task.state, info));
    }
    SKEIN_RETURN_IF_ERROR(corrections.Add(info.name, std::move(sum)));
  }
  StateDict global;
  std::vector<std::string> free;  // what stays here is pulled nowhere
  if (pull_ != 0) {
    const StateDict all = StateDict::Unpack(model);
    for (size_t i = 0; i < model.manifest().size(); ++i) {
      const StateDict::Entry& entry = all.entries()[i];
      if (Stays(model.manifest(), i)) {
        free.push_back(entry.name);
      } else {
        SKEIN_RETURN_IF_ERROR(global.Add(entry.name, entry.tensor, entry.role));
      }
    }
  }
  task.terms = LocalTerms(pull_, std::move(global), std::move(corrections), std::move(free));
  return task;
}

absl::StatusOr<PackedTensors> WorkerTerms::ModelOf(const Task& task) const {
  PackedTensors model = WithoutCompanions(task.base);
  if (local_ == nullptr) return model;
  const Manifest& manifest = model.manifest();
  PackedTensors own(manifest);
  std::ranges::copy(model.bytes(), own.mutable_bytes().begin());
  bool stays = false;
  for (size_t i = 0; i < manifest.size(); ++i) {
    if (!Stays(manifest, i)) continue;
    stays = true;
    if (!task.state.has_value()) continue;
    const auto kept = task.state.manifest().Find(OwnName(*local_, manifest[i].name));
    if (!kept || task.state.manifest()[*kept].shape != manifest[i].shape ||
        task.state.manifest()[*kept].dtype != manifest[i].dtype) {
      return OfAnotherModel(*local_, manifest[i].name);
    }
    std::ranges::copy(task.state.tensor(*kept), own.mutable_tensor(i).begin());
  }
  if (stays) return own;
  return absl::FailedPreconditionError("term '" + local_->name +
                                       "': the model has no tensor that would stay at the worker; "
                                       "leave the term out, or see 'skein model show'");
}

// The worker's own tensors into its state, and in their place in the update what leaves those of
// the model as they are.
absl::StatusOr<PackedTensors> WorkerTerms::KeepLocal(const Task& task, PackedTensors update,
                                                     StateDict& state) const {
  const PackedTensors model = WithoutCompanions(task.base);
  PackedTensors shared(update.manifest());
  std::ranges::copy(update.bytes(), shared.mutable_bytes().begin());
  for (size_t i = 0; i < model.manifest().size(); ++i) {
    if (!Stays(model.manifest(), i)) continue;
    const TensorInfo& info = model.manifest()[i];
    at::Tensor own = *TensorOf(update, info.name);
    at::Tensor unchanged = *TensorOf(model, info.name);
    if (Takes(info)) {
      const auto kept = TensorOf(task.state, OwnName(*local_, info.name));
      own = own.add(kept ? *kept : unchanged);
      unchanged = at::zeros_like(unchanged);
    }
    SKEIN_RETURN_IF_ERROR(state.Add(OwnName(*local_, info.name), own.to(unchanged.scalar_type())));
    StateDict one;
    SKEIN_RETURN_IF_ERROR(
        one.Add(info.name, IsFloat(info.dtype) ? unchanged.to(at::kFloat) : unchanged, info.role));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, one.Pack());
    std::ranges::copy(packed.bytes(), shared.mutable_tensor(i).begin());
  }
  return shared;
}

absl::Status WorkerTerms::CheckApplied(const LocalTerms& terms) const {
  // What stays here needs nothing of the learner.
  if (pull_ == 0 && !keeps_ && !has_personal()) return absl::OkStatus();
  SKEIN_RETURN_IF_ERROR(terms.status());
  if (terms.steps().count() > 0) return absl::OkStatus();
  std::string names;
  for (const NamedTerm& named : terms_) names += (names.empty() ? "'" : ", '") + named.name + "'";
  return absl::FailedPreconditionError(
      "strategy.terms asks for " + names +
      ", and the learner applies no terms: have it call context.terms.AdjustGradients before each "
      "step, or leave them out");
}

absl::StatusOr<StateDict> WorkerTerms::PersonalModel(const Task& task) const {
  StateDict global = StateDict::Unpack(WithoutCompanions(task.base));
  StateDict own;
  for (const StateDict::Entry& entry : global.entries()) {
    at::Tensor tensor = entry.tensor;
    if (auto kept = TensorOf(task.state, PersonalName(*personal_, entry.name))) {
      if (kept->sizes() != tensor.sizes() || kept->scalar_type() != tensor.scalar_type()) {
        return OfAnotherModel(*personal_, entry.name);
      }
      tensor = *std::move(kept);
    }
    SKEIN_RETURN_IF_ERROR(own.Add(entry.name, std::move(tensor), entry.role));
  }
  return own;
}

LocalTerms WorkerTerms::PersonalTerms(const Task& task) const {
  return LocalTerms(personal_->term->pull, StateDict::Unpack(WithoutCompanions(task.base)), {});
}

absl::StatusOr<PackedTensors> WorkerTerms::End(const Task& task, PackedTensors update,
                                               const StateDict& personal) {
  const PackedTensors own = WithoutCompanions(task.base);
  const Manifest& model = own.manifest();
  StateDict state;
  StateDict changes;  // of companions, by their names
  for (const NamedTerm& named : terms_) {
    if (named.term->keeps == Keeps::kNothing) continue;
    const bool mean = named.term->keeps == Keeps::kMeanGradient;
    const double travelled = WeightOfGradients(task.terms.steps());
    if (mean && !(travelled > 0)) {
      return absl::FailedPreconditionError("term '" + named.name +
                                           "': the learning rate was 0 in all steps, and it "
                                           "divides by it");
    }
    const double rate = mean ? 1 / travelled : named.term->pull;
    for (const TensorInfo& info : model.tensors()) {
      if (!Takes(info)) continue;
      // y - x, as it travels
      const at::Tensor moved = *TensorOf(update, info.name);
      at::Tensor change = moved.mul(-rate);
      if (named.term->has_companion) {
        change.sub_(CompanionOf(named, task.base, info));
        SKEIN_RETURN_IF_ERROR(changes.Add(CompanionName(named.name, info.name), change));
      }
      SKEIN_RETURN_IF_ERROR(
          state.Add(KeptName(named, info.name), KeptOf(named, task.state, info).add_(change)));
    }
  }
  if (local_ != nullptr) {
    SKEIN_ASSIGN_OR_RETURN(update, KeepLocal(task, std::move(update), state));
  }
  for (const StateDict::Entry& entry : personal.entries()) {
    SKEIN_RETURN_IF_ERROR(state.Add(PersonalName(*personal_, entry.name), entry.tensor));
  }
  if (state.size() > 0) {
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, state.Pack());
    SKEIN_RETURN_IF_ERROR(state_.Stage(task.seq, packed));
  }
  if (task.base.manifest().size() == model.size()) return update;

  SKEIN_ASSIGN_OR_RETURN(Manifest manifest, UpdateManifest(task.base.manifest()));
  PackedTensors whole(std::move(manifest));
  std::ranges::copy(update.bytes(), whole.mutable_bytes().begin());
  for (size_t i = model.size(); i < whole.manifest().size(); ++i) {
    const auto change = changes.Get(whole.manifest()[i].name);
    if (!change.ok()) return change.status();
    StateDict one;
    SKEIN_RETURN_IF_ERROR(one.Add(whole.manifest()[i].name, *change, TensorRole::kCompanion));
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, one.Pack());
    std::ranges::copy(packed.bytes(), whole.mutable_tensor(i).begin());
  }
  return whole;
}

}  // namespace skein
