#include "skein/topology/topology.h"

#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/commands/topology_make.h"
#include "app/formatted.h"
#include "app/plot/tree_drawing.h"
#include "skein/base/status.h"
#include "skein/base/value.h"
#include "skein/topology/attributes.h"
#include "skein/topology/stats.h"
#include "skein/topology/transfer_time.h"

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

// ---- stats ----

// What the attributes of the nodes say, where they are given.
struct AttributeStats {
  std::optional<RegionTraffic> regions;
  std::optional<TransferTime> time;
};

absl::StatusOr<AttributeStats> AttributeStatsOf(const Topology& topology, uint64_t parameters) {
  AttributeStats stats;
  SKEIN_ASSIGN_OR_RETURN(const std::vector<std::string> regions, RegionsOf(topology));
  if (!regions.empty()) stats.regions = BetweenRegions(topology, regions, parameters);
  SKEIN_ASSIGN_OR_RETURN(const std::vector<NodeLink> links, LinksOf(topology));
  if (!links.empty()) stats.time = TransfersOf(topology, links, parameters);
  return stats;
}

ValueMap ToValues(const TopologyStats& stats) {
  ValueList tiers;
  for (const TierStats& tier : stats.tiers) {
    tiers.push_back(ValueMap{{"inner_nodes", uint64_t{tier.inner_nodes}},
                             {"workers", uint64_t{tier.workers}},
                             {"min_children", uint64_t{tier.min_children}},
                             {"max_children", uint64_t{tier.max_children}},
                             {"mean_children", tier.mean_children},
                             {"bytes_down", tier.bytes_down},
                             {"bytes_up", tier.bytes_up}});
  }
  return ValueMap{{"tiers", std::move(tiers)},
                  {"root_bytes_in", stats.root_bytes_in},
                  {"flat_root_bytes_in", stats.flat_root_bytes_in},
                  {"all_bytes", stats.all_bytes},
                  {"flat_all_bytes", stats.flat_all_bytes}};
}

Value ToValue(const TopologyStats& stats, const AttributeStats& attributes) {
  ValueMap values = ToValues(stats);
  if (attributes.regions) {
    values["between_regions_bytes"] = attributes.regions->bytes;
    values["flat_between_regions_bytes"] = attributes.regions->flat_bytes;
  }
  if (attributes.time) {
    values["transfers_down_s"] = attributes.time->down_s;
    values["transfers_up_s"] = attributes.time->up_s;
  }
  return values;
}

std::string Megabytes(uint64_t bytes) {
  return Formatted("%.2f MB", static_cast<double>(bytes) / 1e6);
}

// " (-60.9%)", of `bytes` against `other`.
std::string Change(uint64_t bytes, uint64_t other) {
  if (other == 0) return "";
  return Formatted(" (%+.1f%%)", 100 * (static_cast<double>(bytes) / other - 1));
}

std::string ChildrenText(const TierStats& tier) {
  if (tier.inner_nodes == 0) return "-";
  if (tier.min_children == tier.max_children) return std::to_string(tier.min_children);
  return Formatted("%zu to %zu, mean %.1f", tier.min_children, tier.max_children,
                   tier.mean_children);
}

std::string Table(const TopologyStats& stats, uint64_t parameters) {
  std::string out = "tier  inner nodes  workers  children              down            up\n";
  for (size_t i = 0; i < stats.tiers.size(); ++i) {
    const TierStats& tier = stats.tiers[i];
    out += Formatted("%4zu  %11zu  %7zu  %-16s  %14s  %12s\n", i, tier.inner_nodes, tier.workers,
                     ChildrenText(tier).c_str(), Megabytes(tier.bytes_down).c_str(),
                     Megabytes(tier.bytes_up).c_str());
  }
  out += Formatted("a round of %llu float32, between a tier and the next; without framing\n",
                   static_cast<unsigned long long>(parameters));
  out += "into the root " + Megabytes(stats.root_bytes_in) + ", flat " +
         Megabytes(stats.flat_root_bytes_in) +
         Change(stats.root_bytes_in, stats.flat_root_bytes_in) + "\n";
  out += "over all links " + Megabytes(stats.all_bytes) + ", flat over the same links " +
         Megabytes(stats.flat_all_bytes) + Change(stats.all_bytes, stats.flat_all_bytes) + "\n";
  return out;
}

