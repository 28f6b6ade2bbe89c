#ifndef SKEIN_SRC_BASE_ONE_LINE_H_
#define SKEIN_SRC_BASE_ONE_LINE_H_

#include <string>

namespace skein {

// `text` as a message of one line: each run of blanks and control characters is one blank, and none
// is at an end. Exceptions of users and libraries may have several lines.
inline std::string OneLine(const std::string& text) {
  std::string line;
  bool gap = false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7f) {
      gap = !line.empty();
      continue;
    }
    if (gap) line += ' ';
    gap = false;
    line += c;
  }
  return line;
}

}  // namespace skein

#endif  // SKEIN_SRC_BASE_ONE_LINE_H_
