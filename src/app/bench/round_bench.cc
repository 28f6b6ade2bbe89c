#include "app/bench/round_bench.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <system_error>
#include <utility>
#include <vector>

#include "app/bench/baselines.h"
#include "app/bench/process_watch.h"
#include "app/run_flags.h"
#include "app/run_processes.h"
#include "federation/run_directory.h"
#include "skein/base/status.h"
#include "skein/base/value.h"
#include "skein/topology/topology.h"

namespace skein {
namespace {

constexpr double kGiga = 1e9;

// A directory that goes when the benchmark is over.
class TemporaryDirectory {
 public:
  static absl::StatusOr<std::unique_ptr<TemporaryDirectory>> Create() {
    std::error_code error;
    const std::filesystem::path parent = std::filesystem::temp_directory_path(error);
    if (error) {
      const char* given = std::getenv("TMPDIR");  // TMP and TEMP are asked after it
      return Unusable(
          given == nullptr ? "the directory for temporary files" : "TMPDIR=" + std::string(given),
          error.message());
    }
    std::string path = (parent / "skein-bench-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) {
      return Unusable("cannot create a directory like " + path, std::strerror(errno));
    }
    return std::unique_ptr<TemporaryDirectory>(new TemporaryDirectory(std::move(path)));
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}
  static absl::Status Unusable(const std::string& what, const std::string& why) {
    return absl::UnavailableError(what + ": " + why +
                                  "; set TMPDIR to a directory for temporary files");
  }
  const std::string path_;
};

std::string SpecText(const RoundBenchOptions& options) {
  std::ostringstream spec;
  spec << "name: bench-round\n"
       << "learner: {name: echo, params: {elements: " << options.params << ", constant: 0.001}}\n"
       << "strategy: {fold: fedavg, policy: all"
       << (options.links.empty() ? "" : ", links: " + options.links) << "}\n"
       << "rounds: " << options.rounds << '\n'
       << "evaluate: none\n"
       << "limits: {start_timeout_s: 600}\n";
  return spec.str();
}

// Between the nodes of a tier and their children.
struct Traffic {
  uint64_t up = 0;
  uint64_t down = 0;
};

struct Round {
  double wall_s = 0;
  uint64_t contributors = 0;
  std::vector<Traffic> tiers;  // the root's first
};

// The rows of rounds.csv: round,wall_s,contributors,samples,loss,accuracy,t0_up,t0_down,...
std::vector<Round> ReadRounds(const std::string& path) {
  std::vector<Round> rounds;
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (cells.size() < 8) continue;
    Round round{std::stod(cells[1]), std::stoull(cells[2]), {}};
    for (size_t i = 6; i + 1 < cells.size(); i += 2) {
      round.tiers.push_back({std::stoull(cells[i]), std::stoull(cells[i + 1])});
    }
    rounds.push_back(std::move(round));
  }
  return rounds;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// What one benchmark has found.
struct Figures {
  std::vector<Round> rounds;
  ProcessWatch::Report watched;
  double raw_tcp = 0;  // bytes a second
  double memory = 0;

