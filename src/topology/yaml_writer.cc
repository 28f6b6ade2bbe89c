#include "topology/yaml_writer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "topology/yaml_reader.h"

namespace skein {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Can stand without quotes, also for readers of YAML 1.1, who take "yes" and "off" for booleans.
bool IsWord(const std::string& text) {
  if (text.empty() || text.size() > 200 || !(IsLetter(text[0]) || text[0] == '/')) return false;
  for (const char c : text) {
    const bool inner = (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/' || c == '+';
    if (!IsLetter(c) && !inner) return false;
  }
  if (text.size() <= 5) {
    std::string lower = text;
    for (char& c : lower) c = IsLetter(c) ? static_cast<char>(c | 0x20) : c;
    for (const char* reserved : {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}) {
      if (lower == reserved) return false;
    }
  }
  return true;
}

std::string StringToYaml(const std::string& text) { return IsWord(text) ? text : JsonQuote(text); }

std::string RealToYaml(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == text.npos) text += ".0";
  return text;
}

void Append(const Value& value, std::string& out);

struct FlowWriter {
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(int64_t v) const { out += std::to_string(v); }
  void operator()(double v) const { out += RealToYaml(v); }
  void operator()(const std::string& v) const { out += StringToYaml(v); }
  void operator()(const ValueList& v) const {
    out += '[';
    const char* separator = "";
    for (const Value& item : v) {
      out += separator;
      Append(item, out);
      separator = ", ";
    }
    out += ']';
  }
  void operator()(const ValueMap& v) const {
    out += '{';
    const char* separator = "";
    for (const auto& [key, item] : v) {
      out += separator + StringToYaml(key) + ": ";
      Append(item, out);
      separator = ", ";
    }
    out += '}';
  }
};

void Append(const Value& value, std::string& out) { std::visit(FlowWriter{out}, value.data); }

}  // namespace

std::string ToFlowYaml(const Value& value) {
  std::string out;
  Append(value, out);
  return out;
}

}  // namespace skein
