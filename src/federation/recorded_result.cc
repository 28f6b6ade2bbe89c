#include "federation/recorded_result.h"

#include "topology/yaml_reader.h"

namespace skein {
namespace {

std::string Text(const ValueMap& map, const std::string& key) {
  const auto it = map.find(key);
  const std::string* text = it == map.end() ? nullptr : it->second.AsString();
  return text == nullptr ? "" : *text;
}

}  // namespace

std::optional<RecordedResult> ReadResult(const std::string& directory) {
  const auto document = YamlDocument::Read(directory + "/result.json");  // JSON is YAML
  if (!document.ok()) return std::nullopt;
  const auto value = ToValue(*document, document->root());
  const ValueMap* map = value.ok() ? value->AsMap() : nullptr;
  if (map == nullptr) return std::nullopt;
  RecordedResult result{Text(*map, "status"), Text(*map, "reason"), 0, Text(*map, "model_digest")};
  if (result.status.empty()) return std::nullopt;
  const auto rounds = map->find("rounds");
  const int64_t* count = rounds == map->end() ? nullptr : rounds->second.AsInt();
  if (count != nullptr && *count > 0) result.rounds = static_cast<uint64_t>(*count);
  return result;
}

}  // namespace skein
