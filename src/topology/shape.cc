#include <charconv>
#include <cstdint>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/topology/topology.h"

namespace skein {
namespace {

constexpr char kFlat[] = "flat:";
constexpr char kTree[] = "tree:";
constexpr size_t kPrefixLength = 5;

absl::Status BadShape(const std::string& shape, const std::string& message) {
  return absl::InvalidArgumentError("topology shape " + QuoteName(shape) + ": " + message);
}

// The numbers of "2x4x8".
absl::StatusOr<std::vector<size_t>> ParseFanOut(const std::string& shape, size_t begin) {
  std::vector<size_t> fan_out;
  for (size_t at = begin; at <= shape.size();) {
    const size_t end = std::min(shape.find('x', at), shape.size());
    size_t number = 0;
    const auto [stop, error] = std::from_chars(shape.data() + at, shape.data() + end, number);
    if (error == std::errc::invalid_argument || stop != shape.data() + end) {
      return BadShape(shape, QuoteName(shape.substr(at, end - at)) +
                                 " is no positive number; write flat:32 or tree:4x8");
    }
    if (error != std::errc() || number > Topology::kMaxNodes) {
      return BadShape(shape,
                      "more than the " + std::to_string(Topology::kMaxNodes) + " nodes allowed");
    }
    if (number == 0) {
      return BadShape(shape, "0 children: every number must be at least 1, as in tree:4x8");
    }
    fan_out.push_back(number);
    at = end + 1;
  }
  return fan_out;
}

absl::Status CheckSize(const std::string& shape, const std::vector<size_t>& fan_out) {
  if (fan_out.size() > static_cast<size_t>(Topology::kMaxDepth)) {
    return BadShape(shape,
                    "more than " + std::to_string(Topology::kMaxDepth) + " tiers below the root");
  }
  uint64_t width = 1;
  uint64_t total = 1;
  for (const size_t n : fan_out) {  // both factors are below 2^21, so nothing overflows
    width *= n;
    total += width;
    if (total > Topology::kMaxNodes) {
      return BadShape(shape,
                      "more than the " + std::to_string(Topology::kMaxNodes) + " nodes allowed");
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool Topology::LooksLikeShape(const std::string& text) {
  return text.rfind(kFlat, 0) == 0 || text.rfind(kTree, 0) == 0;
}

absl::StatusOr<Topology> Topology::FromShape(const std::string& shape) {
  if (!LooksLikeShape(shape)) {
    return BadShape(shape,
                    "unknown; write flat:32 (32 workers) or tree:4x8 (4 aggregators with 8 "
                    "workers each)");
  }
  SKEIN_ASSIGN_OR_RETURN(const std::vector<size_t> fan_out, ParseFanOut(shape, kPrefixLength));
  if (fan_out.size() > 1 && shape.rfind(kFlat, 0) == 0) {
    return BadShape(shape, "flat takes one number; did you mean " +
                               QuoteName(kTree + shape.substr(kPrefixLength)) + "?");
  }
  SKEIN_RETURN_IF_ERROR(CheckSize(shape, fan_out));

  std::vector<NodeSpec> nodes;
  nodes.push_back({"root", NodeRole::kCoordinator, std::nullopt, {}, {}});
  size_t aggregators = 0;
  size_t parent = 0;  // the next one to get children
  for (size_t tier = 0; tier < fan_out.size(); ++tier) {
    const bool lowest = tier + 1 == fan_out.size();
    const size_t begin = nodes.size();
    for (; parent < begin; ++parent) {
      for (size_t c = 0; c < fan_out[tier]; ++c) {
        std::string id = lowest ? "w" + std::to_string(nodes.size() - begin)
                                : "a" + std::to_string(aggregators++);
        nodes.push_back({std::move(id),
                         lowest ? NodeRole::kWorker : NodeRole::kAggregator,
                         nodes[parent].id,
                         {},
                         {}});
      }
    }
  }
  return Create(nodes);
}

}  // namespace skein
