#ifndef SKEIN_SRC_CONTROL_TRAFFIC_H_
#define SKEIN_SRC_CONTROL_TRAFFIC_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "skein/base/value.h"
#include "skein/observe/round_tracker.h"
#include "skein/runtime/control_link.h"
#include "skein/topology/topology.h"

namespace skein {

// Adds up what the nodes report of their traffic, by tier of the node. One thread at a time.
class Traffic {
 public:
  explicit Traffic(std::shared_ptr<const Topology> topology);

  // A new life of the node counts from 0 again.
  void Reset(size_t node) { last_[node] = {}; }
  void Add(size_t node, const ReportMsg& report);

  // [{tier, up, down}, ...] for the aggregating tiers: since the last call, and in all.
  ValueList TakeRound();
  ValueList Totals() const { return List(totals_, {}); }
  std::vector<TierTraffic> Tiers() const;                // in all
  double peak_rss_mib() const { return peak_rss_mib_; }  // of the largest process

 private:
  struct Bytes {
    uint64_t up = 0;
    uint64_t down = 0;
  };
  static ValueList List(const std::vector<Bytes>& now, const std::vector<Bytes>& before);

  std::shared_ptr<const Topology> topology_;
  std::vector<Bytes> last_;    // by node
  std::vector<Bytes> totals_;  // by tier
  std::vector<Bytes> at_last_round_;
  double peak_rss_mib_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_CONTROL_TRAFFIC_H_
