#ifndef SKEIN_SRC_TRANSPORT_UNFOLDING_H_
#define SKEIN_SRC_TRANSPORT_UNFOLDING_H_

#include <cstddef>
#include <span>

namespace google::protobuf {
class Descriptor;
}  // namespace google::protobuf

namespace skein {

// A message of many empty parts unfolds to forty times its size when protobuf parses it, and
// protobuf takes memory for lengths that lie. So a message is looked through first, which takes
// none.

// No well-formed message unfolds to more than this many times its size, by the count of IsWithin.
inline constexpr size_t kMaxUnfolding = 64;

// Whether a message of `type` is well-formed, its lengths within what is around them, and unfolds
// to no more than about `limit` bytes.
bool IsWithin(size_t limit, const google::protobuf::Descriptor& type,
              std::span<const std::byte> message);

}  // namespace skein

#endif  // SKEIN_SRC_TRANSPORT_UNFOLDING_H_
