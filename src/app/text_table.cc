#include "app/text_table.h"

#include <algorithm>

namespace skein {
namespace {

// Characters, roughly: those of UTF-8 that begin one.
size_t WidthOf(const std::string& cell) {
  return static_cast<size_t>(
      std::ranges::count_if(cell, [](char c) { return (c & 0xc0) != 0x80; }));
}

}  // namespace

std::string TextTable(const std::vector<TextColumn>& columns) {
  std::vector<std::string> lines(columns.empty() ? 0 : columns.front().cells.size());
  for (const TextColumn& column : columns) {
    size_t width = 0;
    for (const std::string& cell : column.cells) width = std::max(width, WidthOf(cell));
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string& cell = column.cells[i];
      const std::string fill(width - WidthOf(cell), ' ');
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
