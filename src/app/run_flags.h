#ifndef SKEIN_SRC_APP_RUN_FLAGS_H_
#define SKEIN_SRC_APP_RUN_FLAGS_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "app/command.h"
#include "federation/event_detail.h"
#include "skein/federation/federation.h"
#include "skein/federation/run_spec.h"
#include "skein/observe/event.h"

namespace skein {

// What the command line says of a run; `run` and `control` have it in common.
struct RunFlags {
  std::string spec;
  std::vector<std::string> set;
  std::string topology;
  std::string rounds;  // as text: the spec's checks judge it
  std::string seed;
  std::string out;
  std::string events = "auto";
  bool quiet = false;
  bool json = false;

  // In the help under `group`, if one is given.
  void Define(CLI::App& command, const std::string& group = "Options");
  // Only what shapes the spec.
  void DefineSpec(CLI::App& command);
  // The name of one that was given; empty: none was.
  std::string FirstGiven() const;
  EventDetail detail() const;
  // The flags, spec apart, for another process, with `directory` for --out.
  std::vector<std::string> ToArguments(const std::string& directory) const;
};

// A directory that is not there yet, "runs/<name>-<time>", for who is not told one.
std::string DefaultDirectory(const std::string& name);

struct ResolvedRun {
  RunSpec spec;
  std::string directory;  // which does not exist yet
};

// The spec as the flags will have it. InvalidArgument, NotFound, each in one line.
absl::StatusOr<RunSpec> ResolveSpec(const RunFlags& flags, const Registries& registries);

// Reads and checks all there is to check before a run is created. InvalidArgument, NotFound,
// AlreadyExists, each in one line.
absl::StatusOr<ResolvedRun> Resolve(const RunFlags& flags, const Registries& registries);

// The progress for a person at `context.out`, as the flags will have it.
std::shared_ptr<EventSink> MakeProgress(const RunFlags& flags, const ResolvedRun& run,
                                        CommandContext& context);

// Prints the result if --json asks for it; the exit code of the run.
int Conclude(const RunFlags& flags, const RunResult& result, CommandContext& context);

}  // namespace skein

#endif  // SKEIN_SRC_APP_RUN_FLAGS_H_
