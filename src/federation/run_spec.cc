#include "skein/federation/run_spec.h"

#include <filesystem>
#include <utility>

#include "codec/link_codecs.h"
#include "federation/learner_fields.h"
#include "federation/spec_fields.h"
#include "federation/strategy_reader.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/conditions/conditions_model.h"
#include "topology/topology_yaml.h"
#include "topology/yaml_fields.h"
#include "topology/yaml_override.h"

namespace skein {
namespace {

// Where --set may turn a word into a map, and under which key it keeps the word.
std::string KeyForWord(const std::string& path) {
  if (path == "learner") return "name";
  if (path == "evaluate") return "where";
  if (path == "steering") return "name";
  for (const char* part : {".fold", ".optimizer", ".selector", ".policy"}) {
    const size_t at = path.rfind(part);
    if (path.rfind("strategy.", 0) == 0 && at != path.npos && path.substr(at) == part) {
      return "name";
    }
  }
  for (const char* list : {"strategy.filters.", "strategy.terms."}) {
    if (path.rfind(list, 0) == 0) return "name";
  }
  return "";
}

// `path` as seen from `directory`, made absolute.
std::string Resolve(const std::string& path, const std::string& directory) {
  std::error_code error;
  const std::filesystem::path joined = std::filesystem::path(directory) / path;
  const std::filesystem::path absolute = std::filesystem::absolute(joined, error);
  return (error ? joined : absolute).lexically_normal().string();
}

std::string DefaultName(const std::string& file) {
  const std::string stem = std::filesystem::path(file).stem().string();
  return CheckName(stem).ok() ? stem : "run";
}

// Who steers, with the defaults of all parameters; checked by making it.
absl::StatusOr<PartSpec> ResolveSteering(const PartSpec& part, const SteeringRegistry& registry) {
  SKEIN_RETURN_IF_ERROR(registry.Create(part).status());
  SKEIN_ASSIGN_OR_RETURN(const Params params, registry.Find(part.name)->schema.Resolve(
                                                  part.params, "steering '" + part.name + "'"));
  return PartSpec{part.name, params.values()};
}

// That there will be something to go by, and something left to do. `part` has all parameters.
absl::Status CheckSteeringActs(const PartSpec& part, const RunConfig& config) {
  const auto text = [&](const char* name) {
    const auto it = part.params.find(name);
    const std::string* value = it == part.params.end() ? nullptr : it->second.AsString();
    return value == nullptr ? std::string() : *value;
  };
  const std::string who = "steering '" + part.name + "'";
  if (text("from") == "evaluation" && !config.evaluate.coordinator && !config.evaluate.workers) {
    return absl::InvalidArgumentError(
        who +
        ": 'from' is evaluation and nothing is evaluated, so it would never act: set "
        "evaluate, or from: training");
  }
  const Params params(part.params);
  const Params optimizer(config.strategy.optimizer.params);
  if (!part.params.contains("min_lr") || !optimizer.Has("lr")) return absl::OkStatus();
  if (optimizer.Real("lr") > params.Real("min_lr")) return absl::OkStatus();
  return absl::InvalidArgumentError(who +
                                    ": the server's learning rate is no more than 'min_lr' "
                                    "already, so it would never act: lower that");
}

// The topology that a shape or file names; `where` begins messages.
absl::StatusOr<Topology> LoadTopology(const std::string& text, const std::string& directory,
                                      const std::string& where) {
  auto topology = Topology::LooksLikeShape(text)
                      ? Topology::FromShape(text)
                      : ReadTopologyFile((std::filesystem::path(directory) / text).string());
  if (absl::IsNotFound(topology.status())) {
    return absl::NotFoundError(where + ": topology: " + Message(topology.status()) +
                               " (and no shape like flat:32 or tree:4x8)");
  }
  if (!topology.ok()) return Annotate(topology.status(), where);
  return topology;
}

// Where a policy says how many steps tasks have, made-up times must depend on them.
absl::Status CheckSteps(const RunSpec& spec, const StrategyRegistries& strategies) {
  const ComputeConditions& compute = spec.config.conditions.compute;
  if (compute.steps > 0 || (compute.task_s == 0 && compute.trace.empty())) return absl::OkStatus();
  for (int tier = 0; tier < spec.topology.num_tiers() - 1; ++tier) {
    SKEIN_ASSIGN_OR_RETURN(
        const TierParts parts,
        MakeTierParts(spec.config.strategy, tier, spec.topology.num_tiers(), strategies));
    const auto schedule = parts.policy->NewSchedule(1);
    if (schedule == nullptr || schedule->Assign({0}, Time(0)).at(0).steps == 0) continue;
    return absl::InvalidArgumentError(
        "conditions.compute.steps: the policy of tier " + std::to_string(tier) +
        " gives tasks unlike numbers of local steps: say for how many of them a task's time is");
  }
  return absl::OkStatus();
}

// That they fit the tree, and traces its workers.
absl::Status CheckConditions(const RunSpec& spec, const StrategyRegistries& strategies) {
  SKEIN_RETURN_IF_ERROR(CheckSteps(spec, strategies));
  const Topology& topology = spec.topology;
  SKEIN_ASSIGN_OR_RETURN(const auto model,
                         ConditionsModel::Create(spec.config.conditions, spec.config.seed,
                                                 topology.num_workers(), topology.num_tiers()));
  std::vector<NodeId> workers;
  for (LeafIndex leaf = 0; leaf < topology.num_workers(); ++leaf) {
    workers.push_back(topology.worker(leaf).id);
  }
  return model->CheckWorkers(workers);
}

class SpecReader {
 public:
  SpecReader(const YamlDocument& document, const std::string& directory,
             const Registries& registries, bool learner_elsewhere)
      : document_(document),
        directory_(directory),
        registries_(registries),
        learner_elsewhere_(learner_elsewhere) {}

