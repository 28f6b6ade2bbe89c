#include "skein/topology/topology.h"

#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "skein/base/status.h"
#include "skein/base/value.h"

namespace skein {
namespace {

absl::StatusOr<Topology> Load(const std::string& target) {
  return Topology::LooksLikeShape(target) ? Topology::FromShape(target) : ReadTopologyFile(target);
}

ValueMap Counts(const Topology& topology) {
  return {{"nodes", uint64_t{topology.nodes().size()}},
          {"workers", uint64_t{topology.num_workers()}},
          {"tiers", topology.num_tiers()}};
}

Value Nodes(const Topology& topology) {
  ValueList nodes;
  for (const TopologyNode& node : topology.nodes()) {
    ValueMap item = {{"id", node.id},
                     {"role", NameOf(node.role)},
                     {"tier", node.tier},
                     {"leaf_begin", node.leaf_begin},
                     {"leaf_end", node.leaf_end},
                     {"attributes", node.attributes}};
    item["parent"] = node.parent ? Value(topology.node(*node.parent).id) : Value();
    nodes.push_back(std::move(item));
  }
  return nodes;
}

class TopologyCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("topology", "Look at a tree: a shape or a file");
    command_->require_subcommand(1);
    show_ = command_->add_subcommand("show", "Draw the tree");
    check_ = command_->add_subcommand("check", "Say whether the tree is valid, and how large");
    for (CLI::App* action : {show_, check_}) {
      action->add_option("target", target_, "flat:32, tree:4x8, ..., or a file")
          ->required()
          ->type_name("SHAPE|FILE");
      action->add_flag("--json", json_, "Print one JSON document");
    }
    show_->add_flag("--ascii", render_.ascii, "Draw with ASCII characters only");
    show_
        ->add_option("--max-siblings", render_.max_siblings,
                     "Fold longer runs of like workers into one line")
        ->capture_default_str();
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    const auto topology = Load(target_);
    if (!topology.ok()) {
      if (json_ && check_->parsed()) {
        const ValueMap answer = {{"valid", false}, {"error", Message(topology.status())}};
        context.out << ToJson(answer) << std::endl;
      }
      return Complain(context, topology.status(), kBadInput);
    }
    if (json_) {
      ValueMap answer = Counts(*topology);
      if (show_->parsed()) answer["nodes"] = Nodes(*topology);
      if (check_->parsed()) answer["valid"] = true;
      context.out << ToJson(answer) << std::endl;
    } else if (show_->parsed()) {
      context.out << RenderTree(*topology, render_) << std::flush;
    } else {
      context.out << target_ << ": valid, " << topology->nodes().size() << " nodes, "
                  << topology->num_workers() << " workers, " << topology->num_tiers() << " tiers"
                  << std::endl;
    }
    return kSuccess;
  }

 private:
  CLI::App* command_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* check_ = nullptr;
  std::string target_;
  bool json_ = false;
  RenderOptions render_;
};

}  // namespace

std::unique_ptr<Command> MakeTopologyCommand() { return std::make_unique<TopologyCommand>(); }

}  // namespace skein
