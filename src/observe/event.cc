#include "skein/observe/event.h"

#include <cmath>

namespace skein {

std::string ToJsonLine(const Event& event) {
  // Microseconds: below that a clock reading is noise, and lines stay short.
  std::string line = "{\"time_s\":" + ToJson(std::round(event.time_s * 1e6) / 1e6) +
                     ",\"event\":" + JsonQuote(event.type) +
                     ",\"round\":" + std::to_string(event.round) +
                     ",\"node\":" + JsonQuote(event.node);
  for (const auto& [name, value] : event.fields) {
    line += ',' + JsonQuote(name) + ':' + ToJson(value);
  }
  return line + '}';
}

}  // namespace skein
