#include "skein/topology/transfer_time.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "skein/tensor/chunk_codec.h"

namespace skein {
namespace {

constexpr double kBytesPerMbit = 125'000;
constexpr uint64_t kFloatBytes = 4;
constexpr uint64_t kSumBytes = 8;
constexpr double kLatencies = 3;  // of an offer, its grant and the bytes

// What a parent has in memory of uploads, or one model where that is more: the rest waits. It is
// the default of limits.staging_bytes.
constexpr double kStagingBytes = 64 << 20;
// Below that it lets in so many bytes, or uploads, in each moment while the earlier ones go on.
constexpr double kMomentBytes = 16 << 20;
constexpr double kMomentUploads = 2;
constexpr double kMomentSeconds = 0.05;

// What a round sends on each node's link to its parent, one way.
struct Way {
  std::vector<double> bytes;
  std::vector<double> link_s;    // of the link, and the child's connection
  std::vector<double> shared_s;  // of all that pass the parent's connection, or the uplink
};

Way Sent(const Topology& topology, const std::vector<NodeLink>& links, std::vector<double> bytes) {
  const size_t nodes = topology.nodes().size();
  const auto seconds = [](double amount, double mbit) {
    return mbit > 0 ? amount / (mbit * kBytesPerMbit) : 0;
  };
  std::vector<double> of_children(nodes);
  std::map<std::string, double> of_uplink;
  for (size_t i = 1; i < nodes; ++i) {
    of_children[*topology.node(i).parent] += bytes[i];
    if (!links[i].uplink.empty()) of_uplink[links[i].uplink] += bytes[i];
  }
  Way way{std::move(bytes), std::vector<double>(nodes), std::vector<double>(nodes)};
  for (size_t i = 1; i < nodes; ++i) {
    const size_t parent = *topology.node(i).parent;
    way.link_s[i] =
        std::max(seconds(way.bytes[i], links[i].mbit), seconds(way.bytes[i], links[i].node_mbit));
    way.shared_s[i] = seconds(of_children[parent], links[parent].node_mbit);
    if (links[i].uplink.empty()) continue;
    way.shared_s[i] =
        std::max(way.shared_s[i], seconds(of_uplink.at(links[i].uplink), links[i].uplink_mbit));
  }
  return way;
}

// Of an upload to a parent that lets some of its children send at a time.
double UploadSeconds(const Way& up, size_t i, size_t siblings, double staging, double latency) {
  const double at_a_time = std::max(1.0, std::floor(staging / up.bytes[i]));
  const double turns = std::ceil(static_cast<double>(siblings) / at_a_time);
  // Until as many are under way as may be, or sooner, where uploads are over within a moment.
  const double in_a_moment = std::max(kMomentUploads, std::floor(kMomentBytes / up.bytes[i]));
  const double under_way = std::min(static_cast<double>(siblings), at_a_time);
  const double moment = std::min(kMomentSeconds, up.link_s[i] + 2 * latency);
  const double delay = (std::ceil(under_way / in_a_moment) - 1) * moment;
  return std::max(up.shared_s[i], turns * up.link_s[i] + delay) + latency * (1 + 2 * turns);
}

}  // namespace

TransferTime TransfersOf(const Topology& topology, const std::vector<NodeLink>& links,
                         uint64_t parameters) {
  const size_t nodes = topology.nodes().size();
  std::vector<double> model(nodes, static_cast<double>(parameters * kFloatBytes));
  std::vector<double> result(nodes);
  for (size_t i = 0; i < nodes; ++i) {
    const bool worker = topology.node(i).role == NodeRole::kWorker;
    result[i] = static_cast<double>(parameters * (worker ? kFloatBytes : kSumBytes));
  }
  const double first = std::min(1.0, static_cast<double>(kDefaultChunkBytes) / model[0]);
  const double staging = std::max(kStagingBytes, model[0]);
  const Way down = Sent(topology, links, std::move(model));
  const Way up = Sent(topology, links, std::move(result));

  TransferTime time;
  std::vector<double> begun(nodes), whole(nodes);  // when it has the first chunk, and the last
  for (size_t i = 1; i < nodes; ++i) {
    const size_t parent = *topology.node(i).parent;
    const double latency = links[i].latency_ms / 1000;
    const double all = std::max(down.link_s[i], down.shared_s[i]);
    const double chunk = first * all;
    begun[i] = begun[parent] + kLatencies * latency + chunk;
    whole[i] =
        std::max(begun[parent] + kLatencies * latency + all, whole[parent] + latency + chunk);
    time.down_s = std::max(time.down_s, whole[i]);
  }
  std::vector<double> has_all(nodes);
  for (size_t i = nodes - 1; i > 0; --i) {
    const size_t parent = *topology.node(i).parent;
    has_all[parent] = std::max(
        has_all[parent], has_all[i] + UploadSeconds(up, i, topology.node(parent).children.size(),
                                                    staging, links[i].latency_ms / 1000));
  }
  time.up_s = has_all[0];
  return time;
}

}  // namespace skein
