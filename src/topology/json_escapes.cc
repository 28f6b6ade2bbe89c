#include "topology/json_escapes.h"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>

namespace skein {
namespace {

constexpr size_t kEscapeBytes = 6;  // \ud83d

// The 16 bits of the escape "\uXXXX" that stands at `at`, if one does.
std::optional<uint32_t> EscapeAt(const std::string& text, size_t at) {
  if (at + kEscapeBytes > text.size() || text[at] != '\\' || text[at + 1] != 'u') {
    return std::nullopt;
  }
  uint32_t value = 0;
  const char* const end = text.data() + at + kEscapeBytes;
  const auto parsed = std::from_chars(text.data() + at + 2, end, value, 16);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return value;
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

}  // namespace

JoinedSurrogates JoinSurrogates(const std::string& text) {
  JoinedSurrogates joined;
  joined.text.reserve(text.size());
  JoinedSurrogates::Place here{1, 1};
  for (size_t at = 0; at < text.size();) {
    const auto high = EscapeAt(text, at);
    const auto low = high ? EscapeAt(text, at + kEscapeBytes) : std::nullopt;
    if (low && *high >= 0xd800 && *high < 0xdc00 && *low >= 0xdc00 && *low < 0xe000) {
      char escape[16];
      std::snprintf(escape, sizeof(escape), "\\U%08X",
                    0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00));
      joined.places.push_back(here);
      joined.text += escape;
      here.column += 2 * static_cast<int>(kEscapeBytes) - kShorterByJoining;
      at += 2 * kEscapeBytes;
      continue;
    }
    // What follows a backslash is escaped, a further backslash too.
    const size_t length = text[at] == '\\' && at + 1 < text.size() ? 2 : 1;
    for (size_t end = at + length; at < end; ++at) {
      joined.text += text[at];
      if (text[at] == '\n') {
        here = {here.line + 1, 1};
      } else if (!IsContinuation(text[at])) {
        ++here.column;
      }
    }
  }
  return joined;
}

}  // namespace skein
