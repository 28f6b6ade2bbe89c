#include "topology/yaml_reader.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/one_line.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "topology/yaml_builder.h"

namespace skein {
namespace {

YamlMark MarkAt(const std::string& text, size_t offset) {
  const std::string_view before = std::string_view(text).substr(0, offset);
  const size_t line_start = before.rfind('\n') == before.npos ? 0 : before.rfind('\n') + 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1, 0};
}

// yaml-cpp takes byte 4 for the end of the input and guesses at UTF-16 from zero bytes: nothing of
// that may reach it.
absl::Status CheckCharacters(const std::string& text, const YamlDocument& document) {
  const size_t valid = Utf8PrefixLength(text);
  if (valid < text.size()) {
    return document.Error(MarkAt(text, valid), "this is not UTF-8 text");
  }
  const auto bad = std::find_if(text.begin(), text.end(), [](char c) {
    return static_cast<uint8_t>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
  if (bad != text.end()) {
    return document.Error(MarkAt(text, bad - text.begin()),
                          "the control character " + QuoteName(std::string_view(&*bad, 1)) +
                              " cannot stand in YAML: remove it");
  }
  return absl::OkStatus();
}

// Whether the scalar that begins at `mark` opens a quote that nothing closes. yaml-cpp takes such a
// one for ended where the file ends.
bool IsUnclosed(const std::string& text, YamlMark mark) {
  size_t at = 0;
  for (int line = 1; line < mark.line && at != text.npos; ++line) at = text.find('\n', at) + 1;
  at += static_cast<size_t>(mark.column - 1);
  while (at < text.size() && (text[at] == '&' || text[at] == '!')) {  // an anchor, a tag
    at = text.find_first_not_of(" \t\r\n", text.find_first_of(" \t\r\n", at));
  }
  if (at >= text.size() || (text[at] != '"' && text[at] != '\'')) return false;
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return false;
      ++at;  // a doubled single quote stands for one
    }
  }
  return true;
}

}  // namespace

const YamlNode* YamlNode::Find(const std::string& key) const {
  if (kind != Kind::kMap) return nullptr;
  for (const Entry& entry : entries) {
    if (entry.key == key) return entry.value.get();
  }
  return nullptr;
}

absl::StatusOr<YamlDocument> YamlDocument::Parse(const std::string& text, const std::string& name) {
  YamlDocument document;
  document.sources_.push_back(name);
  absl::Status status = document.Load(text);
  if (status.ok()) return document;
  JoinedSurrogates joined = JoinSurrogates(text);  // which the parser refuses
  if (joined.places.empty()) return status;
  document.joined_ = std::move(joined.places);
  SKEIN_RETURN_IF_ERROR(document.Load(joined.text));
  return document;
}

absl::Status YamlDocument::Load(const std::string& text) {
  const std::string& name = sources_[0];
  if (text.size() > kMaxBytes) {
    return absl::InvalidArgumentError(name + ": larger than " + std::to_string(kMaxBytes >> 20) +
                                      " MiB");
  }
  SKEIN_RETURN_IF_ERROR(CheckCharacters(text, *this));
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    YamlBuilder builder;
    if (parser.HandleNextDocument(builder)) root_ = builder.TakeRoot();
    if (builder.last_quoted().line > 0 && IsUnclosed(text, builder.last_quoted())) {
      return Error(builder.last_quoted(), "malformed YAML: this quote is never closed");
    }
    YamlBuilder rest;
    if (parser.HandleNextDocument(rest)) {
      const auto second = rest.TakeRoot();
      return Error(second ? second->mark : YamlMark{1, 1, 0},
                   "a second YAML document begins here: keep one in a file");
    }
  } catch (const YamlFailure& failure) {
    return Error(failure.mark, failure.message);
  } catch (const YAML::Exception& error) {
    const std::string message = "malformed YAML: " + OneLine(error.msg);
    if (error.mark.is_null()) return absl::InvalidArgumentError(name + ": " + message);
    return Error({error.mark.line + 1, error.mark.column + 1, 0}, message);
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(name + ": malformed YAML: " + OneLine(error.what()));
  }
  if (root_ == nullptr) {
    auto empty = std::make_shared<YamlNode>();
    empty->mark = {1, 1, 0};
    root_ = std::move(empty);
  }
  return absl::OkStatus();
}

absl::StatusOr<YamlDocument> YamlDocument::Read(const std::string& path) {
  SKEIN_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  return Parse(text, path);
}

std::string YamlDocument::Where(const YamlMark& mark) const {
  const std::string& source = sources_[mark.source];
  if (mark.source > 0) return source;
  int column = mark.column;
  for (const JoinedSurrogates::Place& place : joined_) {
    if (place.line == mark.line && place.column < mark.column) column += kShorterByJoining;
  }
  return source + ":" + std::to_string(mark.line) + ":" + std::to_string(column);
}

absl::Status YamlDocument::Error(const YamlMark& mark, const std::string& message) const {
  return absl::InvalidArgumentError(Where(mark) + ": " + OneLine(message));
}

YamlDocument YamlDocument::WithRoot(std::shared_ptr<const YamlNode> root,
                                    const std::string& source) const {
  YamlDocument document = *this;
  document.root_ = std::move(root);
  document.sources_.push_back(source);
  return document;
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return absl::NotFoundError(path + ": no such file");
  if (std::filesystem::is_directory(status)) {
    return absl::InvalidArgumentError(path + ": is a directory, not a file");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::PermissionDeniedError(path + ": cannot be opened for reading");
  std::string text;
  char block[1 << 16];
  while (file.read(block, sizeof(block)) || file.gcount() > 0) {
    text.append(block, static_cast<size_t>(file.gcount()));
    if (text.size() > max_bytes) {
      return absl::InvalidArgumentError(path + ": larger than " + std::to_string(max_bytes >> 20) +
                                        " MiB");
    }
  }
  if (file.bad()) return absl::UnavailableError(path + ": cannot be read");
  return text;
}

absl::StatusOr<Value> ToValue(const YamlDocument& document, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return Value();
    case YamlNode::Kind::kScalar: {
      if (!node.plain) return Value(node.text);
      auto value = PlainScalarValue(node.text);
      if (!value.ok()) return document.Error(node.mark, Message(value.status()));
      return value;
    }
    case YamlNode::Kind::kList: {
      ValueList list;
      for (const YamlNode::Entry& entry : node.entries) {
        SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(document, *entry.value));
        list.push_back(std::move(value));
      }
      return Value(std::move(list));
    }
    case YamlNode::Kind::kMap: {
      ValueMap map;
      for (const YamlNode::Entry& entry : node.entries) {
        SKEIN_ASSIGN_OR_RETURN(Value value, ToValue(document, *entry.value));
        map.emplace(entry.key, std::move(value));
      }
      return Value(std::move(map));
    }
  }
  return Value();
}

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return QuoteName(node.text);
    case YamlNode::Kind::kList:
      return "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

}  // namespace skein
