#include "topology/yaml_builder.h"

#include <algorithm>
#include <utility>

#include "skein/base/names.h"

namespace skein {
namespace {

YamlMark ToMark(const YAML::Mark& mark) { return {mark.line + 1, mark.column + 1, 0}; }

void RefuseTag(const std::string& tag, YamlMark mark) {
  throw YamlFailure(mark, "the tag " + QuoteName(tag) + " is not supported: leave it out");
}

void CheckCollectionTag(const std::string& tag, const char* allowed, YamlMark mark) {
  if (!tag.empty() && tag != "?" && tag != "!" && tag != allowed) RefuseTag(tag, mark);
}

// Refuses a key that occurs twice; sorted, as a map may have very many.
void CheckKeysUnique(const YamlNode& map) {
  std::vector<const YamlNode::Entry*> sorted;
  sorted.reserve(map.entries.size());
  for (const YamlNode::Entry& entry : map.entries) sorted.push_back(&entry);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) { return a->key < b->key; });
  const auto twice = std::adjacent_find(
      sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->key == b->key; });
  if (twice == sorted.end()) return;
  const YamlNode::Entry& first = **twice;
  throw YamlFailure((*std::next(twice))->key_mark,
                    "the key " + QuoteName(first.key) +
                        " stands here a second time (first in line " +
                        std::to_string(first.key_mark.line) + "): remove one");
}

}  // namespace

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlMark place = ToMark(mark);
  if (!open_.empty() && open_.back().node->kind == YamlNode::Kind::kMap && !open_.back().has_key) {
    throw YamlFailure(place, "a key is missing or null: write a word before the colon");
  }
  Count(1, place);
  auto node = std::make_shared<YamlNode>();
  node->mark = place;
  Add(std::move(node), anchor, place);
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const YamlMark place = ToMark(mark);
  const bool plain = tag.empty() || tag == "?";
  if (!plain && tag != "!" && tag != "tag:yaml.org,2002:str") RefuseTag(tag, place);
  if (!plain) last_quoted_ = place;
  Count(1, place);
  auto node = std::make_shared<YamlNode>();
  node->kind = YamlNode::Kind::kScalar;
  node->plain = plain;
  node->mark = place;
  node->text = value;
  Add(std::move(node), anchor, place);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlMark place = ToMark(mark);
  if (anchor >= anchors_.size() || anchors_[anchor] == nullptr) {
    throw YamlFailure(place, "an alias refers to something that contains it: write it out");
  }
  const std::shared_ptr<const YamlNode>& target = anchors_[anchor];
  aliased_ += target->size;
  if (aliased_ > YamlDocument::kMaxAliased) {
    throw YamlFailure(place, "aliases expand to more than " +
                                 std::to_string(YamlDocument::kMaxAliased) + " values");
  }
  Add(target, 0, place);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
  CheckCollectionTag(tag, "tag:yaml.org,2002:seq", ToMark(mark));
  Open(YamlNode::Kind::kList, mark, anchor);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
  CheckCollectionTag(tag, "tag:yaml.org,2002:map", ToMark(mark));
  Open(YamlNode::Kind::kMap, mark, anchor);
}

void YamlBuilder::OnMapEnd() {
  CheckKeysUnique(*open_.back().node);
  Close();
}

void YamlBuilder::Open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
  const YamlMark place = ToMark(mark);
  Count(1, place);
  if (open_.size() >= YamlDocument::kMaxHeight) {
    throw YamlFailure(place, "lists and maps are nested deeper than " +
                                 std::to_string(YamlDocument::kMaxHeight) + " levels");
  }
  auto node = std::make_shared<YamlNode>();
  node->kind = kind;
  node->height = 1;
  node->mark = place;
  if (anchor >= anchors_.size()) anchors_.resize(anchor + 1);
  anchors_[anchor] = nullptr;
  open_.push_back({std::move(node), anchor, false, {}, {}});
}

void YamlBuilder::Close() {
  Frame frame = std::move(open_.back());
  open_.pop_back();
  const YamlMark place = frame.node->mark;
  Add(std::move(frame.node), frame.anchor, place);
}

void YamlBuilder::Add(std::shared_ptr<const YamlNode> node, YAML::anchor_t anchor, YamlMark place) {
  if (anchor != 0) {
    if (anchor >= anchors_.size()) anchors_.resize(anchor + 1);
    anchors_[anchor] = node;
  }
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = open_.back();
  YamlNode& parent = *frame.node;
  if (parent.kind == YamlNode::Kind::kMap && !frame.has_key) {
    if (node->kind != YamlNode::Kind::kScalar) {
      throw YamlFailure(place, "a key must be a word, not a list or map");
    }
    frame.has_key = true;
    frame.key = node->text;
    frame.key_mark = place;
    return;
  }
  if (open_.size() + node->height > YamlDocument::kMaxHeight) {
    throw YamlFailure(place, "aliases nest lists and maps deeper than " +
                                 std::to_string(YamlDocument::kMaxHeight) + " levels");
  }
  parent.height = std::max(parent.height, node->height + 1);
  parent.size += node->size;
  parent.entries.push_back({std::move(frame.key), frame.key_mark, std::move(node)});
  frame.key.clear();
  frame.key_mark = {};
  frame.has_key = false;
}

void YamlBuilder::Count(uint64_t nodes, YamlMark place) {
  size_ += nodes;
  if (size_ > YamlDocument::kMaxSize) {
    throw YamlFailure(
        place, "the document has more than " + std::to_string(YamlDocument::kMaxSize) + " values");
  }
}

}  // namespace skein
