#include "skein/base/ids.h"

namespace skein {

std::string ToString(const VersionRef& ref) {
  std::string text = "v" + std::to_string(ref.version);
  if (ref.attempt != 0) text += "." + std::to_string(ref.attempt);
  if (ref.local_round != 0) text += "/" + std::to_string(ref.local_round);
  if (ref.pass != 0) text += " pass " + std::to_string(ref.pass);
  return text;
}

}  // namespace skein
