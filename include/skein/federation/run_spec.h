#ifndef SKEIN_FEDERATION_RUN_SPEC_H_
#define SKEIN_FEDERATION_RUN_SPEC_H_

#include <string>
#include <utility>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/builtins/builtins.h"
#include "skein/control/stopping.h"
#include "skein/runtime/run_config.h"
#include "skein/topology/topology.h"

namespace skein {

// A run as the user wrote it: docs/run_spec.md lists the keys.
struct RunSpec {
  RunConfig config;  // run_id and output_dir still empty
  Topology topology;
  std::string topology_text;  // the shape, or the file's content in our form
  StopRules stop;
  PartSpec steering;   // no name: nobody steers
  std::string output;  // default for the run directory; empty: runs/<name>-<time>
  friend bool operator==(const RunSpec&, const RunSpec&) = default;
};

// What the command line changes of a spec before it is checked.
struct SpecOverrides {
  std::vector<std::pair<std::string, std::string>> set;  // --set path=value, in order
  // --topology SHAPE|FILE; a file is relative to the working directory. Goes before all of `set`.
  std::string topology;
  // The learner and its files are known elsewhere, at the nodes: they are not looked for here.
  bool learner_elsewhere = false;
};

// Reads a spec file, applies the overrides, checks everything that can be checked before a run:
// syntax, keys (with the nearest known one), types, ranges, topology, strategy, learner name and
// parameters. The result is resolved: parameters have their defaults, paths are absolute.
// InvalidArgument/NotFound in one line: "spec.yaml:12:3: ...".
absl::StatusOr<RunSpec> ReadRunSpec(const std::string& path, const SpecOverrides& overrides,
                                    const Registries& registries);

// The same for text; relative paths in it are resolved against `directory`.
absl::StatusOr<RunSpec> ParseRunSpec(const std::string& yaml, const std::string& name,
                                     const std::string& directory, const SpecOverrides& overrides,
                                     const Registries& registries);

// The checks of ParseRunSpec for a spec that was built in code, apart from files.
absl::Status ValidateRunSpec(const RunSpec& spec, const Registries& registries);

// The spec as YAML with every default written out; if it is resolved, reading that gives an equal
// RunSpec.
std::string ToYaml(const RunSpec& spec);

}  // namespace skein

#endif  // SKEIN_FEDERATION_RUN_SPEC_H_
