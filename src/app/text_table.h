#ifndef SKEIN_SRC_APP_TEXT_TABLE_H_
#define SKEIN_SRC_APP_TEXT_TABLE_H_

#include <string>
#include <vector>

namespace skein {

struct TextColumn {
  bool right = false;              // aligned
  std::vector<std::string> cells;  // the title first; as many in each column
};

// A line for each cell of a column, two blanks between columns, none at the end of a line.
std::string TextTable(const std::vector<TextColumn>& columns);

}  // namespace skein

#endif  // SKEIN_SRC_APP_TEXT_TABLE_H_
