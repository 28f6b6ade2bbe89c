#include "app/commands/data.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/plot/label_histogram.h"
#include "app/run_flags.h"
#include "base/csv_lines.h"
#include "federation/run_directory.h"
#include "learners/labeled_files.h"
#include "skein/base/status.h"
#include "skein/data/subtrees.h"
#include "skein/learners/data_files.h"

namespace skein {
namespace {

struct Division {
  Topology topology;
  std::string title;
  std::vector<int64_t> labels;
  Partition parts;
};

Value ToValue(const plot::LabelCounts& node) {
  ValueMap labels;
  for (const auto& [label, count] : node.labels) labels[std::to_string(label)] = uint64_t{count};
  return ValueMap{{"id", node.id},
                  {"role", NameOf(node.role)},
                  {"tier", node.tier},
                  {"samples", uint64_t{node.samples}},
                  {"labels", std::move(labels)}};
}

// `skein data partition`: which labels each worker and each subtree would have, of a spec whose
// data are files, or of labels, a tree and a rule.
class DataCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("data", "Look at a data set and how it is divided");
    command_->require_subcommand(1);
    partition_ = command_->add_subcommand(
        "partition", "Count the labels of every worker and subtree, as a table or a drawing");
    partition_
        ->add_option("spec", flags_.spec, "A run; or give --labels, --topology and --partition")
        ->type_name("SPEC");
    flags_.DefineSpec(*partition_);
    partition_
        ->add_option("--labels", labels_, "Labels, rather than those of the spec: FILE[:WHAT]")
        ->type_name("FILE");
    partition_->add_option("--partition", rule_, "How they are divided, without a spec")
        ->check(CLI::IsMember(PartitionRuleNames()));
    for (const char* name : {"alpha", "min_samples", "per_worker", "tier"}) {
      std::string flag = std::string("--") + name;
      std::ranges::replace(flag, '_', '-');
      partition_->add_option(flag, numbers_[name], "As in a spec's data")->type_name("N");
    }
    partition_->add_option("-o,--output", out_, "Draw them, too: an SVG file")->type_name("FILE");
    partition_->add_flag("--json", json_, "Print one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto division = flags_.spec.empty() ? OfFlags() : OfSpec(*context.registries);
    if (!division.ok()) return Complain(context, division.status(), kBadInput);
    const auto nodes = plot::CountLabels(division->topology, division->parts, division->labels);
    if (!out_.empty()) {
      const absl::Status written = WriteOut(out_, plot::DrawLabels(nodes, division->title));
      if (!written.ok()) return Complain(context, written, kBadInput);
    }
    if (json_) {
      ValueList list;
      for (const plot::LabelCounts& node : nodes) list.push_back(ToValue(node));
      context.out << ToJson(ValueMap{{"nodes", std::move(list)}}) << std::endl;
    } else {
      context.out << LabelHistogram(division->parts, division->labels) << std::flush;
    }
    return kSuccess;
  }

 private:
  absl::StatusOr<Division> OfSpec(const Registries& registries) const {
    for (const auto& [name, text] : numbers_) {
      if (!text.empty()) return OnlyWithoutSpec(name);
    }
    if (!rule_.empty()) return OnlyWithoutSpec("partition");
    RunFlags flags = flags_;
    // Nothing is run: what an evaluation needs may be missing.
    flags.set.push_back("evaluate=none");
    SKEIN_ASSIGN_OR_RETURN(RunSpec spec, ResolveSpec(flags, registries));
    const Params data(spec.config.data);
    std::string labels = labels_;
    for (const char* key : {"train_labels", "train"}) {
      if (labels.empty()) labels = data.StringOr(key, "");
    }
    if (labels.empty()) {
      return absl::InvalidArgumentError(
          flags_.spec + ": its data name no file, data.train; say which labels with --labels");
    }
    return Divide(std::move(spec.topology), data, labels, data.IntOr("limit", 0), spec.config.seed);
  }

  absl::StatusOr<Division> OfFlags() const {
    if (labels_.empty() || flags_.topology.empty()) {
      return absl::InvalidArgumentError("data partition: give a spec, or --labels and --topology");
    }
    SKEIN_ASSIGN_OR_RETURN(Topology topology, Topology::LooksLikeShape(flags_.topology)
                                                  ? Topology::FromShape(flags_.topology)
                                                  : ReadTopologyFile(flags_.topology));
    ValueMap values = {{"partition", rule_.empty() ? "iid" : rule_}};
    for (const auto& [name, text] : numbers_) {
      if (text.empty()) continue;
      double number = 0;
      if (!ParseNumber(std::string_view(text), number)) {
        return absl::InvalidArgumentError("--" + name + ": " + text + " is no number");
      }
      values[name] = number;
    }
    uint64_t seed = 0;
    if (!flags_.seed.empty() && !ParseNumber(std::string_view(flags_.seed), seed)) {
      return absl::InvalidArgumentError("--seed: " + flags_.seed + " is no whole number");
    }
    SKEIN_ASSIGN_OR_RETURN(const Params data,
                           ParamSchema(PartitionParams()).Resolve(values, "data partition"));
    return Divide(std::move(topology), data, labels_, 0, seed);
  }

  static absl::StatusOr<Division> Divide(Topology topology, const Params& data,
                                         const std::string& labels, int64_t limit, uint64_t seed) {
    SKEIN_ASSIGN_OR_RETURN(PartitionRule rule, PartitionRuleOf(data));
    if (rule.name == "own") {
      return absl::InvalidArgumentError(
          "data.partition: each worker reads files of its own, nothing is divided");
    }
    if (rule.name == "subtrees") {
      SKEIN_ASSIGN_OR_RETURN(rule.groups, SubtreeSizes(topology, data.IntOr("tier", 1)));
    }
    Division division;
    SKEIN_ASSIGN_OR_RETURN(division.labels, ReadClasses(labels));
    if (limit > 0 && static_cast<size_t>(limit) < division.labels.size()) {
      division.labels.resize(static_cast<size_t>(limit));
    }
    SKEIN_ASSIGN_OR_RETURN(
        division.parts,
        MakePartition(rule, division.labels.size(), division.labels, topology.num_workers(), seed));
    division.title =
        "labels of " + std::to_string(topology.num_workers()) + " workers, partition " + rule.name;
    division.topology = std::move(topology);
    return division;
  }

  static absl::Status OnlyWithoutSpec(const std::string& name) {
    return absl::InvalidArgumentError(
        "--" + name + " is for use without a spec; with one, --set data." + name + "=...");
  }

  CLI::App* command_ = nullptr;
  CLI::App* partition_ = nullptr;
  RunFlags flags_;
  std::string labels_;
  std::string rule_;
  std::map<std::string, std::string> numbers_;
  std::string out_;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeDataCommand() { return std::make_unique<DataCommand>(); }

}  // namespace skein
