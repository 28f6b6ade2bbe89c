#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "skein/base/names.h"
#include "topology/yaml_reader.h"

namespace skein {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes the digits at the front of `text` away and counts them.
size_t SkipDigits(std::string_view& text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

bool IsInt(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return SkipDigits(text) > 0 && text.empty();
}

// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsFloat(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  size_t digits = SkipDigits(text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    digits += SkipDigits(text);
  }
  if (digits == 0) return false;
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  return SkipDigits(text) > 0 && text.empty();
}

absl::StatusOr<Value> OutOfRange(const std::string& text, const char* what) {
  return absl::InvalidArgumentError("the number " + QuoteName(text) + " does not fit into " + what);
}

absl::StatusOr<Value> Integer(const std::string& text, std::string_view digits, int base) {
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc()) return OutOfRange(text, "a 64-bit integer");
  return Value(value);
}

// "0o17" and "0xff": the digits, if they are such.
std::optional<std::string_view> DigitsAfter(std::string_view text, std::string_view prefix,
                                            std::string_view alphabet) {
  if (text.substr(0, 2) != prefix || text.size() == 2) return std::nullopt;
  text.remove_prefix(2);
  if (text.find_first_not_of(alphabet) != text.npos) return std::nullopt;
  return text;
}

}  // namespace

absl::StatusOr<Value> PlainScalarValue(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return Value();
  }
  if (text == "true" || text == "True" || text == "TRUE") return Value(true);
  if (text == "false" || text == "False" || text == "FALSE") return Value(false);
  const std::string_view unsigned_text =
      std::string_view(text).substr(text[0] == '+' || text[0] == '-' ? 1 : 0);
  if (IsInt(text)) {
    return Integer(text, text[0] == '+' ? unsigned_text : std::string_view(text), 10);
  }
  if (const auto digits = DigitsAfter(text, "0o", "01234567")) return Integer(text, *digits, 8);
  if (const auto digits = DigitsAfter(text, "0x", "0123456789abcdefABCDEF")) {
    return Integer(text, *digits, 16);
  }
  if (unsigned_text == ".inf" || unsigned_text == ".Inf" || unsigned_text == ".INF") {
    const double infinity = std::numeric_limits<double>::infinity();
    return Value(text[0] == '-' ? -infinity : infinity);
  }
  if (text == ".nan" || text == ".NaN" || text == ".NAN") {
    return Value(std::numeric_limits<double>::quiet_NaN());
  }
  if (IsFloat(text)) {
    // from_chars does not know a leading '+'.
    const std::string_view digits = text[0] == '+' ? unsigned_text : std::string_view(text);
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc()) return OutOfRange(text, "a double");
    return Value(value);
  }
  return Value(text);
}

}  // namespace skein
