#ifndef SKEIN_SRC_TOPOLOGY_YAML_FIELDS_H_
#define SKEIN_SRC_TOPOLOGY_YAML_FIELDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

#include "topology/yaml_reader.h"

namespace skein {

// Checked access to parts of a document. `what` says for messages what is read, as a user would
// name it: "rounds", "strategy.tiers.0.kappa". All errors are InvalidArgument with the position.

// The node is a map and has no key but the `known` ones; else names the nearest.
absl::Status CheckMap(const YamlDocument& document, const YamlNode& node, const std::string& what,
                      const std::vector<std::string>& known);

// Where an entry stands: its key, or the override that has given it its value.
YamlMark MarkOf(const YamlNode::Entry& entry);
// An error about something below `node`: at the innermost entry whose key, or index in brackets,
// the message mentions ("conditions.links[1]: unknown parameter 'los'").
absl::Status AtMentioned(const YamlDocument& document, const YamlNode& node,
                         const std::string& message);

// The key's value, or null if the key is absent or its value null.
const YamlNode* FindValue(const YamlNode& map, const std::string& key);

// Any scalar, as it is written.
absl::StatusOr<std::string> ReadString(const YamlDocument& document, const YamlNode& node,
                                       const std::string& what);
// A real with an integral value passes ("1e3").
absl::StatusOr<int64_t> ReadInt(const YamlDocument& document, const YamlNode& node,
                                const std::string& what, int64_t min, int64_t max);
absl::StatusOr<uint64_t> ReadUint64(const YamlDocument& document, const YamlNode& node,
                                    const std::string& what);
// An integer passes; NaN does not.
absl::StatusOr<double> ReadReal(const YamlDocument& document, const YamlNode& node,
                                const std::string& what, double min, double max);
absl::StatusOr<ValueMap> ReadValueMap(const YamlDocument& document, const YamlNode& node,
                                      const std::string& what);

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_YAML_FIELDS_H_
