#ifndef SKEIN_SRC_TOPOLOGY_YAML_BUILDER_H_
#define SKEIN_SRC_TOPOLOGY_YAML_BUILDER_H_

#include <exception>
#include <memory>
#include <string>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include "topology/yaml_reader.h"

namespace skein {

// Thrown out of the parser's callbacks to end it early; never leaves this module.
struct YamlFailure : std::exception {
  YamlFailure(YamlMark where, std::string what) : mark(where), message(std::move(what)) {}
  YamlMark mark;
  std::string message;
};

// Makes YamlNodes of yaml-cpp's events and stops at the bounds of YamlDocument, so that neither
// depth, size nor aliases of a document can exhaust memory or the stack.
class YamlBuilder : public YAML::EventHandler {
 public:
  std::shared_ptr<const YamlNode> TakeRoot() { return std::move(root_); }
  // Where the last scalar with quotes begins, or line 0.
  YamlMark last_quoted() const { return last_quoted_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override;

 private:
  struct Frame {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    std::string key;
    YamlMark key_mark;
  };

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor);
  void Close();
  void Add(std::shared_ptr<const YamlNode> node, YAML::anchor_t anchor, YamlMark place);
  void Count(uint64_t nodes, YamlMark place);

  std::vector<Frame> open_;
  std::vector<std::shared_ptr<const YamlNode>> anchors_;  // by number; null while open
  std::shared_ptr<const YamlNode> root_;
  YamlMark last_quoted_;
  uint64_t size_ = 0;
  uint64_t aliased_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_YAML_BUILDER_H_
