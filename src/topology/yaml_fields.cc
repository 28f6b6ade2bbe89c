#include "topology/yaml_fields.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "skein/base/names.h"
#include "skein/base/status.h"

namespace skein {
namespace {

absl::Status Expected(const YamlDocument& document, const YamlNode& node, const std::string& what,
                      const std::string& type) {
  return document.Error(node.mark, what + ": expected " + type + ", got " + Describe(node));
}

std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

}  // namespace

absl::Status CheckMap(const YamlDocument& document, const YamlNode& node, const std::string& what,
                      const std::vector<std::string>& known) {
  const std::string prefix = what.empty() ? "" : what + ": ";
  if (node.kind != YamlNode::Kind::kMap) {
    return document.Error(node.mark, prefix + "expected a map with keys like '" + known.front() +
                                         "', got " + Describe(node));
  }
  for (const YamlNode::Entry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    return document.Error(entry.key_mark, prefix + "unknown key " + QuoteName(entry.key) +
                                              Suggestion(entry.key, known));
  }
  return absl::OkStatus();
}

YamlMark MarkOf(const YamlNode::Entry& entry) {
  return entry.value->mark.source > 0 ? entry.value->mark : entry.key_mark;
}

absl::Status AtMentioned(const YamlDocument& document, const YamlNode& node,
                         const std::string& message) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<uint8_t>(c)) || c == '_'; };
  const auto mentioned = [&](const std::string& word) {  // where first; npos: nowhere
    for (size_t at = message.find(word); at != message.npos; at = message.find(word, at + 1)) {
      const size_t end = at + word.size();
      const bool begins = at == 0 || !is_word(message[at - 1]);
      if (begins && (end == message.size() || !is_word(message[end]))) return at;
    }
    return message.npos;
  };
  YamlMark mark = node.mark;
  for (const YamlNode* at = &node; at != nullptr;) {
    const YamlNode* next = nullptr;
    size_t first = message.npos;  // what is mentioned later may be a suggestion
    for (size_t i = 0; i < at->entries.size(); ++i) {
      const YamlNode::Entry& entry = at->entries[i];
      const bool list = at->kind == YamlNode::Kind::kList;
      const size_t where = list                ? message.find('[' + std::to_string(i) + ']')
                           : entry.key.empty() ? message.npos
                                               : mentioned(entry.key);
      if (where >= first) continue;
      first = where;
      next = entry.value.get();
      mark = list ? next->mark : MarkOf(entry);
    }
    at = next;
  }
  return document.Error(mark, message);
}

const YamlNode* FindValue(const YamlNode& map, const std::string& key) {
  const YamlNode* node = map.Find(key);
  return node == nullptr || node->kind == YamlNode::Kind::kNull ? nullptr : node;
}

absl::StatusOr<std::string> ReadString(const YamlDocument& document, const YamlNode& node,
                                       const std::string& what) {
  if (node.kind != YamlNode::Kind::kScalar) return Expected(document, node, what, "a word");
  return node.text;
}

absl::StatusOr<int64_t> ReadInt(const YamlDocument& document, const YamlNode& node,
                                const std::string& what, int64_t min, int64_t max) {
  const std::string type = "an integer from " + std::to_string(min) + " to " + std::to_string(max);
  SKEIN_ASSIGN_OR_RETURN(const Value value, ToValue(document, node));
  int64_t number = 0;
  if (const int64_t* integer = value.AsInt()) {
    number = *integer;
  } else if (const double* real = value.AsDouble();
             real != nullptr && std::trunc(*real) == *real && std::abs(*real) <= 0x1p53) {
    number = static_cast<int64_t>(*real);
  } else {
    return Expected(document, node, what, type);
  }
  if (number < min || number > max) return Expected(document, node, what, type);
  return number;
}

absl::StatusOr<uint64_t> ReadUint64(const YamlDocument& document, const YamlNode& node,
                                    const std::string& what) {
  uint64_t number = 0;
  const char* begin = node.text.data();
  const auto [end, error] = std::from_chars(begin, begin + node.text.size(), number);
  if (node.kind != YamlNode::Kind::kScalar || !node.plain || node.text.empty() ||
      error != std::errc() || end != begin + node.text.size()) {
    return Expected(document, node, what, "an integer from 0 to 18446744073709551615");
  }
  return number;
}

absl::StatusOr<double> ReadReal(const YamlDocument& document, const YamlNode& node,
                                const std::string& what, double min, double max) {
  SKEIN_ASSIGN_OR_RETURN(const Value value, ToValue(document, node));
  double number = std::nan("");
  if (const int64_t* integer = value.AsInt()) number = static_cast<double>(*integer);
  if (const double* real = value.AsDouble()) number = *real;
  if (!(number >= min && number <= max)) {
    return Expected(document, node, what, "a number from " + Short(min) + " to " + Short(max));
  }
  return number;
}

absl::StatusOr<ValueMap> ReadValueMap(const YamlDocument& document, const YamlNode& node,
                                      const std::string& what) {
  if (node.kind != YamlNode::Kind::kMap) return Expected(document, node, what, "a map");
  ValueMap map;
  for (const YamlNode::Entry& entry : node.entries) {
    SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(document, *entry.value));
    map.emplace(entry.key, std::move(value));
  }
  return map;
}

}  // namespace skein
