#include <atomic>
#include <filesystem>
#include <span>
#include <utility>

#include <spdlog/spdlog.h>
#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/run_flags.h"
#include "app/signals.h"
#include "app/sweep/grid.h"
#include "app/sweep/sweep_directory.h"
#include "app/sweep/sweep_table.h"
#include "federation/embedded_run.h"
#include "federation/preflight.h"
#include "federation/run_directory.h"
#include "skein/base/status.h"
#include "skein/tensor/digest.h"

namespace skein {
namespace {

// The bytes of a resolved spec, to tell whether it is still the same.
std::string DigestOf(const RunSpec& spec) {
  const std::string text = ToYaml(spec);
  return TransferDigest(std::as_bytes(std::span(text)));
}

// One run after another over the product of lists of values.
class SweepCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand(
        "sweep", "Run a federation for every combination of some values of its spec");
    command_->add_option("spec", flags_.spec, "The run: a YAML file (see docs/run_spec.md)")
        ->required()
        ->type_name("SPEC");
    command_
        ->add_option("--grid", grid_texts_,
                     "A key of the spec and its values; may be repeated: every combination is run")
        ->required()
        ->type_name("PATH=A,B,...");
    flags_.DefineSpec(*command_);
    command_
        ->add_option("--out", flags_.out,
                     "Directory of the sweep, a run directory for each combination in it "
                     "(default: runs/<name>-sweep-<time>)")
        ->type_name("DIR");
    command_->add_flag("--resume", resume_,
                       "Go on with the sweep in --out (default: the newest of this name in runs/): "
                       "run what has not completed");
    command_
        ->add_option("--threads", threads_,
                     "Learners that train at once in this process (default: one a core)")
        ->type_name("N")
        ->check(CLI::Range(1, 4096));
    command_
        ->add_option("--events", flags_.events,
                     "Of workers, write each event, or summaries (auto: above 10,000 nodes)")
        ->check(CLI::IsMember({"auto", "all", "summary"}))
        ->capture_default_str();
    command_->add_flag("--quiet", flags_.quiet, "Show no rounds: the table alone, and what failed");
    command_->add_flag("--json", flags_.json, "Print the table as one JSON document");
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    StopSignals signals;
    signals.OnStop([this] { stop_ = true; });
    const absl::Status prepared = Prepare(*context.registries);
    if (!prepared.ok()) return Complain(context, prepared, kBadInput);
    if (stop_) return Complain(context, "stopped before the first run had begun", kRunFailed);
    RunPoints(signals, context);
    signals.OnStop(nullptr);
    return Conclude(context);
  }

 private:
  // Everything that can be checked, before anything is created.
  absl::Status Prepare(const Registries& registries) {
    SKEIN_ASSIGN_OR_RETURN(plan_.grid, sweep::ParseGrid(grid_texts_));
    SKEIN_RETURN_IF_ERROR(CheckFlags());
    plan_.points = sweep::PointsOf(plan_.grid);
    for (const sweep::Point& point : plan_.points) {
      auto spec = SpecOf(point, registries);
      if (!spec.ok()) return Annotate(spec.status(), point.name);
      plan_.digests.push_back(DigestOf(*spec));
      specs_.push_back(*std::move(spec));
    }
    SKEIN_RETURN_IF_ERROR(FindDirectory());
    table_ = {flags_.out, plan_.grid, plan_.points, {}};
    table_.rows.resize(plan_.points.size());
    for (size_t i = 0; resume_ && i < plan_.points.size(); ++i) {
      table_.rows[i] = directory_->Read(plan_.points[i]);
    }
    for (size_t i = 0; i < plan_.points.size() && !stop_; ++i) {
      if (table_.rows[i].completed()) continue;
      const absl::Status inputs = Preflight(specs_[i], registries);
      if (!inputs.ok()) return Annotate(inputs, plan_.points[i].name);
    }
    if (resume_ || stop_) return absl::OkStatus();
    SKEIN_ASSIGN_OR_RETURN(directory_, sweep::SweepDirectory::Create(flags_.out, plan_));
    return absl::OkStatus();
  }

