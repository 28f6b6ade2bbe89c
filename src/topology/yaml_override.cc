#include "topology/yaml_override.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

using NodePtr = std::shared_ptr<const YamlNode>;

constexpr size_t kMaxPathParts = YamlDocument::kMaxHeight;

std::optional<size_t> AsIndex(const std::string& part) {
  size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return index;
}

// The same nodes with positions in the override instead.
NodePtr Relocate(const YamlNode& node, YamlMark mark) {
  auto copy = std::make_shared<YamlNode>(node);
  copy->mark = mark;
  for (YamlNode::Entry& entry : copy->entries) {
    entry.key_mark = mark;
    entry.value = Relocate(*entry.value, mark);
  }
  return copy;
}

void Measure(YamlNode& node) {
  node.height = 1;
  node.size = 1;
  for (const YamlNode::Entry& entry : node.entries) {
    node.height = std::max(node.height, entry.value->height + 1);
    node.size += entry.value->size;
  }
}

// One override on its way down; copies the nodes along the path, as others may share them.
class Setter {
 public:
  Setter(std::vector<std::string> parts, std::string source, YamlMark mark, NodePtr value,
         const WordKey& word_key)
      : parts_(std::move(parts)),
        source_(std::move(source)),
        mark_(mark),
        value_(std::move(value)),
        word_key_(word_key) {}

  // `old` is what stands at the first `depth` parts of the path; may be null.
  absl::StatusOr<NodePtr> Apply(const YamlNode* old, size_t depth, const std::string& path) {
    if (depth == parts_.size()) return value_;
    const std::string& part = parts_[depth];
    if (old != nullptr && old->kind == YamlNode::Kind::kNull) old = nullptr;
    auto node = std::make_shared<YamlNode>();
    if (old == nullptr) {
      node->kind = AsIndex(part) ? YamlNode::Kind::kList : YamlNode::Kind::kMap;
      node->mark = mark_;
    } else if (old->kind == YamlNode::Kind::kScalar) {
      const std::string key = word_key_(path);
      if (key.empty()) {
        return Error(QuoteName(path) + " is " + Describe(*old) + " and has nothing below it");
      }
      node->kind = YamlNode::Kind::kMap;
      node->mark = old->mark;
      node->entries.push_back({key, old->mark, std::make_shared<YamlNode>(*old)});
    } else {
      *node = *old;
    }
    SKEIN_ASSIGN_OR_RETURN(YamlNode::Entry * entry, Slot(*node, part, path));
    SKEIN_ASSIGN_OR_RETURN(entry->value, Apply(entry->value.get(), depth + 1,
                                               path.empty() ? part : path + "." + part));
    Measure(*node);
    return NodePtr(std::move(node));
  }

 private:
  absl::Status Error(const std::string& message) const {
    return absl::InvalidArgumentError(source_ + ": " + message);
  }

  // The entry of `node` that `part` names; made if the map or the end of the list can take it.
  absl::StatusOr<YamlNode::Entry*> Slot(YamlNode& node, const std::string& part,
                                        const std::string& path) {
    if (node.kind == YamlNode::Kind::kMap) {
      for (YamlNode::Entry& entry : node.entries) {
        if (entry.key == part) return &entry;
      }
      node.entries.push_back({part, mark_, nullptr});
      return &node.entries.back();
    }
    const std::optional<size_t> index = AsIndex(part);
    if (!index || *index > node.entries.size()) {
      return Error(QuoteName(path) + " is a list of " + std::to_string(node.entries.size()) + ": " +
                   QuoteName(part) + " is no index from 0 to " +
                   std::to_string(node.entries.size()));
    }
    if (*index == node.entries.size()) node.entries.push_back({"", mark_, nullptr});
    return &node.entries[*index];
  }

  const std::vector<std::string> parts_;
  const std::string source_;
  const YamlMark mark_;
  const NodePtr value_;
  const WordKey& word_key_;
};

}  // namespace

std::vector<std::string> PathParts(const std::string& path) {
  std::vector<std::string> parts(1);
  for (const char c : path) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

absl::StatusOr<YamlDocument> Override(const YamlDocument& document, const std::string& path,
                                      const std::string& value, const WordKey& word_key) {
  const std::string text = QuoteName(path + "=" + value);
  const std::string source = "--set " + text.substr(1, text.size() - 2);
  std::vector<std::string> parts = PathParts(path);
  if (std::find(parts.begin(), parts.end(), "") != parts.end()) {
    return absl::InvalidArgumentError(source +
                                      ": write a path of words with dots between, as in "
                                      "strategy.policy.deadline_s=3");
  }
  if (parts.size() > kMaxPathParts) {
    return absl::InvalidArgumentError(source + ": the path has too many parts");
  }
  SKEIN_ASSIGN_OR_RETURN(const YamlDocument parsed, YamlDocument::Parse(value, source));
  const YamlMark mark{1, 1, document.num_sources()};
  Setter setter(std::move(parts), source, mark, Relocate(parsed.root(), mark), word_key);
  SKEIN_ASSIGN_OR_RETURN(NodePtr root, setter.Apply(&document.root(), 0, ""));
  if (root->height > YamlDocument::kMaxHeight || root->size > YamlDocument::kMaxSize) {
    return absl::InvalidArgumentError(source + ": the result is nested too deep or too large");
  }
  return document.WithRoot(std::move(root), source);
}

}  // namespace skein
