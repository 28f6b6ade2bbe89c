#include "skein/strategy/registry.h"

namespace skein {

absl::Status UnknownPart(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known) {
  std::string text = "unknown " + kind + " " + QuoteName(name);
  if (auto nearest = NearestName(name, known)) {
    text += ", did you mean '" + *nearest + "'?";
  } else {
    text += known.empty() ? ", there is none" : ", there is";
    for (size_t i = 0; i < known.size(); ++i) text += (i == 0 ? " " : ", ") + known[i];
  }
  return absl::InvalidArgumentError(text);
}

}  // namespace skein
