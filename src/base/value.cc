#include "skein/base/value.h"

#include <charconv>
#include <cmath>
#include <cstdio>

namespace skein {
namespace {

void Append(const Value& value, std::string& out);

struct JsonWriter {
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool v) const { out += v ? "true" : "false"; }
  void operator()(int64_t v) const { out += std::to_string(v); }
  void operator()(double v) const {
    if (!std::isfinite(v)) {
      out += "null";
      return;
    }
    char buffer[32];
    const auto end = std::to_chars(buffer, buffer + sizeof(buffer), v).ptr;
    out.append(buffer, end);
  }
  void operator()(const std::string& v) const { out += JsonQuote(v); }
  void operator()(const ValueList& v) const {
    out += '[';
    const char* separator = "";
    for (const Value& item : v) {
      out += separator;
      Append(item, out);
      separator = ",";
    }
    out += ']';
  }
  void operator()(const ValueMap& v) const {
    out += '{';
    const char* separator = "";
    for (const auto& [key, item] : v) {
      out += separator + JsonQuote(key) + ':';
      Append(item, out);
      separator = ",";
    }
    out += '}';
  }
};

void Append(const Value& value, std::string& out) { std::visit(JsonWriter{out}, value.data); }

}  // namespace

std::string ToJson(const Value& value) {
  std::string out;
  Append(value, out);
  return out;
}

std::string JsonQuote(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escape[8];
          std::snprintf(escape, sizeof(escape), "\\u%04x", static_cast<unsigned>(c));
          out += escape;
        } else {
          out += c;
        }
    }
  }
  return out + '"';
}

}  // namespace skein