  absl::StatusOr<RunSpec> Read(const std::string& name, const std::string& topology) {
    const YamlNode& root = document_.root();
    SKEIN_RETURN_IF_ERROR(CheckMap(
        document_, root, "",
        {"name", "topology", "learner", "data", "strategy", "rounds", "seed", "init", "evaluate",
         "stop", "steering", "limits", "conditions", "worker_state", "output"}));
    RunConfig& config = spec_.config;
    config.name = DefaultName(name);
    SKEIN_RETURN_IF_ERROR(ReadScalars(root));
    SKEIN_RETURN_IF_ERROR(ReadPaths(root));
    SKEIN_RETURN_IF_ERROR(ReadTopology(root, topology));
    SKEIN_ASSIGN_OR_RETURN(
        config.strategy, ReadStrategy(document_, root, FindValue(root, "strategy"), spec_.topology,
                                      registries_.strategies, Absolute()));
    SKEIN_RETURN_IF_ERROR(CheckEvaluation(root));
    SKEIN_RETURN_IF_ERROR(ReadStop(root));
    SKEIN_RETURN_IF_ERROR(ReadSteering(root));
    SKEIN_RETURN_IF_ERROR(CheckDeadlines(root));
    SKEIN_RETURN_IF_ERROR(ReadLearner(root));
    SKEIN_RETURN_IF_ERROR(ReadConditions(root));
    SKEIN_RETURN_IF_ERROR(ReadData(root));
    return std::move(spec_);
  }

 private:
  absl::Status ReadScalars(const YamlNode& root) {
    RunConfig& config = spec_.config;
    if (const YamlNode* name = FindValue(root, "name")) {
      SKEIN_ASSIGN_OR_RETURN(config.name, ReadString(document_, *name, "name"));
      if (absl::Status status = CheckName(config.name); !status.ok()) {
        return document_.Error(name->mark,
                               "name: " + QuoteName(config.name) + " " + Message(status));
      }
    }
    if (const YamlNode* rounds = FindValue(root, "rounds")) {
      SKEIN_ASSIGN_OR_RETURN(const int64_t count,
                             ReadInt(document_, *rounds, "rounds", 1, int64_t{kMaxRounds}));
      config.rounds = static_cast<uint64_t>(count);
    }
    if (const YamlNode* seed = FindValue(root, "seed")) {
      SKEIN_ASSIGN_OR_RETURN(config.seed, ReadUint64(document_, *seed, "seed"));
    }
    if (const YamlNode* evaluate = FindValue(root, "evaluate")) {
      SKEIN_ASSIGN_OR_RETURN(config.evaluate, ReadEvaluate(document_, *evaluate));
    }
    if (const YamlNode* limits = FindValue(root, "limits")) {
      SKEIN_ASSIGN_OR_RETURN(config.limits, ReadLimits(document_, *limits));
    }
    return absl::OkStatus();
  }

