#include "skein/topology/suggest.h"

#include <algorithm>
#include <map>
#include <set>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/topology/transfer_time.h"
#include "topology/balanced_widths.h"

namespace skein {
namespace {

absl::Status Check(const SuggestOptions& options) {
  if (options.regions.empty()) return absl::InvalidArgumentError("there is no region");
  if (!(options.root_mbit > 0)) {
    return absl::InvalidArgumentError("root_mbit is not positive");
  }
  std::set<std::string> names;
  for (const Region& region : options.regions) {
    const auto bad = [&](const std::string& what) {
      return absl::InvalidArgumentError("region " + QuoteName(region.name) + ": " + what);
    };
    SKEIN_RETURN_IF_ERROR(Annotate(CheckName(region.name), "a region"));
    if (!names.insert(region.name).second) return bad("is there twice");
    if (region.workers == 0) return bad("has no workers");
    if (!(region.uplink_mbit > 0 && region.local_mbit > 0)) {
      return bad("uplink_mbit and local_mbit must be positive");
    }
    if (!(region.uplink_latency_ms >= 0 && region.local_latency_ms >= 0)) {
      return bad("latencies must not be negative");
    }
  }
  return absl::OkStatus();
}

// Grows the tree of a candidate.
class Growth {
 public:
  Growth(size_t max_children, double root_mbit) : max_children_(max_children) {
    nodes_[0].attributes["node_mbit"] = root_mbit;
  }

  void AddRegion(const Region& region) {
    if (max_children_ == 0) {
      for (size_t i = 0; i < region.workers; ++i) Add(region, NodeRole::kWorker, "root");
      return;
    }
    const std::vector<size_t> widths = BalancedWidths(region.workers, max_children_);
    std::vector<NodeId> above = {Add(region, NodeRole::kAggregator, "root")};
    for (size_t tier = widths.size(); tier-- > 0;) {
      std::vector<NodeId> here;
      const NodeRole role = tier == 0 ? NodeRole::kWorker : NodeRole::kAggregator;
      for (size_t i = 0; i < widths[tier]; ++i) {
        here.push_back(Add(region, role, above[BalancedParent(i, widths[tier], above.size())]));
      }
      above = std::move(here);
    }
  }
  absl::StatusOr<Topology> Finish() const { return Topology::Create(nodes_); }

 private:
  NodeId Add(const Region& region, NodeRole role, const NodeId& parent) {
    const bool worker = role == NodeRole::kWorker;
    NodeId id = region.name + (worker ? ".w" : ".a") +
                std::to_string(worker ? workers_[region.name]++ : aggregators_[region.name]++);
    ValueMap attributes = {{"region", region.name},
                           {"node_mbit", region.local_mbit},
                           {"latency_ms", region.local_latency_ms}};
    if (parent == "root") {  // out of the region
      attributes["uplink_mbit"] = region.uplink_mbit;
      attributes["latency_ms"] = region.uplink_latency_ms;
    }
    nodes_.push_back({id, role, parent, std::move(attributes), ""});
    return id;
  }

  const size_t max_children_;
  std::vector<NodeSpec> nodes_ = {{"root", NodeRole::kCoordinator, std::nullopt, {}, ""}};
  std::map<std::string, size_t> workers_;
  std::map<std::string, size_t> aggregators_;
};

}  // namespace

absl::StatusOr<TreeSuggestion> SuggestTopology(const SuggestOptions& options) {
  SKEIN_RETURN_IF_ERROR(Check(options));
  size_t largest = 0;
  for (const Region& region : options.regions) largest = std::max(largest, region.workers);
  std::vector<size_t> numbers = {0};
  for (size_t n = 2; numbers.back() < largest; n *= 2) numbers.push_back(n);
  if (numbers.size() == 1) numbers.push_back(2);

  std::optional<TreeSuggestion> best;
  std::vector<Candidate> candidates;
  for (const size_t max_children : numbers) {
    Growth growth(max_children, options.root_mbit);
    for (const Region& region : options.regions) growth.AddRegion(region);
    SKEIN_ASSIGN_OR_RETURN(Topology topology, growth.Finish());
    SKEIN_ASSIGN_OR_RETURN(const std::vector<NodeLink> links, LinksOf(topology));
    const double seconds = TransfersOf(topology, links, options.parameters).round_s();
    candidates.push_back({max_children, seconds});
    const bool fewer = best && topology.nodes().size() < best->topology.nodes().size();
    if (!best || seconds < best->round_s || (seconds == best->round_s && fewer)) {
      best = TreeSuggestion{std::move(topology), seconds, {}};
    }
  }
  best->candidates = std::move(candidates);
  return *std::move(best);
}

}  // namespace skein
