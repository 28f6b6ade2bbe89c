#include "app/commands/topology_make.h"

#include <utility>

#include "app/formatted.h"
#include "base/csv_lines.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

constexpr size_t kMaxFileBytes = size_t{64} << 20;

absl::StatusOr<std::vector<TopologyEdge>> ReadEdges(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxFileBytes));
  std::vector<TopologyEdge> edges;
  SKEIN_RETURN_IF_ERROR(ForEachCsvLine(text, path, "parent,child", [&](const CsvLine& line) {
    edges.push_back({NodeId(line.fields[0]), NodeId(line.fields[1])});
    return absl::OkStatus();
  }));
  if (edges.empty()) return absl::InvalidArgumentError(path + ": has no edges");
  return edges;
}

constexpr char kRegionHeader[] =
    "region,workers,uplink_mbit,uplink_latency_ms,local_mbit,local_latency_ms";

// Into `value`; an error that quotes the text if it is no number.
template <typename T>
absl::Status ParseField(std::string_view text, T& value) {
  if (ParseNumber(text, value)) return absl::OkStatus();
  return absl::InvalidArgumentError(QuoteName(text) + " is no number that fits here");
}

absl::StatusOr<Region> RegionOf(const CsvLine& line) {
  Region region{.name = std::string(line.fields[0])};
  SKEIN_RETURN_IF_ERROR(ParseField(line.fields[1], region.workers));
  SKEIN_RETURN_IF_ERROR(ParseField(line.fields[2], region.uplink_mbit));
  SKEIN_RETURN_IF_ERROR(ParseField(line.fields[3], region.uplink_latency_ms));
  SKEIN_RETURN_IF_ERROR(ParseField(line.fields[4], region.local_mbit));
  SKEIN_RETURN_IF_ERROR(ParseField(line.fields[5], region.local_latency_ms));
  return region;
}

absl::StatusOr<std::vector<Region>> ReadRegions(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxFileBytes));
  std::vector<Region> regions;
  SKEIN_RETURN_IF_ERROR(ForEachCsvLine(text, path, kRegionHeader, [&](const CsvLine& line) {
    auto region = RegionOf(line);
    if (region.ok()) regions.push_back(*std::move(region));
    return region.status();
  }));
  return regions;
}

// What was compared.
std::string Comparison(const TreeSuggestion& suggestion) {
  std::string out = "children of an aggregator  transfers of a round\n";
  for (const Candidate& candidate : suggestion.candidates) {
    const bool best = candidate.round_s == suggestion.round_s;
    const std::string children = candidate.max_children == 0
                                     ? "no aggregators"
                                     : "up to " + std::to_string(candidate.max_children);
    out +=
        Formatted("%-25s  %14.3f s%s\n", children.c_str(), candidate.round_s, best ? "  <-" : "");
  }
  return out;
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
  suggested_ = command_->add_subcommand(
      "suggested", "The one whose rounds spend the least time on transfers between given regions");
  suggested_
      ->add_option("regions", region_file_,
                   std::string("A CSV file with the header ") + kRegionHeader)
      ->required()
      ->type_name("FILE");
  suggested_->add_option("--params", suggest_.parameters, "float32 elements of the model")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000'000}))
      ->capture_default_str();
  suggested_
      ->add_option("--root-mbit", suggest_.root_mbit, "Mbit/s of the coordinator's connection")
      ->capture_default_str();
  for (CLI::App* action : {balanced_, random_, edges_, suggested_}) {
    action->add_option("-o,--output", out_, "Where to write it, rather than to stdout")
        ->type_name("FILE");
  }
}

absl::StatusOr<Topology> TopologyMake::Make(CommandContext& context) const {
  if (balanced_->parsed()) return TreeByLeaves(tree_.workers, tree_.max_children);
  if (random_->parsed()) return RandomTree(tree_);
  if (edges_->parsed()) {
    SKEIN_ASSIGN_OR_RETURN(const std::vector<TopologyEdge> edges, ReadEdges(edge_file_));
    return TreeFromEdges(edges);
  }
  SuggestOptions options = suggest_;
  SKEIN_ASSIGN_OR_RETURN(options.regions, ReadRegions(region_file_));
  SKEIN_ASSIGN_OR_RETURN(TreeSuggestion suggestion, SuggestTopology(options));
  context.err << Comparison(suggestion) << std::flush;
  return std::move(suggestion.topology);
}

int TopologyMake::Run(CommandContext& context) {
  const auto topology = Make(context);
  if (!topology.ok()) return Complain(context, topology.status(), kBadInput);
  return ShowOrWrite(context, ToYaml(*topology), out_);
}

}  // namespace skein