  absl::Status CheckEvaluation(const YamlNode& root) {
    const YamlNode* evaluate = FindValue(root, "evaluate");
    if (evaluate == nullptr || !spec_.config.evaluate.workers) return absl::OkStatus();
    const std::vector<bool> barriers =
        BarriersOf(spec_.config.strategy, spec_.topology.num_tiers(), registries_.strategies);
    const absl::Status status = CheckWorkersCanEvaluate(barriers);
    return status.ok() ? status : document_.Error(evaluate->mark, Message(status));
  }

  absl::Status ReadStop(const YamlNode& root) {
    const YamlNode* node = FindValue(root, "stop");
    if (node == nullptr) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(const Value value, ToValue(document_, *node));
    auto rules = StopRulesFromValue(value);
    if (rules.ok()) {
      const absl::Status status = CheckStopRules(*rules, spec_.config.evaluate);
      if (!status.ok()) rules = status;
    }
    if (!rules.ok()) return AtMentioned(document_, *node, Message(rules.status()));
    spec_.stop = *std::move(rules);
    return absl::OkStatus();
  }

  absl::Status ReadSteering(const YamlNode& root) {
    const YamlNode* node = FindValue(root, "steering");
    if (node == nullptr) return absl::OkStatus();
    PartSpec part;
    const bool map = node->kind == YamlNode::Kind::kMap;
    if (map && node->entries.size() == 1 && FindValue(*node, "replay") != nullptr) {
      SKEIN_ASSIGN_OR_RETURN(const std::string run,
                             ReadString(document_, *node->Find("replay"), "steering.replay"));
      part = {"replay", {{"run", run}}};
    } else {
      SKEIN_ASSIGN_OR_RETURN(part, ReadPart(document_, *node, "steering", ""));
    }
    // Runs are named as other files of a spec are.
    const auto run = part.params.find("run");
    if (part.name == "replay" && run != part.params.end() && run->second.AsString() != nullptr) {
      run->second = Resolve(*run->second.AsString(), directory_);
    }
    auto steering = ResolveSteering(part, registries_.steering);
    if (steering.ok()) {
      const absl::Status acts = CheckSteeringActs(*steering, spec_.config);
      if (!acts.ok()) steering = acts;
    }
    if (!steering.ok()) return AtParameter(document_, *node, steering.status());
    spec_.steering = *std::move(steering);
    return absl::OkStatus();
  }

  absl::Status CheckDeadlines(const YamlNode& root) {
    const absl::Status status =
        skein::CheckDeadlines(spec_.config.strategy, spec_.topology.num_tiers(),
                              spec_.config.limits.heartbeat_interval, registries_.strategies);
    const YamlNode* strategy = FindValue(root, "strategy");
    return status.ok()
               ? status
               : document_.Error((strategy != nullptr ? *strategy : root).mark, Message(status));
  }

  absl::Status ReadConditions(const YamlNode& root) {
    const YamlNode* node = FindValue(root, "conditions");
    if (node == nullptr) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(const ValueMap values, ReadValueMap(document_, *node, "conditions"));
    auto conditions = ConditionsFromValues(values);
    if (!conditions.ok()) return AtMentioned(document_, *node, Message(conditions.status()));
    for (std::string* trace : {&conditions->compute.trace, &conditions->availability.trace}) {
      if (!trace->empty()) *trace = Resolve(*trace, directory_);
    }
    spec_.config.conditions = *std::move(conditions);
    const absl::Status status = CheckConditions(spec_, registries_.strategies);
    return status.ok() ? status : AtMentioned(document_, *node, Message(status));
  }

