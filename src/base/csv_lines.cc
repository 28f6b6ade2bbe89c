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

}  // namespace

absl::Status ForEachCsvLine(const std::string& text, const std::string& name,
                            const std::string& header,
                            const std::function<absl::Status(const CsvLine&)>& take) {
  const size_t columns = FieldsOf(header).size();
  size_t number = 0;
  bool begun = false;
  const auto bad = [&](const std::string& what) {
    return absl::InvalidArgumentError(name + ":" + std::to_string(number) + ": " + what);
  };
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line(text.data() + begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    begin = end + 1;
    ++number;
    if (line.empty()) continue;
    if (!begun) {
      if (line != header) return bad("the first line must be " + header);
      begun = true;
      continue;
    }
    const CsvLine fields = {number, FieldsOf(line)};
    if (fields.fields.size() != columns || fields.fields[0].empty()) {
      return bad("not of the form " + header);
    }
    const absl::Status status = take(fields);
    if (!status.ok()) return bad(Message(status));
  }
  return absl::OkStatus();
}

}  // namespace skein
