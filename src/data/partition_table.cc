// LabelHistogram, the partition as a table for people.

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "skein/data/partition.h"

namespace skein {
namespace {

// More labels than fit a screen are counted together in a last column.
constexpr size_t kMaxColumns = 20;

using Row = std::vector<std::string>;

// Columns aligned to the right, but for the first; no space at the end of a line.
std::string Layout(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  }
  std::string out;
  for (const Row& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string pad(widths[c] - row[c].size(), ' ');
      out += c == 0 ? row[c] + pad : "  " + pad + row[c];
    }
    out += '\n';
  }
  return out;
}

}  // namespace

std::string LabelHistogram(const Partition& partition, const std::vector<int64_t>& labels,
                           size_t max_rows) {
  std::map<int64_t, size_t> columns;
  for (const int64_t label : labels) columns.emplace(label, 0);
  const bool folded = columns.size() > kMaxColumns;
  const size_t num_columns = std::min(columns.size(), kMaxColumns);
  size_t next_column = 0;
  Row header = {"worker", "samples"};
  for (auto& [label, column] : columns) {
    column = std::min(next_column++, kMaxColumns - 1);
    const bool last_folded = folded && column == kMaxColumns - 1;
    if (!last_folded) header.push_back(std::to_string(label));
  }
  if (folded) header.push_back("other");

  const auto row_of = [](std::string name, size_t samples, const std::vector<size_t>& counts) {
    Row row = {std::move(name), std::to_string(samples)};
    for (const size_t count : counts) row.push_back(count == 0 ? "." : std::to_string(count));
    return row;
  };
  std::vector<Row> rows = {std::move(header)};
  std::vector<size_t> total(num_columns);
  size_t total_samples = 0;
  size_t smallest = std::numeric_limits<size_t>::max();
  size_t largest = 0;
  for (size_t w = 0; w < partition.size(); ++w) {
    std::vector<size_t> counts(num_columns);
    for (const uint32_t index : partition[w]) {
      if (index < labels.size()) ++counts[columns.at(labels[index])];
    }
    const size_t samples = partition[w].size();
    total_samples += samples;
    for (size_t c = 0; c < num_columns; ++c) total[c] += counts[c];
    if (w < max_rows) {
      rows.push_back(row_of("w" + std::to_string(w), samples, counts));
    } else {
      smallest = std::min(smallest, samples);
      largest = std::max(largest, samples);
    }
  }
  rows.push_back(row_of("all", total_samples, total));
  std::string out = Layout(rows);
  if (partition.size() > max_rows) {
    out += "(and " + std::to_string(partition.size() - max_rows) + " more workers with " +
           std::to_string(smallest) + " to " + std::to_string(largest) + " samples each)\n";
  }
  return out;
}

}  // namespace skein
