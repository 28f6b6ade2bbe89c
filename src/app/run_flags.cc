#include "app/run_flags.h"

#include <unistd.h>

#include <iostream>
#include <utility>

#include <CLI/CLI.hpp>

#include "federation/run_directory.h"
#include "federation/run_host.h"
#include "federation/run_recorder.h"
#include "skein/base/status.h"
#include "skein/observe/console.h"

namespace skein {
namespace {

uint64_t LowestTierWorkers(const Topology& topology) {
  uint64_t count = 0;
  for (LeafIndex leaf = 0; leaf < topology.num_workers(); ++leaf) {
    if (topology.worker(leaf).tier == topology.num_tiers() - 1) ++count;
  }
  return count;
}

absl::StatusOr<SpecOverrides> Overrides(const RunFlags& flags) {
  SpecOverrides overrides;
  overrides.topology = flags.topology;
  for (const std::string& text : flags.set) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return absl::InvalidArgumentError("--set '" + text + "' is not of the form path=value");
    }
    overrides.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  if (!flags.rounds.empty()) overrides.set.emplace_back("rounds", flags.rounds);
  if (!flags.seed.empty()) overrides.set.emplace_back("seed", flags.seed);
  return overrides;
}

}  // namespace

std::string DefaultDirectory(const std::string& name) {
  const std::string base = "runs/" + name + '-' + UtcTime();
  std::string directory = base;
  // Two runs may start within a second.
  for (int n = 2; !CheckRunDirectory(directory).ok(); ++n)
    directory = base + '-' + std::to_string(n);
  return directory;
}

void RunFlags::DefineSpec(CLI::App& command) {
  command.add_option("--set", set, "Set a key of the spec: path=value; may be repeated")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  command.add_option("--topology", topology, "Use this tree: flat:32, tree:4x8, or a file")
      ->type_name("SHAPE|FILE");
  command.add_option("--rounds", rounds, "Number of rounds")->type_name("N");
  command.add_option("--seed", seed, "Seed of everything random")->type_name("N");
}

void RunFlags::Define(CLI::App& command, const std::string& group) {
  const std::string group_before = command.option_defaults()->get_group();
  command.option_defaults()->group(group);
  DefineSpec(command);
  command.add_option("--out", out, "Run directory; must not exist (default: runs/<name>-<time>)")
      ->check([](const std::string& text) { return text.empty() ? "name a directory" : ""; })
      ->type_name("DIR");
  command
      .add_option("--events", events,
                  "Of workers, write each event, or summaries (auto: above 10,000 nodes)")
      ->check(CLI::IsMember({"auto", "all", "summary"}))
      ->capture_default_str();
  command.add_flag("--quiet", quiet, "Say nothing but what failed");
  command.add_flag("--json", json, "Print the result as one JSON document");
  command.option_defaults()->group(group_before);
}

std::string RunFlags::FirstGiven() const {
  const std::pair<const char*, bool> given[] = {{"--set", !set.empty()},
                                                {"--topology", !topology.empty()},
                                                {"--rounds", !rounds.empty()},
                                                {"--seed", !seed.empty()},
                                                {"--out", !out.empty()},
                                                {"--events", events != "auto"},
                                                {"--quiet", quiet},
                                                {"--json", json}};
  for (const auto& [flag, is] : given) {
    if (is) return flag;
  }
  return "";
}

EventDetail RunFlags::detail() const {
  if (events == "summary") return EventDetail::kSummary;
  return events == "all" ? EventDetail::kAll : EventDetail::kAuto;
}

std::vector<std::string> RunFlags::ToArguments(const std::string& directory) const {
  std::vector<std::string> arguments = {"--out", directory, "--events", events};
  for (const std::string& item : set) arguments.insert(arguments.end(), {"--set", item});
  const std::pair<const char*, const std::string&> texts[] = {
      {"--topology", topology}, {"--rounds", rounds}, {"--seed", seed}};
  for (const auto& [flag, text] : texts) {
    if (!text.empty()) arguments.insert(arguments.end(), {flag, text});
  }
  if (quiet) arguments.push_back("--quiet");
  if (json) arguments.push_back("--json");
  return arguments;
}

absl::StatusOr<RunSpec> ResolveSpec(const RunFlags& flags, const Registries& registries) {
  SKEIN_ASSIGN_OR_RETURN(const SpecOverrides overrides, Overrides(flags));
  return ReadRunSpec(flags.spec, overrides, registries);
}

absl::StatusOr<ResolvedRun> Resolve(const RunFlags& flags, const Registries& registries) {
  ResolvedRun run;
  SKEIN_ASSIGN_OR_RETURN(run.spec, ResolveSpec(flags, registries));
  run.directory = !flags.out.empty()         ? flags.out
                  : !run.spec.output.empty() ? run.spec.output
                                             : DefaultDirectory(run.spec.config.name);
  SKEIN_RETURN_IF_ERROR(CheckRunDirectory(run.directory));
  return run;
}

std::shared_ptr<EventSink> MakeProgress(const RunFlags& flags, const ResolvedRun& run,
                                        CommandContext& context) {
  ConsoleOptions options;
  if (!flags.quiet && !flags.json) options.out = &context.out;
  options.err = &context.err;
  options.redraw = &context.out == &std::cout && isatty(STDOUT_FILENO) == 1;
  options.directory = run.directory;
  options.lowest_tier_workers = LowestTierWorkers(run.spec.topology);
  return std::make_shared<ConsoleProgress>(std::move(options));
}

int Conclude(const RunFlags& flags, const RunResult& result, CommandContext& context) {
  if (flags.json) context.out << ToJson(result) << std::endl;
  if (!result.record_error.empty()) Complain(context, result.record_error, kRunFailed);
  return result.status == "completed" ? kSuccess : kRunFailed;
}

}  // namespace skein
