// Text that comes from outside.
#include <cstdint>
#include <string_view>

#include "app/plot/svg.h"

namespace skein::plot {
namespace {

constexpr double kMeanCharacter =
    0.58;  // its width by the font's size; sans-serif, on the wide side

// The length of the character that `text` begins with, if XML may hold it; else 0.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' ? 1 : 0;
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return 0;
  uint32_t code = first & (0x7F >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    code = code << 6 | (byte(i) & 0x3F);
  }
  static constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  const bool allowed =
      code >= kLeast[length] && code <= 0x10FFFF && !surrogate && code != 0xFFFE && code != 0xFFFF;
  return allowed ? length : 0;
}

std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> characters;
  for (size_t at = 0; at < text.size();) {
    const size_t length = CharacterLength(std::string_view(text).substr(at));
    characters.push_back(length == 0 ? "?" : text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return characters;
}

}  // namespace

std::string XmlText(const std::string& text) {
  std::string out;
  for (const std::string& character : Characters(text)) {
    if (character == "&") {
      out += "&amp;";
    } else if (character == "<") {
      out += "&lt;";
    } else if (character == ">") {
      out += "&gt;";
    } else if (character == "\"") {
      out += "&quot;";
    } else {
      out += character;
    }
  }
  return out;
}

double TextWidth(const std::string& text, double size) {
  return static_cast<double>(Characters(text).size()) * size * kMeanCharacter;
}

std::string Elide(const std::string& text, double width, double size) {
  const std::vector<std::string> characters = Characters(text);
  const auto room = static_cast<size_t>(width / (size * kMeanCharacter) + 1e-6);
  if (characters.size() <= room || room < 3) return text;
  // Names of runs and nodes differ at their ends as often as at their beginnings.
  const size_t begin = room / 2;
  const size_t end = room - begin - 1;
  std::string out;
  for (size_t i = 0; i < begin; ++i) out += characters[i];
  out += "\u2026";
  for (size_t i = characters.size() - end; i < characters.size(); ++i) out += characters[i];
  return out;
}

}  // namespace skein::plot
