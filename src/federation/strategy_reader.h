#ifndef SKEIN_SRC_FEDERATION_STRATEGY_READER_H_
#define SKEIN_SRC_FEDERATION_STRATEGY_READER_H_

#include <string>

#include <absl/status/statusor.h>

#include "federation/learner_fields.h"
#include "skein/strategy/strategy_spec.h"
#include "topology/yaml_reader.h"

namespace skein {

// The strategy that `node` describes (null: the default one), checked against the registries and
// the tree, with the defaults of all parameters filled in and paths made absolute. `root` is where
// errors of an absent strategy stand.
absl::StatusOr<StrategySpec> ReadStrategy(const YamlDocument& document, const YamlNode& root,
                                          const YamlNode* node, const Topology& topology,
                                          const StrategyRegistries& registries,
                                          const PathResolver& absolute);

// A part as written: a name, or {name: ..., its parameters}. A map without a name means the part
// `otherwise`, if there is one.
absl::StatusOr<PartSpec> ReadPart(const YamlDocument& document, const YamlNode& node,
                                  const std::string& what, const std::string& otherwise);

// `status`, an error about parameters of a part, at the position of the parameter that it names,
// else at `node`.
absl::Status AtParameter(const YamlDocument& document, const YamlNode& node,
                         const absl::Status& status);

// The entries of a map but `except`, as parameters; null ones count as absent.
absl::StatusOr<ValueMap> ReadParams(const YamlDocument& document, const YamlNode& node,
                                    const std::string& except);

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_STRATEGY_READER_H_
