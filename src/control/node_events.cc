#include "control/node_events.h"

#include <algorithm>
#include <string>

namespace skein {
namespace {

// Fields are few and flat; a roster of many single leaves is the largest of them.
constexpr size_t kMaxFields = 64;
constexpr size_t kMaxFieldBytes = size_t{16} << 20;

size_t SizeOf(const Value& value) {
  size_t size = sizeof(Value);
  if (const std::string* text = value.AsString()) size += text->size();
  if (const ValueList* list = value.AsList()) {
    for (const Value& item : *list) size += SizeOf(item);
  }
  if (const ValueMap* map = value.AsMap()) {
    for (const auto& [key, item] : *map) size += key.size() + SizeOf(item);
  }
  return size;
}

bool IsBelow(size_t node, size_t ancestor, const Topology& topology) {
  while (node != ancestor) {
    const auto parent = topology.node(node).parent;
    if (!parent.has_value()) return false;
    node = *parent;
  }
  return true;
}

}  // namespace

absl::Status CheckNodeEvent(const Event& event, size_t reporter, const Topology& topology) {
  static constexpr const char* kKnown[] = {event::kUpdateAccepted, event::kUpdateRejected,
                                           event::kWorkerLeftOut, event::kPartialAccepted,
                                           event::kUpdatesDropped};
  if (std::find(std::begin(kKnown), std::end(kKnown), event.type) == std::end(kKnown)) {
    return absl::InvalidArgumentError("nodes report no event '" + event.type.substr(0, 64) + "'");
  }
  const auto subject = topology.Find(event.node);
  if (!subject.has_value() || !IsBelow(*subject, reporter, topology)) {
    return absl::InvalidArgumentError(event.type + ": '" + event.node.substr(0, 128) +
                                      "' is not below the reporting node");
  }
  if (event.fields.size() > kMaxFields || SizeOf(event.fields) > kMaxFieldBytes) {
    return absl::InvalidArgumentError(event.type + ": its fields are too large");
  }
  return absl::OkStatus();
}

}  // namespace skein
