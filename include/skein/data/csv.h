#ifndef SKEIN_DATA_CSV_H_
#define SKEIN_DATA_CSV_H_

#include <cstddef>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

namespace skein {

// A CSV file of numbers, a row a sample.
struct CsvTable {
  std::vector<std::string> columns;  // their names; "1", "2", ... if the file has no header
  size_t num_rows = 0;
  std::vector<float> values;  // row after row
};

// Fields have commas between them; a first line with names of columns is a header. NotFound;
// InvalidArgument in one line with path, line and column for what is no finite number, rows of
// another length, a file without rows.
absl::StatusOr<CsvTable> ReadCsv(const std::string& path);
// The same for text; `name` stands for the path in messages.
absl::StatusOr<CsvTable> ParseCsv(const std::string& text, const std::string& name);

// The column of that name, or else of that number, from 1. InvalidArgument names those there are.
absl::StatusOr<size_t> FindColumn(const CsvTable& table, const std::string& column);

}  // namespace skein

#endif  // SKEIN_DATA_CSV_H_
