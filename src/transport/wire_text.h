#ifndef SKEIN_TRANSPORT_WIRE_TEXT_H_
#define SKEIN_TRANSPORT_WIRE_TEXT_H_

#include <cstddef>
#include <string>

#include "transport/frame_limits.h"

namespace skein {

// `text` as a protobuf string may hold it: bytes that are not UTF-8 become '?', what is beyond
// `max_bytes` is cut off at a character. Texts come from users' exceptions and file names, and a
// bad byte in one must not break a link.
std::string WireText(const std::string& text, size_t max_bytes = kMaxTextBytes);

}  // namespace skein

#endif  // SKEIN_TRANSPORT_WIRE_TEXT_H_
