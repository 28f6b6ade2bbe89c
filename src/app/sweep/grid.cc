#include "app/sweep/grid.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_override.h"
#include "topology/yaml_reader.h"

namespace skein::sweep {
namespace {

constexpr size_t kMostNameBytes = 150;  // a file's name may have 255

std::string Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

// Takes a text apart at the commas that stand in no bracket and no quotes.
class ValueSplitter {
 public:
  // Nothing if a bracket or a quote is not closed.
  std::optional<std::vector<std::string>> Split(std::string_view text) {
    for (const char c : text) Take(c);
    if (quote_ != 0 || !open_.empty() || stray_) return std::nullopt;
    values_.push_back(Trimmed(value_));
    return std::move(values_);
  }

 private:
  void Take(char c) {
    if (c == ',' && quote_ == 0 && open_.empty()) {
      values_.push_back(Trimmed(std::exchange(value_, {})));
      before_ = 0;
      return;
    }
    value_ += c;
    if (quote_ != 0) {
      TakeQuoted(c);
    } else if ((c == '"' || c == '\'') && (before_ == 0 || kBeforeQuote.find(before_) != npos)) {
      quote_ = c;
    } else if (c == '[' || c == '{') {
      open_ += c == '[' ? ']' : '}';
    } else if (c == ']' || c == '}') {
      if (open_.empty() || open_.back() != c) {
        stray_ = true;
      } else {
        open_.pop_back();
      }
    }
    if (c != ' ') before_ = c;
  }
  void TakeQuoted(char c) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\' && quote_ == '"') {
      escaped_ = true;
    } else if (c == quote_) {
      quote_ = 0;  // a doubled one opens them again at once, see kBeforeQuote
    }
  }

  static constexpr size_t npos = std::string_view::npos;
  // A quote elsewhere is an apostrophe in a word.
  static constexpr std::string_view kBeforeQuote = "[{,:'";

  std::vector<std::string> values_;
  std::string value_;
  std::string open_;  // the brackets that close what is open
  char quote_ = 0;
  char before_ = 0;  // the last character of the value that is no blank
  bool escaped_ = false;
  bool stray_ = false;
};

absl::Status AxisError(const std::string& text, const std::string& what) {
  return absl::InvalidArgumentError("--grid " + QuoteName(text) + " " + what);
}

std::string LastParts(const std::vector<std::string>& parts, size_t count) {
  std::string out;
  for (size_t i = parts.size() - std::min(count, parts.size()); i < parts.size(); ++i) {
    out += (out.empty() ? "" : ".") + parts[i];
  }
  return out;
}

// What a file name may well have in it; the rest becomes '_'.
std::string FileSafe(const std::string& value) {
  std::string out;
  for (const char c : value) {
    const bool keep = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '+' || c == '-';
    if (keep) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

// Points that would share a name, or have too long a one, are told apart by their number.
void MakeNamesUnique(std::vector<Point>& points) {
  std::map<std::string, int> uses;
  for (const Point& point : points) ++uses[point.name];
  for (size_t i = 0; i < points.size(); ++i) {
    std::string& name = points[i].name;
    if (uses[name] == 1 && name.size() <= kMostNameBytes) continue;
    name = name.substr(0, kMostNameBytes) + '~' + std::to_string(i + 1);
  }
}

}  // namespace

absl::StatusOr<Axis> ParseAxis(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos || equals == 0) {
    return AxisError(text, "is not of the form path=value,value,...");
  }
  auto values = ValueSplitter().Split(std::string_view(text).substr(equals + 1));
  if (!values) return AxisError(text, "has a bracket or a quote without its other half");
  Axis axis{Trimmed(std::string_view(text).substr(0, equals)), *std::move(values)};
  std::set<std::string> seen;
  for (const std::string& value : axis.values) {
    if (value.empty()) {
      return AxisError(text, "has an empty value; write '' for an empty text, null for nothing");
    }
    if (!seen.insert(value).second) {
      return AxisError(text, "has the value " + QuoteName(value) + " twice; leave one of them out");
    }
    const auto yaml = YamlDocument::Parse(value, "--grid " + axis.path);
    if (!yaml.ok()) return yaml.status();
  }
  return axis;
}

absl::StatusOr<std::vector<Axis>> ParseGrid(const std::vector<std::string>& texts) {
  std::vector<Axis> grid;
  size_t points = 1;
  for (const std::string& text : texts) {
    SKEIN_ASSIGN_OR_RETURN(Axis axis, ParseAxis(text));
    for (const Axis& other : grid) {
      if (other.path != axis.path) continue;
      return absl::InvalidArgumentError("--grid " + axis.path +
                                        " is given twice; put all of its values into one");
    }
    points *= axis.values.size();
    if (points > kMostPoints) {
      return absl::InvalidArgumentError("--grid: more than " + std::to_string(kMostPoints) +
                                        " points; sweep fewer values at a time");
    }
    grid.push_back(std::move(axis));
  }
  return grid;
}

std::vector<Point> PointsOf(const std::vector<Axis>& grid) {
  const std::vector<std::string> names = ShortNames(grid);
  std::vector<Point> points(1);
  for (size_t i = 0; i < grid.size(); ++i) {
    std::vector<Point> longer;
    for (const Point& point : points) {
      for (const std::string& value : grid[i].values) {
        Point& next = longer.emplace_back(point);
        next.name += (i == 0 ? "" : ",") + names[i] + '=' + FileSafe(value);
        next.values.push_back(value);
      }
    }
    points = std::move(longer);
  }
  MakeNamesUnique(points);
  return points;
}

std::vector<std::string> ShortNames(const std::vector<Axis>& grid) {
  std::vector<std::vector<std::string>> parts;
  for (const Axis& axis : grid) parts.push_back(PathParts(axis.path));
  std::vector<std::string> names;
  for (size_t i = 0; i < grid.size(); ++i) {
    // "name" alone would not say of what.
    size_t count = parts[i].back() == "name" ? 2 : 1;
    const auto shared = [&] {
      for (size_t j = 0; j < grid.size(); ++j) {
        if (j != i && LastParts(parts[j], count) == LastParts(parts[i], count)) return true;
      }
      return false;
    };
    while (count < parts[i].size() && shared()) ++count;
    names.push_back(FileSafe(LastParts(parts[i], count)));
  }
  return names;
}

}  // namespace skein::sweep