  // A flag that goes before the spec would make points of an axis equal.
  absl::Status CheckFlags() const {
    for (const sweep::Axis& axis : plan_.grid) {
      const bool clash = (axis.path == "topology" && !flags_.topology.empty()) ||
                         (axis.path == "rounds" && !flags_.rounds.empty()) ||
                         (axis.path == "seed" && !flags_.seed.empty());
      if (!clash) continue;
      return absl::InvalidArgumentError("--grid " + axis.path + " and --" + axis.path +
                                        " contradict each other; leave one of them out");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<RunSpec> SpecOf(const sweep::Point& point, const Registries& registries) const {
    RunFlags flags = flags_;
    for (size_t axis = 0; axis < plan_.grid.size(); ++axis) {
      flags.set.push_back(plan_.grid[axis].path + '=' + point.values[axis]);
    }
    return ResolveSpec(flags, registries);
  }

  absl::Status FindDirectory() {
    const std::string& name = specs_.front().config.name;
    if (!resume_) {
      if (flags_.out.empty()) flags_.out = DefaultDirectory(name + "-sweep");
      std::error_code error;
      if (std::filesystem::exists(flags_.out + "/sweep.json", error)) {
        return absl::AlreadyExistsError(flags_.out +
                                        " has a sweep; go on with it by --resume, or "
                                        "choose another directory with --out");
      }
      return CheckRunDirectory(flags_.out);
    }
    if (flags_.out.empty()) {
      SKEIN_ASSIGN_OR_RETURN(flags_.out, sweep::NewestSweep(name));
    }
    SKEIN_ASSIGN_OR_RETURN(directory_, sweep::SweepDirectory::Open(flags_.out, plan_));
    return absl::OkStatus();
  }

  void RunPoints(StopSignals& signals, CommandContext& context) {
    for (size_t i = 0; i < plan_.points.size() && !stop_; ++i) {
      if (table_.rows[i].completed()) continue;
      const std::string& name = plan_.points[i].name;
      if (!flags_.quiet && !flags_.json) {
        context.out << '[' << i + 1 << '/' << plan_.points.size() << "] " << name << std::endl;
      }
      auto row = RunPoint(i, signals, context);
      if (!row.ok()) {
        Complain(context, Annotate(row.status(), name), kRunFailed);
        row = sweep::Row{.status = "failed", .reason = Message(row.status())};
      } else if (!row->completed() && (flags_.quiet || flags_.json)) {
        Complain(context, name + ": run " + row->status + ": " + row->reason, kRunFailed);
      }
      table_.rows[i] = *std::move(row);
      specs_[i] = {};  // it may be large
      WriteTable(context);
    }
  }

  absl::StatusOr<sweep::Row> RunPoint(size_t i, StopSignals& signals, CommandContext& context) {
    SKEIN_RETURN_IF_ERROR(directory_->SetAside(plan_.points[i]));
    const ResolvedRun run{specs_[i], directory_->PathOf(plan_.points[i])};
    const bool shown = !flags_.quiet && !flags_.json;
    SKEIN_ASSIGN_OR_RETURN(
        const auto federation,
        EmbeddedRun::Create({run.spec, run.directory, threads_,
                             shown ? MakeProgress(flags_, run, context) : nullptr, flags_.detail()},
                            context.registries));
    signals.OnStop([this, &federation] {
      stop_ = true;
      federation->Stop("stopped by a signal");
    });
    const RunResult result = federation->Run();
    signals.OnStop([this] { stop_ = true; });
    if (federation->abandoned() > 0) {
      spdlog::warn("{} learner(s) ignored cancellation; going on without them",
                   federation->abandoned());
      context.leave_at_once = true;
    }
    return sweep::RowOf(result);
  }

  void WriteTable(CommandContext& context) {
    const absl::Status written = directory_->Write(table_);
    if (written.ok() || !std::exchange(record_ok_, false)) return;
    Complain(context, written, kRunFailed);
  }

  int Conclude(CommandContext& context) {
    WriteTable(context);
    context.out << (flags_.json ? ToJson(table_) : ToText(table_)) << std::flush;
    const bool all = table_.completed() == plan_.points.size();
    if (!all) {
      Complain(context,
               "not all points have completed; the same command with --resume --out " + flags_.out +
                   " runs the others",
               kRunFailed);
    }
    return all && record_ok_ ? kSuccess : kRunFailed;
  }

  CLI::App* command_ = nullptr;
  RunFlags flags_;
  std::vector<std::string> grid_texts_;
  int threads_ = 0;
  bool resume_ = false;

  sweep::Plan plan_;
  std::vector<RunSpec> specs_;  // resolved, by point
  std::unique_ptr<sweep::SweepDirectory> directory_;
  sweep::Table table_;
  bool record_ok_ = true;
  std::atomic<bool> stop_ = false;
};

}  // namespace

std::unique_ptr<Command> MakeSweepCommand() { return std::make_unique<SweepCommand>(); }

}  // namespace skein
