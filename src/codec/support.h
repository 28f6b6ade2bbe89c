#ifndef SKEIN_SRC_CODEC_SUPPORT_H_
#define SKEIN_SRC_CODEC_SUPPORT_H_

#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "codec/wire.h"

namespace skein {

// Which elements of a sparse tensor are there: their number, a form, and either the gaps between
// them as varints or one bit for each element of the tensor, whichever is shorter.

// No support of up to `kept` of `n` elements takes more.
uint64_t MaxSupportBytes(uint64_t n, uint64_t kept);

// `positions` ascend and are below n.
void WriteSupport(uint64_t n, std::span<const uint32_t> positions, ByteWriter& out);

// The reverse, of what anyone may have sent. InvalidArgument says what is wrong; at most `kept`
// positions are allowed. Memory: four bytes a position, once they are known to be there.
absl::StatusOr<std::vector<uint32_t>> ReadSupport(uint64_t n, uint64_t kept, ByteReader& in);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_SUPPORT_H_
