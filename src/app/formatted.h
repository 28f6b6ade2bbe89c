#ifndef SKEIN_SRC_APP_FORMATTED_H_
#define SKEIN_SRC_APP_FORMATTED_H_

#include <cstdio>
#include <string>

namespace skein {

// What printf would print, up to 255 bytes of it.
template <typename... Args>
std::string Formatted(const char* format, Args... args) {
  char text[256];
  std::snprintf(text, sizeof(text), format, args...);
  return text;
}

}  // namespace skein

#endif  // SKEIN_SRC_APP_FORMATTED_H_
