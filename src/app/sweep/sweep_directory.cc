#include "app/sweep/sweep_directory.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "federation/run_directory.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein::sweep {
namespace {

namespace fs = std::filesystem;

constexpr char kPlanFile[] = "/sweep.json";
constexpr char kEarlier[] = "/.earlier/";  // hidden: patterns for points do not take it

std::string ToJson(const Plan& plan) {
  ValueList grid, points;
  for (const Axis& axis : plan.grid) {
    ValueList values(axis.values.begin(), axis.values.end());
    grid.push_back(ValueMap{{"path", axis.path}, {"values", std::move(values)}});
  }
  for (size_t i = 0; i < plan.points.size(); ++i) {
    points.push_back(ValueMap{{"point", plan.points[i].name}, {"spec", plan.digests[i]}});
  }
  return ToJson(ValueMap{{"grid", std::move(grid)}, {"points", std::move(points)}}) + '\n';
}

// A JSON file of ours; JSON is YAML.
absl::StatusOr<ValueMap> ReadMap(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const YamlDocument document, YamlDocument::Read(path));
  SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(document, document.root()));
  auto* map = std::get_if<ValueMap>(&value.data);
  if (map == nullptr) return absl::InvalidArgumentError(path + ": not a JSON object");
  return std::move(*map);
}

std::string Text(const ValueMap& map, const std::string& key) {
  const auto it = map.find(key);
  const std::string* text = it == map.end() ? nullptr : it->second.AsString();
  return text == nullptr ? "" : *text;
}

std::optional<double> Number(const ValueMap& map, const std::string& key) {
  const auto it = map.find(key);
  if (it == map.end()) return std::nullopt;
  if (const double* real = it->second.AsDouble()) return *real;
  if (const int64_t* integer = it->second.AsInt()) return static_cast<double>(*integer);
  return std::nullopt;
}

std::string GridText(const ValueMap& plan) {
  const auto grid = plan.find("grid");
  return grid == plan.end() ? "" : ToJson(grid->second);
}

// What the plan that `path` was begun with does not share with `plan`; OK if it is the same.
absl::Status CheckSame(const std::string& path, const Plan& plan) {
  SKEIN_ASSIGN_OR_RETURN(const ValueMap old, ReadMap(path + kPlanFile));
  SKEIN_ASSIGN_OR_RETURN(const YamlDocument now, YamlDocument::Parse(ToJson(plan), "plan"));
  SKEIN_ASSIGN_OR_RETURN(const Value value, ToValue(now, now.root()));
  if (value == Value(old)) return absl::OkStatus();
  const std::string remedy = "; begin another sweep in another directory, with --out";
  if (GridText(old) != GridText(*value.AsMap())) {
    return absl::FailedPreconditionError(path + ": this sweep has another grid, " + GridText(old) +
                                         remedy);
  }
  std::string which;
  const auto points = old.find("points");
  const ValueList* list = points == old.end() ? nullptr : points->second.AsList();
  for (size_t i = 0; i < plan.points.size() && which.empty(); ++i) {
    const ValueMap* point = list == nullptr || i >= list->size() ? nullptr : (*list)[i].AsMap();
    if (point == nullptr || Text(*point, "spec") != plan.digests[i]) which = plan.points[i].name;
  }
  return absl::FailedPreconditionError(
      path +
      ": this sweep began with another spec, other flags or another version of skein: point " +
      QuoteName(which) + " would not be the same" + remedy);
}

absl::StatusOr<std::unique_ptr<DirectoryLock>> Lock(const std::string& path) {
  return DirectoryLock::Take(path, path + ": another process is at work on this sweep");
}

}  // namespace

absl::StatusOr<std::unique_ptr<SweepDirectory>> SweepDirectory::Create(const std::string& path,
                                                                       const Plan& plan) {
  SKEIN_RETURN_IF_ERROR(CreateRunDirectory(path));
  auto lock = Lock(path);
  const absl::Status status =
      lock.ok() ? WriteFileAtomically(path + kPlanFile, ToJson(plan)) : lock.status();
  if (status.ok()) {
    return std::unique_ptr<SweepDirectory>(new SweepDirectory(path, *std::move(lock)));
  }
  std::error_code ignored;
  fs::remove_all(path, ignored);
  return status;
}

absl::StatusOr<std::unique_ptr<SweepDirectory>> SweepDirectory::Open(const std::string& path,
                                                                     const Plan& plan) {
  std::error_code error;
  if (!fs::is_regular_file(path + kPlanFile, error)) {
    return absl::NotFoundError(path +
                               " has no sweep to go on with; leave out --resume to begin one");
  }
  SKEIN_ASSIGN_OR_RETURN(auto lock, Lock(path));
  std::unique_ptr<SweepDirectory> directory(new SweepDirectory(path, std::move(lock)));
  SKEIN_RETURN_IF_ERROR(CheckSame(path, plan));
  return directory;
}

Row SweepDirectory::Read(const Point& point) const {
  Row row;
  std::error_code error;
  if (!fs::exists(fs::symlink_status(PathOf(point), error))) return row;
  row.status = "cut";
  const auto result = ReadMap(PathOf(point) + "/result.json");
  if (!result.ok() || Text(*result, "status").empty()) return row;
  row.status = Text(*result, "status");
  row.reason = Text(*result, "reason");
  row.rounds = static_cast<uint64_t>(Number(*result, "rounds").value_or(0));
  row.wall_s = Number(*result, "wall_s").value_or(0);
  row.loss = Number(*result, "loss");
  row.accuracy = Number(*result, "accuracy");
  row.digest = Text(*result, "model_digest");
  return row;
}

absl::Status SweepDirectory::SetAside(const Point& point) const {
  const std::string path = PathOf(point);
  std::error_code error;
  if (!fs::exists(fs::symlink_status(path, error))) return absl::OkStatus();
  const std::string earlier = path_ + kEarlier;
  fs::create_directory(earlier, error);
  if (error) return absl::UnavailableError("cannot create " + earlier + ": " + error.message());
  std::string aside;
  for (int n = 1; aside.empty() || fs::exists(fs::symlink_status(aside, error)); ++n) {
    aside = earlier + point.name + '~' + std::to_string(n);
  }
  fs::rename(path, aside, error);
  if (!error) return absl::OkStatus();
  return absl::UnavailableError("cannot rename " + path + " to " + aside + ": " + error.message());
}

absl::Status SweepDirectory::Write(const Table& table) const {
  return WriteFileAtomically(path_ + "/sweep.csv", ToCsv(table));
}

absl::StatusOr<std::string> NewestSweep(const std::string& name) {
  const std::string prefix = name + "-sweep-";
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("runs", error)) {
    const std::string file = entry.path().filename().string();
    if (file.rfind(prefix, 0) == 0 && fs::exists(entry.path().string() + kPlanFile, error)) {
      newest = std::max(newest, file);  // they end in the time
    }
  }
  if (!newest.empty()) return "runs/" + newest;
  return absl::NotFoundError("there is no sweep runs/" + prefix +
                             "<time> to go on with; name one with --out");
}

}  // namespace skein::sweep
