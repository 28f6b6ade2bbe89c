#include "base/csv_lines.h"

#include <algorithm>

#include "skein/base/status.h"

namespace skein {
namespace {

std::vector<std::string_view> FieldsOf(std::string_view line) {
  std::vector<std::string_view> fields;
  while (true) {
    const size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == line.npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

std::string_view Trimmed(std::string_view field) {
  while (!field.empty() && (field.front() == ' ' || field.front() == '\t')) field.remove_prefix(1);
  while (!field.empty() && (field.back() == ' ' || field.back() == '\t')) field.remove_suffix(1);
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = field.substr(1, field.size() - 2);
  }
  return field;
}

// Lines that are not empty, without their ends; what `take` complains of begins with the place.
absl::Status ForEachLine(std::string_view text, const std::string& name,
                         const std::function<absl::Status(size_t, std::string_view)>& take) {
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    begin = end + 1;
    ++number;
    if (line.empty()) continue;
    const absl::Status status = take(number, line);
    if (!status.ok()) {
      return absl::InvalidArgumentError(name + ":" + std::to_string(number) + ": " +
                                        Message(status));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ForEachCsvLine(const std::string& text, const std::string& name,
                            const std::string& header,
                            const std::function<absl::Status(const CsvLine&)>& take) {
  const size_t columns = FieldsOf(header).size();
  bool begun = false;
  return ForEachLine(text, name, [&](size_t number, std::string_view line) {
    if (!begun) {
      begun = true;
      return line == header ? absl::OkStatus()
                            : absl::InvalidArgumentError("the first line must be " + header);
    }
    const CsvLine fields = {number, FieldsOf(line)};
    if (fields.fields.size() != columns || fields.fields[0].empty()) {
      return absl::InvalidArgumentError("not of the form " + header);
    }
    return take(fields);
  });
}

absl::Status ForEachCsvRow(std::string_view text, const std::string& name,
                           const std::function<absl::Status(const CsvLine&)>& take) {
  size_t columns = 0;
  return ForEachLine(text, name, [&](size_t number, std::string_view line) {
    CsvLine row = {number, FieldsOf(line)};
    for (std::string_view& field : row.fields) field = Trimmed(field);
    if (columns == 0) columns = row.fields.size();
    if (row.fields.size() != columns) {
      return absl::InvalidArgumentError("has " + std::to_string(row.fields.size()) +
                                        " columns, the first line has " + std::to_string(columns));
    }
    return take(row);
  });
}

}  // namespace skein
