#include "skein/base/names.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <numeric>

namespace skein {
namespace {

constexpr size_t kMaxQuoted = 80;
constexpr size_t kMaxListed = 12;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Optimal string alignment distance, case ignored.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Lower(a[i - 1]) == Lower(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && Lower(a[i - 1]) == Lower(b[j - 2]) &&
          Lower(a[i - 2]) == Lower(b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xc0) == 0x80; }

// Bytes of the UTF-8 sequence at the start of `text`; 0 if it is malformed.
size_t Utf8Length(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xc2 && lead <= 0xdf   ? 2
                        : lead >= 0xe0 && lead <= 0xef ? 3
                        : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                       : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return 0;
  }
  const auto second = static_cast<uint8_t>(text[1]);
  const bool overlong = (lead == 0xe0 && second < 0xa0) || (lead == 0xf0 && second < 0x90);
  const bool surrogate = lead == 0xed && second >= 0xa0;
  const bool beyond = lead == 0xf4 && second >= 0x90;
  return overlong || surrogate || beyond ? 0 : length;
}

}  // namespace

std::optional<std::string> NearestName(const std::string& word,
                                       const std::vector<std::string>& candidates) {
  if (word.empty()) return std::nullopt;
  const size_t limit = std::clamp<size_t>(word.size() / 3, 1, 3);
  std::optional<std::string> nearest;
  size_t best = limit + 1;
  for (const std::string& candidate : candidates) {
    const size_t longer = std::max(word.size(), candidate.size());
    const size_t shorter = std::min(word.size(), candidate.size());
    if (longer - shorter >= best || longer > 4 * kMaxNameBytes) continue;
    const size_t distance = EditDistance(word, candidate);
    if (distance < best && distance < shorter) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string Suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  if (const auto nearest = NearestName(word, candidates)) {
    return "; did you mean " + QuoteName(*nearest) + "?";
  }
  if (candidates.empty()) return "";
  std::string text = "; known: ";
  for (size_t i = 0; i < candidates.size() && i < kMaxListed; ++i) {
    if (i > 0) text += ", ";
    text += candidates[i];
  }
  return candidates.size() > kMaxListed ? text + ", ..." : text;
}

std::string QuoteName(std::string_view text) {
  std::string out = "'";
  for (size_t i = 0; i < text.size();) {
    if (out.size() >= kMaxQuoted) {
      out += "...";
      break;
    }
    const size_t length = Utf8Length(text.substr(i));
    const auto byte = static_cast<uint8_t>(text[i]);
    if (length == 0 || byte < 0x20 || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof(escape), "\\x%02x", static_cast<unsigned>(byte));
      out += escape;
      ++i;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out + "'";
}

absl::Status CheckName(const std::string& name) {
  if (name.empty()) return absl::InvalidArgumentError("is empty: give it a name");
  if (name.size() > kMaxNameBytes) {
    return absl::InvalidArgumentError("is longer than " + std::to_string(kMaxNameBytes) +
                                      " bytes: shorten it");
  }
  if (name == "." || name == "..") {
    return absl::InvalidArgumentError("is a name of directories: choose another");
  }
  if (Utf8PrefixLength(name) != name.size()) {
    return absl::InvalidArgumentError("is not valid UTF-8: choose another");
  }
  for (const char c : name) {
    if (static_cast<uint8_t>(c) <= 0x20 || c == 0x7f || c == '/' || c == '\\') {
      return absl::InvalidArgumentError("contains " + QuoteName(std::string_view(&c, 1)) +
                                        ": names have no white space, '/' or '\\'");
    }
  }
  return absl::OkStatus();
}

size_t Utf8PrefixLength(std::string_view text) {
  size_t position = 0;
  while (position < text.size()) {
    const size_t length = Utf8Length(text.substr(position));
    if (length == 0) break;
    position += length;
  }
  return position;
}

}  // namespace skein
