#include "runtime/initial_model.h"

#include <algorithm>

#include "skein/base/status.h"

namespace skein {
namespace {

// `model` with the values of `file`, which must have just its tensors, in any order. `path` begins
// messages.
absl::StatusOr<PackedTensors> WithValuesOf(const PackedTensors& file, const std::string& path,
                                           const PackedTensors& model) {
  const Manifest& manifest = model.manifest();
  for (const TensorInfo& info : file.manifest().tensors()) {
    if (!manifest.Find(info.name)) {
      return absl::InvalidArgumentError(path + ": the learner's model has no tensor '" + info.name +
                                        "'");
    }
  }
  PackedTensors result(manifest);
  for (size_t i = 0; i < manifest.size(); ++i) {
    const TensorInfo& info = manifest[i];
    const auto at = file.manifest().Find(info.name);
    if (!at) return absl::InvalidArgumentError(path + ": tensor '" + info.name + "' is missing");
    const TensorInfo& there = file.manifest()[*at];
    if (there.dtype != info.dtype || there.shape != info.shape) {
      return absl::InvalidArgumentError(path + ": tensor '" + info.name + "' is " +
                                        ToString(there) + ", the learner's is " + ToString(info));
    }
    std::ranges::copy(file.tensor(*at), result.mutable_tensor(i).begin());
  }
  return result;
}

}  // namespace

absl::StatusOr<InitialModel> MakeInitialModel(const TrainerFactory& factory,
                                              const RunConfig& config, const NodeView& view) {
  SKEIN_ASSIGN_OR_RETURN(std::shared_ptr<Trainer> trainer, factory(config, view));
  SKEIN_ASSIGN_OR_RETURN(PackedTensors model, trainer->Initialize());
  if (!config.init.empty()) {
    const auto file = trainer->ReadModel(config.init);
    if (!file.ok()) return Annotate(file.status(), "init");
    SKEIN_ASSIGN_OR_RETURN(model, WithValuesOf(*file, config.init, model));
  }
  return InitialModel{std::move(trainer), std::move(model)};
}

}  // namespace skein