std::string Lines(const AttributeStats& stats) {
  std::string out;
  if (const auto& regions = stats.regions) {
    out += "between regions " + Megabytes(regions->bytes) + ", flat " +
           Megabytes(regions->flat_bytes) + Change(regions->bytes, regions->flat_bytes) + "\n";
  }
  if (const auto& time = stats.time) {
    out +=
        Formatted("transfers of a round take %.3f s by the links' attributes: %.3f down, %.3f up\n",
                  time->round_s(), time->down_s, time->up_s);
  }
  return out;
}

class TopologyCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("topology", "Look at a tree: a shape or a file");
    command_->require_subcommand(1);
    show_ = command_->add_subcommand("show", "Draw the tree");
    check_ = command_->add_subcommand("check", "Say whether the tree is valid, and how large");
    stats_ = command_->add_subcommand("stats", "Count its tiers, and the bytes of a round");
    draw_ = command_->add_subcommand("draw", "Draw the tree as SVG, or for Graphviz");
    make_.Define(*command_);
    stats_->add_option("--params", parameters_, "float32 elements of the model")
        ->check(CLI::Range(uint64_t{1}, kMostParameters))
        ->capture_default_str();
    draw_->add_option("--format", format_, "svg or dot")
        ->check(CLI::IsMember({"svg", "dot"}))
        ->capture_default_str();
    draw_->add_option("-o,--output", out_, "Where to write it, rather than to stdout")
        ->type_name("FILE");
    for (CLI::App* action : {show_, check_, stats_, draw_}) {
      action->add_option("target", target_, "flat:32, tree:4x8, ..., or a file")
          ->required()
          ->type_name("SHAPE|FILE");
      if (action != draw_) action->add_flag("--json", json_, "Print one JSON document");
    }
    show_->add_flag("--ascii", render_.ascii, "Draw with ASCII characters only");
    show_
        ->add_option("--max-siblings", render_.max_siblings,
                     "Fold longer runs of like workers into one line")
        ->capture_default_str();
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    if (make_.chosen()) return make_.Run(context);
    const auto topology = Load(target_);
    if (!topology.ok()) {
      if (json_ && check_->parsed()) {
        const ValueMap answer = {{"valid", false}, {"error", Message(topology.status())}};
        context.out << ToJson(answer) << std::endl;
      }
      return Complain(context, topology.status(), kBadInput);
    }
    if (draw_->parsed()) return Draw(*topology, context);
    if (stats_->parsed()) {
      const TopologyStats stats = StatsOf(*topology, parameters_);
      const auto attributes = AttributeStatsOf(*topology, parameters_);
      if (!attributes.ok()) {
        return Complain(context, Annotate(attributes.status(), target_), kBadInput);
      }
      if (json_) {
        context.out << ToJson(ToValue(stats, *attributes)) << std::endl;
      } else {
        context.out << Table(stats, parameters_) << Lines(*attributes) << std::flush;
      }
    } else if (json_) {
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
  static constexpr uint64_t kMostParameters = 1'000'000'000'000;

  int Draw(const Topology& topology, CommandContext& context) {
    const std::string text = format_ == "dot" ? ToDot(topology) : plot::DrawTree(topology, target_);
    return ShowOrWrite(context, text, out_);
  }

  CLI::App* command_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* check_ = nullptr;
  CLI::App* stats_ = nullptr;
  CLI::App* draw_ = nullptr;
  TopologyMake make_;
  std::string target_;
  std::string format_ = "svg";
  std::string out_;
  uint64_t parameters_ = 1'000'000;
  bool json_ = false;
  RenderOptions render_;
};

}  // namespace

std::unique_ptr<Command> MakeTopologyCommand() { return std::make_unique<TopologyCommand>(); }

}  // namespace skein
