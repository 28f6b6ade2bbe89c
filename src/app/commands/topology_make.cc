#include "app/commands/topology_make.h"

#include <fstream>
#include <utility>

#include "federation/run_directory.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// Lines "parent,child"; empty ones and those that begin with # are skipped.
absl::StatusOr<std::vector<TopologyEdge>> ReadEdges(const std::string& path) {
  std::ifstream in(path);
  if (!in) return absl::NotFoundError(path + ": cannot be read");
  std::vector<TopologyEdge> edges;
  std::string line;
  for (size_t number = 1; std::getline(in, line); ++number) {
    if (line.ends_with('\r')) line.pop_back();
    if (line.empty() || line[0] == '#') continue;
    const size_t comma = line.find(',');
    if (comma == std::string::npos || line.find(',', comma + 1) != std::string::npos) {
      return absl::InvalidArgumentError(path + ":" + std::to_string(number) +
                                        ": is no edge; write parent,child");
    }
    edges.push_back({line.substr(0, comma), line.substr(comma + 1)});
  }
  if (in.bad()) return absl::UnavailableError(path + ": cannot be read to its end");
  if (edges.empty()) return absl::InvalidArgumentError(path + ": has no edges");
  return edges;
}

}  // namespace

void TopologyMake::Define(CLI::App& topology) {
  command_ = topology.add_subcommand("make", "Write a topology file of a tree by rule");
  command_->require_subcommand(1);
  balanced_ = command_->add_subcommand("balanced", "As few tiers as the number of children allows");
  random_ = command_->add_subcommand("random", "Drawn from a seed");
  edges_ = command_->add_subcommand("edges", "From lines parent,child");
  for (CLI::App* action : {balanced_, random_}) {
    action->add_option("--workers", tree_.workers, "Workers of the tree")->required();
    action->add_option("--max-children", tree_.max_children, "Of any node")->capture_default_str();
  }
  random_->add_option("--max-tiers", tree_.max_tiers, "The root's among them")
      ->capture_default_str();
  random_->add_option("--seed", tree_.seed, "What it is drawn from")->capture_default_str();
  edges_->add_option("file", edge_file_, "Lines parent,child")->required()->type_name("FILE");
  for (CLI::App* action : {balanced_, random_, edges_}) {
    action->add_option("-o,--output", out_, "Where to write it, rather than to stdout")
        ->type_name("FILE");
  }
}

absl::StatusOr<Topology> TopologyMake::Make() const {
  if (balanced_->parsed()) return TreeByLeaves(tree_.workers, tree_.max_children);
  if (random_->parsed()) return RandomTree(tree_);
  SKEIN_ASSIGN_OR_RETURN(const std::vector<TopologyEdge> edges, ReadEdges(edge_file_));
  return TreeFromEdges(edges);
}

int TopologyMake::Run(CommandContext& context) {
  const auto topology = Make();
  if (!topology.ok()) return Complain(context, topology.status(), kBadInput);
  const std::string yaml = ToYaml(*topology);
  if (out_.empty()) {
    context.out << yaml << std::flush;
    return kSuccess;
  }
  const absl::Status written = WriteOut(out_, yaml);
  return written.ok() ? kSuccess : Complain(context, written, kBadInput);
}

}  // namespace skein
