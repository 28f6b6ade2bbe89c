#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "app/plot/curves.h"
#include "app/plot/event_log.h"
#include "app/plot/idle_table.h"
#include "app/plot/timeline.h"
#include "federation/run_directory.h"
#include "skein/base/status.h"

namespace skein {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, plot::Over> kOver = {{"time", plot::Over::kTime},
                                                 {"bytes", plot::Over::kBytes},
                                                 {"root-bytes", plot::Over::kBytesAtRoot},
                                                 {"updates", plot::Over::kUpdates},
                                                 {"rounds", plot::Over::kRounds}};

// What the legend calls the runs: the last part of each path, or the whole where these are equal.
std::vector<std::string> NamesOf(const std::vector<std::string>& directories) {
  std::vector<std::string> names;
  std::multiset<std::string> taken;
  for (const std::string& directory : directories) {
    fs::path path = fs::path(directory).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    const std::string name = path.filename().string();
    names.push_back(name.empty() || name == "." || name == ".." ? directory : name);
    taken.insert(names.back());
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (taken.count(names[i]) > 1) names[i] = directories[i];
  }
  return names;
}

class PlotCommand : public Command {
 public:
  void Define(CLI::App& root) override {
    command_ = root.add_subcommand("plot", "Draw what runs did, from their directories, as SVG");
    command_->add_option("runs", directories_, "Run directories")->required()->type_name("RUN_DIR");
    auto* x = command_->add_option("--x", x_, "What curves are drawn over")
                  ->check(CLI::IsMember(kOver))
                  ->capture_default_str();
    auto* y = command_->add_option("--y", y_, "A metric of the evaluations: accuracy, loss, ...")
                  ->type_name("METRIC")
                  ->capture_default_str();
    auto* timeline = command_->add_flag("--timeline", timeline_,
                                        "Draw who had a task and when, rather than curves");
    auto* idle =
        command_->add_flag("--idle", idle_, "Print how the workers spent their time, a line each");
    command_
        ->add_option("--nodes", nodes_,
                     "Only these nodes, with --timeline or --idle: 'root,a*,w1?'")
        ->type_name("PATTERNS")
        ->delimiter(',')
        ->allow_extra_args(false);
    auto* out = command_
                    ->add_option("-o,--output", output_,
                                 "The file, - for stdout (default: plot.svg or timeline.svg in the "
                                 "first run directory)")
                    ->type_name("FILE.svg");
    command_->add_flag("--json", json_, "With --idle: print one JSON document")->needs(idle);
    timeline->excludes(x)->excludes(y);
    idle->excludes(x)->excludes(y)->excludes(timeline)->excludes(out);
  }
  bool chosen() const override { return command_->parsed(); }

  int Run(CommandContext& context) override {
    if (!nodes_.empty() && !timeline_ && !idle_) {
      return Complain(context, "--nodes is for --timeline and --idle", kBadInput);
    }
    if (const std::string kind = fs::path(output_).extension(); !kind.empty() && kind != ".svg") {
      return Complain(context,
                      output_ +
                          ": what is drawn is SVG; give a name in .svg, or make it another "
                          "kind, as in -o - | rsvg-convert -o plot.png",
                      kBadInput);
    }
    names_ = NamesOf(directories_);
    if (idle_) return ShowIdle(context);
    const absl::StatusOr<std::string> svg = timeline_ ? Timeline() : Curves(context);
    if (!svg.ok()) return Complain(context, svg.status(), kBadInput);
    if (output_ == "-") {
      context.out << *svg << std::flush;
      return kSuccess;
    }
    const std::string file =
        !output_.empty()
            ? output_
            : (fs::path(directories_.front()) / (timeline_ ? "timeline.svg" : "plot.svg")).string();
    const absl::Status written = WriteOut(file, *svg);
    if (!written.ok()) return Complain(context, written, kBadInput);
    context.out << file << std::endl;
    return kSuccess;
  }

 private:
  // Of several runs those without an evaluation, as points of a sweep that failed, are left out.
  absl::StatusOr<std::string> Curves(CommandContext& context) const {
    std::vector<plot::EvaluatedRun> runs;
    for (size_t i = 0; i < directories_.size(); ++i) {
      plot::Evaluations evaluations;
      SKEIN_RETURN_IF_ERROR(plot::ReadEvents(
          directories_[i], [&](const Event& event) { evaluations.OnEvent(event); }));
      runs.push_back({names_[i], evaluations.Take()});
    }
    const auto evaluated = [](const plot::EvaluatedRun& run) { return !run.evaluations.empty(); };
    if (std::ranges::any_of(runs, evaluated)) {
      const auto rest = std::ranges::stable_partition(runs, evaluated);
      for (const plot::EvaluatedRun& run : rest) {
        context.err << "skein: " << run.name
                    << ": there is no evaluation in its events; left out\n";
      }
      runs.erase(rest.begin(), rest.end());
    }
    return plot::DrawCurves(runs, kOver.at(x_), y_);
  }

  absl::StatusOr<std::string> Timeline() const {
    std::vector<plot::ActiveRun> runs;
    for (size_t i = 0; i < directories_.size(); ++i) {
      SKEIN_ASSIGN_OR_RETURN(plot::RunActivity activity, Activity(i));
      runs.push_back({names_[i], std::move(activity)});
    }
    return plot::DrawTimeline(runs);
  }

  int ShowIdle(CommandContext& context) const {
    std::string text;
    ValueList runs;
    for (size_t i = 0; i < directories_.size(); ++i) {
      const absl::StatusOr<plot::RunActivity> activity = Activity(i);
      if (!activity.ok()) return Complain(context, activity.status(), kBadInput);
      text += (i == 0 ? "" : "\n") + plot::IdleTable(names_[i], *activity);
      runs.push_back(plot::IdleValue(names_[i], *activity));
    }
    context.out << (json_ ? ToJson(ValueMap{{"runs", std::move(runs)}}) + '\n' : text)
                << std::flush;
    return kSuccess;
  }

  absl::StatusOr<plot::RunActivity> Activity(size_t i) const {
    plot::ActivityReader reader;
    SKEIN_RETURN_IF_ERROR(
        plot::ReadEvents(directories_[i], [&](const Event& event) { reader.OnEvent(event); }));
    absl::StatusOr<plot::RunActivity> activity = reader.Take();
    if (!activity.ok()) return Annotate(activity.status(), directories_[i]);
    if (nodes_.empty()) return activity;
    std::erase_if(activity->nodes, [&](const plot::NodeActivity& node) {
      return std::none_of(nodes_.begin(), nodes_.end(), [&](const std::string& pattern) {
        return fnmatch(pattern.c_str(), node.id.c_str(), 0) == 0;
      });
    });
    if (activity->nodes.empty()) {
      return absl::InvalidArgumentError(directories_[i] + ": --nodes matches none of its nodes");
    }
    return activity;
  }

  CLI::App* command_ = nullptr;
  std::vector<std::string> directories_;
  std::vector<std::string> names_;
  std::string x_ = "time";
  std::string y_ = "accuracy";
  std::string output_;
  std::vector<std::string> nodes_;
  bool timeline_ = false;
  bool idle_ = false;
  bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> MakePlotCommand() { return std::make_unique<PlotCommand>(); }

}  // namespace skein
