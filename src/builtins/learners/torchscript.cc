#include "builtins/learners/torchscript.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "builtins/learners/losses.h"
#include "learners/shared_by_key.h"
#include "learners/tensor_file.h"
#include "learners/training_loop.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/learners/data_files.h"
#include "tensor/copy_state.h"

namespace skein {
namespace {

using torch::jit::Module;

// A node of the graph, dropout in training among them, that draws from libtorch's global generator.
bool DrawsRandomNumbers(const torch::jit::Block& block) {
  for (const torch::jit::Node* node : block.nodes()) {
    if (node->isNondeterministic()) return true;
    for (const torch::jit::Block* inner : node->blocks()) {
      if (DrawsRandomNumbers(*inner)) return true;
    }
  }
  return false;
}

std::vector<at::Tensor> ParametersOf(const Module& module) {
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& parameter : module.parameters()) parameters.push_back(parameter);
  return parameters;
}

std::vector<at::Tensor> TrainableParameters(const Module& module) {
  std::vector<at::Tensor> parameters = ParametersOf(module);
  std::erase_if(parameters, [](const at::Tensor& p) { return !p.requires_grad(); });
  return parameters;
}

// With parameters of its own, which are to be trained like those of `module`.
Module Copy(const Module& module) {
  const at::NoGradGuard no_grad;  // or they would be results of a computation
  Module copy = module.deepcopy();
  const std::vector<at::Tensor> from = ParametersOf(module), to = ParametersOf(copy);
  for (size_t i = 0; i < from.size(); ++i) to[i].set_requires_grad(from[i].requires_grad());
  return copy;
}

// What an exception of the interpreter says, without its traces of the source.
std::string LastError(const std::string& text) {
  const size_t error = text.rfind("Error: ");
  const size_t line = error == text.npos ? text.npos : text.rfind('\n', error);
  return line == text.npos ? text : text.substr(line + 1);
}

struct ScriptFile {
  Module module;
  bool random = false;
};

// A copy of the file's model.
class ScriptModel : public LoopModel {
 public:
  explicit ScriptModel(std::shared_ptr<const ScriptFile> file)
      : file_(std::move(file)), module_(Copy(file_->module)) {}

  void Initialize(at::Generator&) override {}  // the weights of the file
  absl::StatusOr<StateDict> State() const override {
    StateDict state;
    for (const auto& item : module_.named_parameters()) {
      SKEIN_RETURN_IF_ERROR(state.Add(item.name, item.value.detach(), TensorRole::kParameter));
    }
    for (const auto& item : module_.named_buffers()) {
      SKEIN_RETURN_IF_ERROR(state.Add(item.name, item.value.detach(), TensorRole::kBuffer));
    }
    return state;
  }
  absl::Status Load(const StateDict& state) override {
    SKEIN_ASSIGN_OR_RETURN(const StateDict own, State());
    return CopyState(state, own);
  }
  std::vector<NamedParameter> Parameters() const override {
    std::vector<NamedParameter> named;
    for (const auto& item : module_.named_parameters()) {
      if (item.value.requires_grad()) named.push_back({item.name, item.value});
    }
    return WithoutRepeats(std::move(named));
  }
  void SetTraining(bool training) override { module_.train(training); }
  absl::StatusOr<at::Tensor> Forward(const at::Tensor& inputs) override {
    // Optimized code comes after some calls and need not give the same bits as that before.
    const torch::jit::GraphOptimizerEnabledGuard no_optimization(false);
    try {
      const c10::IValue output = module_.forward({inputs});
      if (output.isTensor()) return output.toTensor();
    } catch (const std::exception& error) {
      return absl::InternalError("forward of the model: " + LastError(error.what()));
    }
    return absl::InternalError("forward of the model does not return a tensor");
  }
  bool UsesGlobalRng() const override { return file_->random; }

