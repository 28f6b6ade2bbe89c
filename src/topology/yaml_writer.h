#ifndef SKEIN_SRC_TOPOLOGY_YAML_WRITER_H_
#define SKEIN_SRC_TOPOLOGY_YAML_WRITER_H_

#include <string>

#include "skein/base/value.h"

namespace skein {

// Values in YAML's flow style, in one line, so that YamlDocument reads them back equal: words as
// they are, other strings in double quotes, reals never without point or exponent.
std::string ToFlowYaml(const Value& value);

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_YAML_WRITER_H_
