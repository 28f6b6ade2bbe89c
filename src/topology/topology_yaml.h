#ifndef SKEIN_SRC_TOPOLOGY_TOPOLOGY_YAML_H_
#define SKEIN_SRC_TOPOLOGY_TOPOLOGY_YAML_H_

#include <absl/status/statusor.h>

#include "skein/topology/topology.h"
#include "topology/yaml_reader.h"

namespace skein {

// The topology that `node` describes, in our form or in Flight's. For whole files and for what
// stands inline in a run spec.
absl::StatusOr<Topology> TopologyFromYaml(const YamlDocument& document, const YamlNode& node);

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_TOPOLOGY_YAML_H_
