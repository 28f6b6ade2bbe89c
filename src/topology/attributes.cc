#include "skein/topology/attributes.h"

#include <algorithm>
#include <cmath>

#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

struct LinkAttribute {
  const char* name;
  double NodeLink::*member;
  bool may_be_zero;
  const char* what;
};
constexpr LinkAttribute kLinkAttributes[] = {
    {"bandwidth_mbit", &NodeLink::mbit, false, "Mbit/s above 0"},
    {"latency_ms", &NodeLink::latency_ms, true, "milliseconds from 0 on"},
    {"node_mbit", &NodeLink::node_mbit, false, "Mbit/s above 0"},
    {"uplink_mbit", &NodeLink::uplink_mbit, false, "Mbit/s above 0"},
};
constexpr double kMost = 1e12;

absl::Status Bad(const TopologyNode& node, const std::string& attribute, const Value& value,
                 const std::string& expected) {
  return absl::InvalidArgumentError("node " + QuoteName(node.id) + ": attribute '" + attribute +
                                    "': expected " + expected + ", got " + ToJson(value));
}

}  // namespace

absl::StatusOr<std::vector<NodeLink>> LinksOf(const Topology& topology) {
  std::vector<NodeLink> links(topology.nodes().size());
  bool any = false;
  for (size_t i = 0; i < links.size(); ++i) {
    const TopologyNode& node = topology.node(i);
    for (const LinkAttribute& attribute : kLinkAttributes) {
      const auto it = node.attributes.find(attribute.name);
      if (it == node.attributes.end() || it->second.is_null()) continue;
      double number = std::nan("");
      if (const int64_t* integer = it->second.AsInt()) number = static_cast<double>(*integer);
      if (const double* real = it->second.AsDouble()) number = *real;
      const bool good = attribute.may_be_zero ? number >= 0 : number > 0;  // false for NaN
      if (!good || number > kMost) {
        return Bad(node, attribute.name, it->second, attribute.what);
      }
      links[i].*attribute.member = number;
      any = true;
    }
  }
  if (!any) return std::vector<NodeLink>();
  SKEIN_ASSIGN_OR_RETURN(const std::vector<std::string> regions, RegionsOf(topology));
  for (size_t i = 1; i < links.size(); ++i) {
    const bool leaves = !regions.empty() && regions[i] != regions[*topology.node(i).parent];
    if (links[i].uplink_mbit > 0 && leaves) links[i].uplink = regions[i];
  }
  return links;
}

absl::StatusOr<std::vector<std::string>> RegionsOf(const Topology& topology) {
  std::vector<std::string> regions(topology.nodes().size());
  bool any = false;
  for (size_t i = 0; i < regions.size(); ++i) {  // parents come before their children
    const TopologyNode& node = topology.node(i);
    if (node.parent) regions[i] = regions[*node.parent];
    const auto it = node.attributes.find("region");
    if (it == node.attributes.end() || it->second.is_null()) continue;
    const std::string* name = it->second.AsString();
    if (name == nullptr) return Bad(node, "region", it->second, "a name");
    regions[i] = *name;
    any = true;
  }
  if (!any) regions.clear();
  return regions;
}

const Value* FindAttribute(const Topology& topology, const TopologyNode& node,
                           const std::string& name) {
  for (const TopologyNode* at = &node;; at = &topology.node(*at->parent)) {
    const auto own = at->attributes.find(name);
    if (own != at->attributes.end() && !own->second.is_null()) return &own->second;
    if (!at->parent) return nullptr;
  }
}

}  // namespace skein
