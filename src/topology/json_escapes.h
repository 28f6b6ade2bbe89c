#ifndef SKEIN_SRC_TOPOLOGY_JSON_ESCAPES_H_
#define SKEIN_SRC_TOPOLOGY_JSON_ESCAPES_H_

#include <string>
#include <vector>

namespace skein {

// JSON writes a character beyond 16 bits as two escapes, a surrogate pair (RFC 8259): \ud83d\ude00.
// YAML knows none of that; its way is \U0001F600, two characters shorter.
struct JoinedSurrogates {
  struct Place {  // counted from 1, in the new text
    int line = 0;
    int column = 0;
  };
  std::string text;
  std::vector<Place> places;  // where pairs were joined, in order
};
JoinedSurrogates JoinSurrogates(const std::string& text);
inline constexpr int kShorterByJoining = 2;

}  // namespace skein

#endif  // SKEIN_SRC_TOPOLOGY_JSON_ESCAPES_H_
