#ifndef SKEIN_SRC_BASE_CSV_LINES_H_
#define SKEIN_SRC_BASE_CSV_LINES_H_

#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/status/status.h>

namespace skein {

struct CsvLine {
  size_t number = 0;                     // of the text, from 1
  std::vector<std::string_view> fields;  // as many as the header has
};

// The whole of a field as a number; false if it is none that fits.
template <typename T>
bool ParseNumber(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Every line after the header, for small files of numbers and ids: fields have no quotes. The first
// line must be `header`; empty lines are skipped. Errors, those of `take` among them, begin with
// `name` and the number of the line: "trace.csv:7: ...". InvalidArgument.
absl::Status ForEachCsvLine(const std::string& text, const std::string& name,
                            const std::string& header,
                            const std::function<absl::Status(const CsvLine&)>& take);

// Every line of a text of any number of columns, which is that of the first line, a header or not.
// Spaces around a field, and quotes around all of one, are left out. Errors as above.
absl::Status ForEachCsvRow(std::string_view text, const std::string& name,
                           const std::function<absl::Status(const CsvLine&)>& take);

}  // namespace skein

#endif  // SKEIN_SRC_BASE_CSV_LINES_H_
