#ifndef SKEIN_SRC_TOPOLOGY_YAML_READER_H_
#define SKEIN_SRC_TOPOLOGY_YAML_READER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/value.h"
#include "topology/json_escapes.h"

namespace skein {

// Where a node of a document stands. Lines and columns count from 1.
struct YamlMark {
  int line = 0;
  int column = 0;
  int source = 0;  // 0: the document's text; above: the n-th override
};

// YAML as written, with positions; immutable. Nodes may be shared (aliases).
struct YamlNode {
  enum class Kind : uint8_t { kNull, kScalar, kList, kMap };
  struct Entry {
    std::string key;  // empty in lists
    YamlMark key_mark;
    std::shared_ptr<const YamlNode> value;
  };
  Kind kind = Kind::kNull;
  bool plain = true;    // a scalar without quotes, whose type is read off its text
  uint32_t height = 0;  // levels of lists and maps from here down
  uint64_t size = 1;    // nodes from here down, shared ones counted as often as they occur
  YamlMark mark;
  std::string text;            // of a scalar
  std::vector<Entry> entries;  // of a list or map, in the order of the file

  const YamlNode* Find(const std::string& key) const;  // in a map; null if absent
};

// One YAML document (1.2, core schema; so JSON too), with the bounds that hostile input asks for. A
// value type.
class YamlDocument {
 public:
  static constexpr size_t kMaxBytes = size_t{64} << 20;
  static constexpr uint32_t kMaxHeight = 24;
  static constexpr uint64_t kMaxSize = 10'000'000;    // nodes
  static constexpr uint64_t kMaxAliased = 1'000'000;  // nodes that aliases may add

  // InvalidArgument "name:line:column: ...", in one line.
  static absl::StatusOr<YamlDocument> Parse(const std::string& input, const std::string& name);
  // The same for a file; NotFound if there is none.
  static absl::StatusOr<YamlDocument> Read(const std::string& path);

  const YamlNode& root() const { return *root_; }

  // "spec.yaml:3:5", or the override as the user wrote it.
  std::string Where(const YamlMark& mark) const;
  absl::Status Error(const YamlMark& mark, const std::string& message) const;

  // This document with the root replaced, and `source` known to marks as the next source.
  YamlDocument WithRoot(std::shared_ptr<const YamlNode> root, const std::string& source) const;
  const std::shared_ptr<const YamlNode>& shared_root() const { return root_; }
  int num_sources() const { return static_cast<int>(sources_.size()); }

 private:
  absl::Status Load(const std::string& text);

  std::shared_ptr<const YamlNode> root_;
  std::vector<std::string> sources_;
  std::vector<JoinedSurrogates::Place> joined_;  // of the text that was parsed in the end
};

// The file's content. NotFound, or InvalidArgument if it is a directory or larger than `max_bytes`.
absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes);

// What a plain scalar means in the core schema: null, bool, int64, double or string.
// InvalidArgument for a number that does not fit.
absl::StatusOr<Value> PlainScalarValue(const std::string& text);

// A node as plain data.
absl::StatusOr<Value> ToValue(const YamlDocument& document, const YamlNode& node);

// "a list", "a map", "nothing", "'abc'": what was found where something else is due.
std::string Describe(const YamlNode& node);

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_YAML_READER_H_
