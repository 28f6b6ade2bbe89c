#include "skein/data/csv.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <optional>

#include "base/csv_lines.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 34;
constexpr size_t kMaxNamed = 8;  // columns in a message

std::vector<std::string> Header(const CsvLine& line, bool named) {
  std::vector<std::string> names;
  for (const std::string_view field : line.fields) {
    names.push_back(named ? std::string(field) : std::to_string(names.size() + 1));
  }
  return names;
}

// Nothing if the field is no number that a float can hold.
std::optional<float> NumberOf(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  double value = 0;  // a float would not take what is too small for it
  if (!ParseNumber(field, value) || !std::isfinite(static_cast<float>(value))) return std::nullopt;
  return static_cast<float>(value);
}

// Whether a field that is no number is meant as a name, and not as a number.
bool IsName(std::string_view field) {
  if (field.empty()) return false;
  const auto first = static_cast<unsigned char>(field.front());
  return first == '_' || first >= 0x80 || std::isalpha(first) != 0;
}

// Whether the first line names the columns. A row with a fault in it is not to be taken for that,
// and lost.
absl::StatusOr<bool> IsHeader(const CsvLine& line) {
  const auto is_number = [](std::string_view field) { return NumberOf(field).has_value(); };
  if (std::ranges::all_of(line.fields, is_number)) return false;
  if (std::ranges::none_of(line.fields, is_number)) return true;
  for (const std::string_view field : line.fields) {
    if (is_number(field) || IsName(field)) continue;
    return absl::InvalidArgumentError(
        QuoteName(field) +
        " is neither a finite number nor the name of a column, which begins "
        "with a letter");
  }
  return true;
}

absl::Status AppendRow(const CsvLine& line, CsvTable& table) {
  for (size_t i = 0; i < line.fields.size(); ++i) {
    if (const auto value = NumberOf(line.fields[i])) {
      table.values.push_back(*value);
      continue;
    }
    if (line.fields.size() == 1 && line.fields[i].find_first_of(";\t") != std::string_view::npos) {
      return absl::InvalidArgumentError("has one column; put commas between columns");
    }
    const std::string what = line.fields[i].empty()
                                 ? "is empty; fill it in or remove the line"
                                 : QuoteName(std::string(line.fields[i])) +
                                       " is no finite number; write classes as 0, 1, 2, ...";
    return absl::InvalidArgumentError("column " + QuoteName(table.columns[i]) + ": " + what);
  }
  ++table.num_rows;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<CsvTable> ReadCsv(const std::string& path) {
  std::error_code error;
  if (std::filesystem::exists(path, error) && !std::filesystem::is_regular_file(path, error)) {
    return absl::InvalidArgumentError(path + ": not a regular file");
  }
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  return ParseCsv(text, path);
}

absl::StatusOr<CsvTable> ParseCsv(const std::string& text, const std::string& name) {
  CsvTable table;
  std::string_view body = text;
  constexpr std::string_view kMark = "\xef\xbb\xbf";  // some programs begin UTF-8 with it
  if (body.starts_with(kMark)) body.remove_prefix(kMark.size());
  SKEIN_RETURN_IF_ERROR(ForEachCsvRow(body, name, [&](const CsvLine& line) {
    if (table.columns.empty()) {
      SKEIN_ASSIGN_OR_RETURN(const bool named, IsHeader(line));
      table.columns = Header(line, named);
      if (named) return absl::OkStatus();
    }
    return AppendRow(line, table);
  }));
  if (table.num_rows == 0) return absl::InvalidArgumentError(name + ": has no rows of numbers");
  return table;
}

absl::StatusOr<size_t> FindColumn(const CsvTable& table, const std::string& column) {
  const auto named = std::ranges::find(table.columns, column);
  if (named != table.columns.end()) return static_cast<size_t>(named - table.columns.begin());
  size_t number = 0;
  if (ParseNumber(column, number) && number >= 1 && number <= table.columns.size()) {
    return number - 1;
  }
  std::string known;
  for (size_t i = 0; i < std::min(table.columns.size(), kMaxNamed); ++i) {
    known += (known.empty() ? "" : ", ") + QuoteName(table.columns[i]);
  }
  if (table.columns.size() > kMaxNamed) {
    known += ", ... of " + std::to_string(table.columns.size());
  }
  return absl::InvalidArgumentError("no column " + QuoteName(column) + "; there are " + known);
}

}  // namespace skein
