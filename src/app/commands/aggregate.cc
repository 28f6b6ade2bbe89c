#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/aggregate/offline_aggregation.h"
#include "app/command.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"
#include "skein/tensor/safetensors.h"
#include "strategy/finite_check.h"
#include "strategy/reported.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

absl::Status Bad(const std::string& message) { return absl::InvalidArgumentError(message); }

// "1,2,3", one number for each input.
absl::StatusOr<std::vector<double>> ReadNumbers(const std::string& option, const std::string& text,
                                                size_t inputs) {
  std::vector<double> numbers;
  for (const std::string& part : CLI::detail::split(text, ',')) {
    char* end = nullptr;
    numbers.push_back(std::strtod(part.c_str(), &end));
    if (part.empty() || *end != '\0') return Bad(option + ": '" + part + "' is no number");
  }
  if (numbers.size() == inputs) return numbers;
  return Bad(option + ": there are " + std::to_string(inputs) + " models and " +
             std::to_string(numbers.size()) + " numbers");
}

bool Declares(const PartDescriptor* part, const std::string& name) {
  return part != nullptr && std::ranges::count(part->schema.specs(), name, &ParamSpec::name) > 0;
}

// Offline, any fold and optimizer on files.
class AggregateCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("aggregate", "Aggregate model files by any fold");
    command_->add_option("inputs", inputs_, "Models in safetensors, all with the same tensors")
        ->required()
        ->type_name("FILE");
    command_->add_option("-o,--out", out_, "Where the result goes")->required()->type_name("FILE");
    command_->add_option("--strategy", fold_, "The fold; 'skein strategies' lists them")
        ->required()
        ->type_name("NAME");
    command_->add_option("--optimizer", optimizer_, "What makes a step of the aggregate")
        ->type_name("NAME")
        ->capture_default_str();
    command_
        ->add_option("--set", settings_,
                     "A parameter of the fold or the optimizer; fold.NAME or optimizer.NAME if "
                     "both have it")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false);
    command_->add_option("--weights", weights_, "Samples of each model (1)")->type_name("W,W,...");
    command_->add_option("--global", global_, "The model from which all of them come")
        ->type_name("FILE");
    command_
        ->add_option("--input-meta", meta_,
                     "What workers would report: steps (FedNova, FedSGD) or initial_loss (of the "
                     "global model, q-FedAvg), also as loss")
        ->type_name("NAME=X,X,...")
        ->allow_extra_args(false);
    command_->add_option("--state", state_, "What the optimizer has gathered before")
        ->type_name("FILE");
    command_->add_option("--state-out", state_out_, "Where that goes after the step")
        ->type_name("FILE");
    command_->add_flag("--json", json_, "Print one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const StrategyRegistries& registries = context.registries->strategies;
    const auto job = Job(registries);
    if (!job.ok()) return Complain(context, job.status(), kBadInput);
    const auto result = Aggregate(*job, registries);
    if (!result.ok()) return Complain(context, result.status(), kBadInput);
    if (absl::Status written = Write(*result); !written.ok()) {
      return Complain(context, written, kBadInput);
    }
    const std::string digest = ModelDigest(result->model);
    if (json_) {
      context.out << ToJson(ValueMap{{"out", out_},
                                     {"inputs", job->inputs.size()},
                                     {"used", result->used},
                                     {"digest", digest}})
                  << std::endl;
    } else {
      context.out << out_ << ": " << result->used << " of " << job->inputs.size() << " models\n"
                  << "digest " << digest << std::endl;
    }
    return kSuccess;
  }

 private:
  absl::StatusOr<OfflineAggregation> Job(const StrategyRegistries& registries) const {
    OfflineAggregation job{.fold = {fold_, {}}, .optimizer = {optimizer_, {}}};
    for (const std::string& setting : settings_) {
      SKEIN_RETURN_IF_ERROR(Annotate(Set(setting, registries, job), "--set " + setting));
    }
    if (!state_.empty()) {
      SKEIN_RETURN_IF_ERROR(Annotate(Give(job.optimizer, "state", state_), "--state"));
    }
    // Misspelled names are told of before any file is read.
    SKEIN_RETURN_IF_ERROR(registries.folds.Create(job.fold).status());
    SKEIN_RETURN_IF_ERROR(registries.optimizers.Create(job.optimizer).status());
    if (out_.empty()) return Bad("--out: name a file");
    if (!state_out_.empty() && std::filesystem::path(out_).lexically_normal() ==
                                   std::filesystem::path(state_out_).lexically_normal()) {
      return Bad("--state-out: is the file of --out; give the state one of its own");
    }
    for (const std::string* path : {&out_, &state_out_}) {
      if (path->ends_with(".pt")) {
        return Bad(
            *path +
            ": what is written is safetensors; give a name in .safetensors, and 'skein model "
            "convert' makes a .pt of it");
      }
    }
    for (const std::string& path : inputs_) {
      OfflineInput input{.name = path};
      SKEIN_ASSIGN_OR_RETURN(input.model, ReadSafetensors(path));
      job.inputs.push_back(std::move(input));
    }
    if (!global_.empty()) {
      SKEIN_ASSIGN_OR_RETURN(job.base, ReadSafetensors(global_));
    }
    if (command_->count("--weights") > 0) {
      SKEIN_ASSIGN_OR_RETURN(const auto weights,
                             ReadNumbers("--weights", weights_, inputs_.size()));
      for (size_t i = 0; i < weights.size(); ++i) job.inputs[i].weight = weights[i];
    }
    for (const std::string& meta : meta_) SKEIN_RETURN_IF_ERROR(SetMetric(meta, job));
    return job;
  }

  static absl::Status SetMetric(const std::string& meta, OfflineAggregation& job) {
    const size_t equals = meta.find('=');
    std::string name = meta.substr(0, equals);
    if (equals == meta.npos || name.empty()) {
      return Bad("--input-meta " + meta + ": write NAME=X,X,..., one for each model");
    }
    SKEIN_ASSIGN_OR_RETURN(
        const auto values,
        ReadNumbers("--input-meta " + name, meta.substr(equals + 1), job.inputs.size()));
    if (name == "loss") name = kInitialLossMetric;
    for (size_t i = 0; i < values.size(); ++i) {
      if (job.inputs[i].metrics.emplace(name, values[i]).second) continue;
      return Bad("--input-meta " + meta + ": '" + name + "' is given twice");
    }
    return absl::OkStatus();
  }

  static absl::Status Give(PartSpec& part, const std::string& name, const Value& value) {
    if (part.params.emplace(name, value).second) return absl::OkStatus();
    return Bad("'" + name + "' of '" + part.name + "' is given twice");
  }

  static absl::Status Set(const std::string& setting, const StrategyRegistries& registries,
                          OfflineAggregation& job) {
    const size_t equals = setting.find('=');
    if (equals == setting.npos) return Bad("write NAME=VALUE");
    std::string name = setting.substr(0, equals);
    SKEIN_ASSIGN_OR_RETURN(const Value value, PlainScalarValue(setting.substr(equals + 1)));
    for (const auto& [prefix, part] :
         {std::pair{"fold.", &job.fold}, std::pair{"optimizer.", &job.optimizer}}) {
      if (name.rfind(prefix, 0) != 0) continue;
      return Give(*part, name.substr(std::string(prefix).size()), value);
    }
    const bool of_fold = Declares(registries.folds.Find(job.fold.name), name);
    const bool of_optimizer = Declares(registries.optimizers.Find(job.optimizer.name), name);
    if (of_fold && of_optimizer) {
      return Bad("both have this parameter: write fold." + name + " or optimizer." + name);
    }
    // One that nobody has is complained of in the fold's name.
    return Give(of_optimizer ? job.optimizer : job.fold, name, value);
  }

  absl::Status Write(const OfflineResult& result) const {
    SKEIN_RETURN_IF_ERROR(Annotate(CheckFinite(result.model), "the result"));
    if (!state_out_.empty()) {
      if (!result.optimizer_state.has_value()) {
        return Bad("--state-out: optimizer '" + optimizer_ + "' gathers nothing");
      }
      SKEIN_RETURN_IF_ERROR(WriteSafetensors(result.optimizer_state, state_out_));
    }
    return WriteSafetensors(result.model, out_);
  }

  CLI::App* command_ = nullptr;
  std::vector<std::string> inputs_;
  std::string out_;
  std::string fold_;
  std::string optimizer_ = "sgd";
  std::vector<std::string> settings_;
  std::string weights_;
  std::string global_;
  std::vector<std::string> meta_;
  std::string state_;
  std::string state_out_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeAggregateCommand() { return std::make_unique<AggregateCommand>(); }

}  // namespace skein