  absl::Status ReadPaths(const YamlNode& root) {
    if (const YamlNode* output = FindValue(root, "output")) {
      SKEIN_ASSIGN_OR_RETURN(const std::string path, ReadString(document_, *output, "output"));
      if (!path.empty()) spec_.output = Resolve(path, directory_);
    }
    if (const YamlNode* state = FindValue(root, "worker_state")) {
      SKEIN_ASSIGN_OR_RETURN(const std::string path, ReadString(document_, *state, "worker_state"));
      if (!path.empty()) spec_.config.worker_state = Resolve(path, directory_);
    }
    const YamlNode* init = FindValue(root, "init");
    if (init == nullptr) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(const std::string path, ReadString(document_, *init, "init"));
    if (path.empty()) return absl::OkStatus();
    spec_.config.init = Resolve(path, directory_);
    std::error_code error;
    if (learner_elsewhere_ || std::filesystem::is_regular_file(spec_.config.init, error)) {
      return absl::OkStatus();
    }
    return absl::NotFoundError(document_.Where(init->mark) + ": init: no file " +
                               QuoteName(spec_.config.init));
  }

  absl::Status ReadTopology(const YamlNode& root, const std::string& instead) {
    const YamlNode* node = FindValue(root, "topology");
    std::string text;
    absl::StatusOr<Topology> topology;
    if (!instead.empty()) {
      text = instead;
      topology = LoadTopology(text, "", "--topology");
    } else if (node == nullptr) {
      return document_.Error(root.mark,
                             "the key 'topology' is missing: add a shape, as in topology: "
                             "tree:4x8");
    } else if (node->kind == YamlNode::Kind::kScalar) {
      text = node->text;
      // Of a spec that comes from anywhere, files here are nobody's business.
      if (learner_elsewhere_ && !Topology::LooksLikeShape(text)) {
        return document_.Error(node->mark,
                               "topology: a spec that is handed in has its nodes in it, or a shape "
                               "as tree:4x8; skein submit puts them there");
      }
      topology = LoadTopology(text, directory_, document_.Where(node->mark));
    } else {
      topology = TopologyFromYaml(document_, *node);
    }
    SKEIN_RETURN_IF_ERROR(topology.status());
    spec_.topology = *std::move(topology);
    spec_.topology_text = Topology::LooksLikeShape(text) ? text : ToYaml(spec_.topology);
    return absl::OkStatus();
  }

  absl::Status ReadLearner(const YamlNode& root) {
    const YamlNode* node = FindValue(root, "learner");
    if (node == nullptr) {
      return document_.Error(root.mark,
                             "the key 'learner' is missing: name one, as in learner: linear");
    }
    PartSpec& learner = spec_.config.learner;
    const YamlNode* params = nullptr;
    if (node->kind == YamlNode::Kind::kScalar) {
      learner.name = node->text;
    } else {
      SKEIN_RETURN_IF_ERROR(CheckMap(document_, *node, "learner", {"name", "params"}));
      const YamlNode* name = FindValue(*node, "name");
      if (name == nullptr) {
        return document_.Error(node->mark, "learner: the key 'name' is missing: add it");
      }
      SKEIN_ASSIGN_OR_RETURN(learner.name, ReadString(document_, *name, "learner.name"));
      params = FindValue(*node, "params");
      if (params != nullptr) {
        SKEIN_RETURN_IF_ERROR(ReadValueMap(document_, *params, "learner.params").status());
        SKEIN_ASSIGN_OR_RETURN(learner.params, ReadParams(document_, *params, ""));
      }
    }
    const auto entry = registries_.learners.Find(learner.name);
    if (!entry.ok()) {
      return learner_elsewhere_ ? absl::OkStatus() : AtParameter(document_, *node, entry.status());
    }
    auto resolved = ResolveLearnerParams(*entry, learner, Absolute());
    if (!resolved.ok()) {
      return AtParameter(document_, params != nullptr ? *params : *node, resolved.status());
    }
    learner.params = *std::move(resolved);
    return absl::OkStatus();
  }