  ProcessWatch::Role role(const std::string& name) const {
    const auto it = watched.roles.find(name);
    return it == watched.roles.end() ? ProcessWatch::Role() : it->second;
  }
  double median_s() const {
    std::vector<double> seconds;
    for (const Round& round : rounds) seconds.push_back(round.wall_s);
    return Median(std::move(seconds));
  }
  uint64_t workers() const { return rounds.empty() ? 0 : rounds.front().contributors; }
  double count() const { return static_cast<double>(std::max<size_t>(rounds.size(), 1)); }
  // Of all rounds, by tier.
  std::vector<Traffic> tiers() const {
    std::vector<Traffic> sums(rounds.empty() ? 0 : rounds.front().tiers.size());
    for (const Round& round : rounds) {
      for (size_t t = 0; t < std::min(sums.size(), round.tiers.size()); ++t) {
        sums[t].up += round.tiers[t].up;
        sums[t].down += round.tiers[t].down;
      }
    }
    return sums;
  }
  uint64_t root_in() const {
    const std::vector<Traffic> sums = tiers();
    return sums.empty() ? 0 : sums.front().up;
  }
  // On all links, both ways.
  uint64_t bytes() const {
    uint64_t sum = 0;
    for (const Traffic& tier : tiers()) sum += tier.up + tier.down;
    return sum;
  }
  // Bytes on all links and both ways, a second of a round.
  double goodput() const {
    const double median = median_s();
    return median > 0 ? static_cast<double>(bytes()) / count() / median : 0;
  }
};

ValueMap Describe(const ProcessWatch::Role& role) {
  return {{"processes", role.processes},
          {"idle_rss_mib", role.idle_rss_mib},
          {"peak_rss_mib", role.peak_rss_mib},
          {"highest_peak_rss_mib", role.highest_rss_mib},
          {"rounds_cpu_s", role.rounds_cpu_s}};
}

std::string Json(const RoundBenchOptions& options, const Figures& f, bool ok) {
  ValueList seconds;
  for (const Round& round : f.rounds) seconds.push_back(round.wall_s);
  ValueList bytes;
  for (const Traffic& tier : f.tiers()) {
    bytes.push_back(
        ValueMap{{"tier", uint64_t{bytes.size()}}, {"up", tier.up}, {"down", tier.down}});
  }
  const ProcessWatch::Role coordinator = f.role("coordinator");
  return ToJson(
      Value(ValueMap{{"ok", ok},
                     {"topology", options.topology},
                     {"params", options.params},
                     {"rounds", uint64_t{f.rounds.size()}},
                     {"round_s", std::move(seconds)},
                     {"median_round_s", f.median_s()},
                     {"startup_s", f.watched.startup_s},
                     {"workers_connected", f.workers()},
                     {"goodput_gb_per_s", f.goodput() / kGiga},
                     {"raw_tcp_gb_per_s", f.raw_tcp / kGiga},
                     {"memcpy_gb_per_s", f.memory / kGiga},
                     {"root_bytes_in", f.root_in()},
                     {"total_bytes", f.bytes()},
                     {"bytes", std::move(bytes)},
                     {"total_peak_rss_mib", f.watched.total_peak_rss_mib},
                     {"coordinator_idle_rss_mib", coordinator.idle_rss_mib},
                     {"coordinator_peak_rss_mib", coordinator.peak_rss_mib},
                     {"coordinator_cpu_s_per_round", coordinator.rounds_cpu_s / f.count()},
                     {"control", Describe(f.role("control"))},
                     {"coordinator", Describe(coordinator)},
                     {"aggregators", Describe(f.role("aggregator"))},
                     {"workers", Describe(f.role("worker"))}}));
}

std::string Text(const RoundBenchOptions& options, const Figures& f) {
  const ProcessWatch::Role coordinator = f.role("coordinator");
  char text[640];
  std::snprintf(
      text, sizeof(text),
      "%s, %llu floats: %llu workers, %zu rounds, median %.3f s a round, start-up %.1f s\n"
      "moved %.2f GB/s (%.2f of a plain TCP socket at %.2f GB/s; memcpy %.2f GB/s)\n"
      "coordinator: %.0f MiB idle, %.0f MiB at most, %.2f CPU s a round\n"
      "bytes a round: %.1f MB into the root, %.1f MB on all links",
      options.topology.c_str(), static_cast<unsigned long long>(options.params),
      static_cast<unsigned long long>(f.workers()), f.rounds.size(), f.median_s(),
      f.watched.startup_s, f.goodput() / kGiga, f.raw_tcp > 0 ? f.goodput() / f.raw_tcp : 0,
      f.raw_tcp / kGiga, f.memory / kGiga, coordinator.idle_rss_mib, coordinator.peak_rss_mib,
      coordinator.rounds_cpu_s / f.count(), static_cast<double>(f.root_in()) / f.count() / 1e6,
      static_cast<double>(f.bytes()) / f.count() / 1e6);
  return text;
}

}  // namespace

absl::StatusOr<RoundBenchResult> RunRoundBench(const RoundBenchOptions& options,
                                               StopSignals& signals, CommandContext& context) {
  SKEIN_ASSIGN_OR_RETURN(const auto temporary, TemporaryDirectory::Create());
  RunFlags flags;
  flags.spec = temporary->path() + "/spec.yaml";
  flags.topology = options.topology;  // a file is relative to where we are, not to the spec
  flags.quiet = true;
  flags.out = options.directory.empty() ? temporary->path() + "/run" : options.directory;
  SKEIN_RETURN_IF_ERROR(WriteFileAtomically(flags.spec, SpecText(options)));
  SKEIN_ASSIGN_OR_RETURN(const ResolvedRun run, Resolve(flags, *context.registries));
  const auto workers = static_cast<int>(run.spec.topology.num_workers());

  const uint64_t baseline_bytes =
      std::clamp<uint64_t>(options.params * sizeof(float), uint64_t{64} << 20, uint64_t{1} << 28);
  Figures figures;
  figures.raw_tcp = RawTcpBytesPerSecond(8 * baseline_bytes);
  figures.memory = MemcpyBytesPerSecond(baseline_bytes);

  ProcessWatch watch(run.directory + "/events.jsonl");
  ProcessOptions processes;
  processes.workers_per_process =
      options.workers_per_process > 0 ? options.workers_per_process : (workers + 1) / 2;
  processes.on_start = [&watch](pid_t pid, const std::string& role) { watch.Add(pid, role); };
  const int code = RunAsProcesses(flags, run, processes, signals, context);
  figures.rounds = ReadRounds(run.directory + "/rounds.csv");
  figures.watched = watch.Finish();
  RoundBenchResult result;
  result.code = code;
  result.ok = code == kSuccess && figures.rounds.size() == options.rounds;
  result.json = Json(options, figures, result.ok);
  result.text = Text(options, figures);
  return result;
}

}  // namespace skein