 private:
  const std::shared_ptr<const ScriptFile> file_;
  Module module_;
};

// The models of a process. Any thread.
class ScriptFiles {
 public:
  absl::StatusOr<std::unique_ptr<LoopModel>> ModelOf(const std::string& path) {
    const std::lock_guard lock(mutex_);
    SKEIN_ASSIGN_OR_RETURN(auto file, files_.Get(FileStamp(path), [&] { return Load(path); }));
    return std::make_unique<ScriptModel>(std::move(file));
  }

 private:
  static absl::StatusOr<ScriptFile> Load(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) {
      return absl::NotFoundError("'file': " + path + ": no such file");
    }
    const char* const remedy = "; write it with torch.jit.script(module).save(path)";
    ScriptFile file;
    try {
      file.module = torch::jit::load(path, at::kCPU);
    } catch (const std::exception&) {  // its texts are stack traces
      return absl::InvalidArgumentError("'file': " + path + ": is no TorchScript model" + remedy);
    }
    const auto method = file.module.find_method("forward");
    if (!method || method->num_inputs() != 2) {  // itself and the inputs
      return absl::InvalidArgumentError("'file': " + path +
                                        ": has no forward(inputs) of one tensor" + remedy);
    }
    if (TrainableParameters(file.module).empty()) {
      return absl::InvalidArgumentError("'file': " + path +
                                        ": has no parameters to train; a frozen model has none");
    }
    const auto graph = method->graph()->copy();
    torch::jit::Inline(*graph);
    file.random = DrawsRandomNumbers(*graph->block());
    return file;
  }

  std::mutex mutex_;
  SharedByKey<ScriptFile> files_;
};

// That the model takes what is in the files, and makes of it what the loss takes.
absl::Status TryOut(LoopModel& model, const NamedLoss& loss,
                    const std::vector<DataFiles::Trial>& trials) {
  for (const DataFiles::Trial& trial : trials) {
    const auto output = model.Forward(trial.batch.inputs);
    if (!output.ok()) return Annotate(output.status(), trial.file);
    SKEIN_RETURN_IF_ERROR(Annotate(loss.fits(*output, trial.batch.targets),
                                   trial.file + ": loss '" + loss.name + "'"));
  }
  return absl::OkStatus();
}

LearnerOptions Options() {
  using Type = ParamSpec::Type;
  std::vector<ParamSpec> params = {
      {.name = "file",
       .type = Type::kPath,
       .required = true,
       .doc = "the model, as torch.jit.script(module).save(path) writes it"},
      {.name = "loss",
       .type = Type::kString,
       .default_value = "cross_entropy",
       .doc = "what is made small"},
  };
  for (const NamedLoss& loss : NamedLosses()) params[1].choices.push_back(loss.name);
  for (ParamSpec& param : TrainingOptions::Schema()) params.push_back(std::move(param));
  LearnerOptions options;
  options.schema = std::make_shared<const ParamSchema>(std::move(params));
  options.data_schema = DataFiles::Schema();
  options.check_data = DataFiles::Check;
  return options;
}

}  // namespace

absl::Status RegisterTorchScriptLearner(LearnerRegistry& registry) {
  const auto files = std::make_shared<ScriptFiles>();
  const auto data = std::make_shared<DataFiles>();
  return registry.Register(
      "torchscript",
      [files, data](const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
        LoopParts parts;
        SKEIN_ASSIGN_OR_RETURN(parts.model, files->ModelOf(context.params.String("file")));
        SKEIN_ASSIGN_OR_RETURN(parts.samples, data->SamplesOf(context));
        const std::string& name = context.params.String("loss");
        const auto loss = std::ranges::find(NamedLosses(), name, &NamedLoss::name);
        parts.loss = loss->loss;
        parts.metrics = loss->metrics;
        parts.options = TrainingOptions::Of(context.params);
        if (context.is_coordinator) {
          SKEIN_ASSIGN_OR_RETURN(auto trials, data->TrialsOf(context));
          parts.check = [loss, trials = std::move(trials)](LoopModel& model) {
            return TryOut(model, *loss, trials);
          };
        }
        return MakeLoopLearner(context, std::move(parts));
      },
      Options());
}

}  // namespace skein
