#include "control/traffic.h"

#include <algorithm>
#include <utility>

namespace skein {

Traffic::Traffic(std::shared_ptr<const Topology> topology)
    : topology_(std::move(topology)),
      last_(topology_->nodes().size()),
      totals_(static_cast<size_t>(std::max(1, topology_->num_tiers() - 1))),
      at_last_round_(totals_.size()) {}

void Traffic::Add(size_t node, const ReportMsg& report) {
  peak_rss_mib_ = std::max(peak_rss_mib_, report.peak_rss_mib);
  const auto tier = static_cast<size_t>(topology_->node(node).tier);
  if (tier >= totals_.size()) return;  // workers have no children
  Bytes& last = last_[node];
  // Reports are cumulative; one that goes back is out of order and says nothing new.
  if (report.bytes_up > last.up) totals_[tier].up += report.bytes_up - last.up;
  if (report.bytes_down > last.down) totals_[tier].down += report.bytes_down - last.down;
  last.up = std::max(last.up, report.bytes_up);
  last.down = std::max(last.down, report.bytes_down);
}

ValueList Traffic::TakeRound() {
  ValueList list = List(totals_, at_last_round_);
  at_last_round_ = totals_;
  return list;
}

std::vector<TierTraffic> Traffic::Tiers() const {
  std::vector<TierTraffic> tiers;
  for (const Bytes& bytes : totals_) tiers.push_back({bytes.up, bytes.down});
  return tiers;
}

ValueList Traffic::List(const std::vector<Bytes>& now, const std::vector<Bytes>& before) {
  ValueList list;
  for (size_t tier = 0; tier < now.size(); ++tier) {
    const Bytes base = tier < before.size() ? before[tier] : Bytes{};
    list.push_back(ValueMap{{"tier", static_cast<uint64_t>(tier)},
                            {"up", now[tier].up - base.up},
                            {"down", now[tier].down - base.down}});
  }
  return list;
}

}  // namespace skein
