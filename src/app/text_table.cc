#include "app/text_table.h"

#include <algorithm>

namespace skein {

std::string TextTable(const std::vector<TextColumn>& columns) {
  std::vector<std::string> lines(columns.empty() ? 0 : columns.front().cells.size());
  for (const TextColumn& column : columns) {
    size_t width = 0;
    for (const std::string& cell : column.cells) width = std::max(width, cell.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& cell = column.cells[i];
      const std::string fill(width - cell.size(), ' ');
      lines[i] += (&column == &columns.front() ? "" : "  ");
      lines[i] += column.right ? fill + cell : cell + fill;
    }
  }
  std::string table;
  for (const std::string& line : lines) {
    table += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return table;
}

}  // namespace skein
