#include "skein/topology/suggest.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/balanced_widths.h"

namespace skein {
namespace {

constexpr double kBytesPerMbit = 125'000;
constexpr uint64_t kFloatBytes = 4;
constexpr uint64_t kSumBytes = 8;

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
  explicit Growth(size_t max_children) : max_children_(max_children) {}

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
    nodes_.push_back({id, role, parent, {{"region", region.name}}, ""});
    return id;
  }

  const size_t max_children_;
  std::vector<NodeSpec> nodes_ = {{"root", NodeRole::kCoordinator, std::nullopt, {}, ""}};
  std::map<std::string, size_t> workers_;
  std::map<std::string, size_t> aggregators_;
};

// What the transfers of a round take in a tree, by the model.
class RoundTime {
 public:
  RoundTime(const SuggestOptions& options, const Topology& topology)
      : options_(options), topology_(topology) {
    for (const Region& region : options.regions) regions_[region.name] = &region;
  }

  double Seconds() const {
    const std::vector<Link> down = Links(/*up=*/false);
    const std::vector<Link> up = Links(/*up=*/true);
    const size_t nodes = topology_.nodes().size();
    std::vector<double> latency(nodes), slowest(nodes);  // on the way down to each
    double arrived = 0;
    for (size_t i = 1; i < nodes; ++i) {
      const size_t parent = *topology_.node(i).parent;
      latency[i] = latency[parent] + down[i].latency_s;
      slowest[i] = std::max(slowest[parent], down[i].transfer_s);
      arrived = std::max(arrived, latency[i] + slowest[i]);
    }
    std::vector<double> has_all(nodes);
    for (size_t i = nodes - 1; i > 0; --i) {
      double& above = has_all[*topology_.node(i).parent];
      above = std::max(above, has_all[i] + up[i].latency_s + up[i].transfer_s);
    }
    return arrived + has_all[0];
  }

 private:
  struct Link {  // to the parent
    double latency_s = 0;
    double transfer_s = 0;
  };

  const Region& RegionOf(size_t node) const {
    return *regions_.at(*topology_.node(node).attributes.at("region").AsString());
  }
  double ConnectionOf(size_t node) const {
    return node == 0 ? options_.root_mbit : RegionOf(node).local_mbit;
  }

  std::vector<Link> Links(bool up) const {
    const size_t nodes = topology_.nodes().size();
    const auto bytes = [&](size_t i) {
      const bool sums = up && topology_.node(i).role == NodeRole::kAggregator;
      return static_cast<double>(options_.parameters * (sums ? kSumBytes : kFloatBytes));
    };
    std::vector<double> of_parent(nodes);            // bytes through its connection
    std::map<const Region*, double> through_uplink;  // children of the root are outside of it
    for (size_t i = 1; i < nodes; ++i) {
      const size_t parent = *topology_.node(i).parent;
      of_parent[parent] += bytes(i);
      if (parent == 0) through_uplink[&RegionOf(i)] += bytes(i);
    }
    std::vector<Link> links(nodes);
    for (size_t i = 1; i < nodes; ++i) {
      const size_t parent = *topology_.node(i).parent;
      const Region& region = RegionOf(i);
      double mbits = std::max(bytes(i) / ConnectionOf(i), of_parent[parent] / ConnectionOf(parent));
      if (parent == 0) mbits = std::max(mbits, through_uplink.at(&region) / region.uplink_mbit);
      links[i].transfer_s = mbits / kBytesPerMbit;
      links[i].latency_s =
          (parent == 0 ? region.uplink_latency_ms : region.local_latency_ms) / 1000;
    }
    return links;
  }

  const SuggestOptions& options_;
  const Topology& topology_;
  std::map<std::string, const Region*> regions_;
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
    Growth growth(max_children);
    for (const Region& region : options.regions) growth.AddRegion(region);
    SKEIN_ASSIGN_OR_RETURN(Topology topology, growth.Finish());
    const double seconds = RoundTime(options, topology).Seconds();
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
