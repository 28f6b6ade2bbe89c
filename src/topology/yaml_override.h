#ifndef SKEIN_SRC_TOPOLOGY_YAML_OVERRIDE_H_
#define SKEIN_SRC_TOPOLOGY_YAML_OVERRIDE_H_

#include <functional>
#include <string>

#include <absl/status/statusor.h>

#include "topology/yaml_reader.h"

namespace skein {

// Says under which key a word at `path` is kept when an override makes it a map: {name: WORD} for
// the parts of a strategy. Empty: no word may stand there.
using WordKey = std::function<std::string(const std::string& path)>;

// The keys and indices of a path, from the outermost.
std::vector<std::string> PathParts(const std::string& path);

// The document with the value at `path` ("strategy.tiers.0.kappa") set to `value`, itself YAML.
// Missing maps and lists on the way are made; an index may append to a list. InvalidArgument
// begins with the override, as the user wrote it ("--set path=value").
absl::StatusOr<YamlDocument> Override(const YamlDocument& document, const std::string& path,
                                      const std::string& value, const WordKey& word_key);

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_YAML_OVERRIDE_H_