  absl::Status ReadData(const YamlNode& root) {
    RunConfig& config = spec_.config;
    const YamlNode* node = FindValue(root, "data");
    if (node != nullptr) {
      SKEIN_ASSIGN_OR_RETURN(config.data, ReadValueMap(document_, *node, "data"));
      if (const YamlNode* partition = FindValue(*node, "partition")) {
        SKEIN_RETURN_IF_ERROR(ReadString(document_, *partition, "data.partition").status());
      }
    }
    // One that only the nodes know takes any keys.
    const auto entry = registries_.learners.Find(config.learner.name);
    auto resolved = ResolveLearnerData(entry.ok() ? *entry : LearnerRegistry::Entry{},
                                       std::move(config.data), spec_.topology, Absolute());
    if (!resolved.ok()) {
      return AtParameter(document_, node != nullptr ? *node : root, resolved.status());
    }
    config.data = *std::move(resolved);
    if (!entry.ok()) return absl::OkStatus();
    const absl::Status use = CheckLearnerData(*entry, config, spec_.topology);
    return use.ok() ? use : AtParameter(document_, node != nullptr ? *node : root, use);
  }

  PathResolver Absolute() const {
    return [this](const std::string& path) { return Resolve(path, directory_); };
  }

  const YamlDocument& document_;
  const std::string& directory_;
  const Registries& registries_;
  const bool learner_elsewhere_;
  RunSpec spec_;
};

}  // namespace

absl::StatusOr<RunSpec> ReadRunSpec(const std::string& path, const SpecOverrides& overrides,
                                    const Registries& registries) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, YamlDocument::kMaxBytes));
  return ParseRunSpec(text, path, std::filesystem::path(path).parent_path().string(), overrides,
                      registries);
}

absl::StatusOr<RunSpec> ParseRunSpec(const std::string& yaml, const std::string& name,
                                     const std::string& directory, const SpecOverrides& overrides,
                                     const Registries& registries) {
  SKEIN_ASSIGN_OR_RETURN(YamlDocument document, YamlDocument::Parse(yaml, name));
  for (const auto& [path, value] : overrides.set) {
    SKEIN_ASSIGN_OR_RETURN(document, Override(document, path, value, KeyForWord));
  }
  return SpecReader(document, directory, registries, overrides.learner_elsewhere)
      .Read(name, overrides.topology);
}

absl::Status ValidateRunSpec(const RunSpec& spec, const Registries& registries) {
  SKEIN_RETURN_IF_ERROR(CheckFields(spec.config));
  if (spec.topology.nodes().empty()) {
    return absl::InvalidArgumentError("topology: empty, make it with FromShape or Create");
  }
  SKEIN_RETURN_IF_ERROR(
      ValidateStrategy(spec.config.strategy, spec.topology, registries.strategies));
  SKEIN_RETURN_IF_ERROR(ValidateLinks(spec.config.strategy, spec.topology, registries.strategies));
  SKEIN_RETURN_IF_ERROR(CheckDeadlines(spec.config.strategy, spec.topology.num_tiers(),
                                       spec.config.limits.heartbeat_interval,
                                       registries.strategies));
  SKEIN_RETURN_IF_ERROR(CheckConditions(spec, registries.strategies));
  SKEIN_RETURN_IF_ERROR(CheckStopRules(spec.stop, spec.config.evaluate));
  if (!spec.steering.name.empty()) {
    SKEIN_ASSIGN_OR_RETURN(const PartSpec steering,
                           ResolveSteering(spec.steering, registries.steering));
    SKEIN_RETURN_IF_ERROR(CheckSteeringActs(steering, spec.config));
  }
  SKEIN_ASSIGN_OR_RETURN(const auto learner, registries.learners.Find(spec.config.learner.name));
  const PathResolver as_it_is = [](const std::string& path) { return path; };
  SKEIN_RETURN_IF_ERROR(ResolveLearnerParams(learner, spec.config.learner, as_it_is).status());
  RunConfig config = spec.config;
  SKEIN_ASSIGN_OR_RETURN(
      config.data, ResolveLearnerData(learner, std::move(config.data), spec.topology, as_it_is));
  return CheckLearnerData(learner, config, spec.topology);
}

}  // namespace skein
