#ifndef SKEIN_SRC_CODEC_PAYLOAD_HEAD_H_
#define SKEIN_SRC_CODEC_PAYLOAD_HEAD_H_

#include <cstdint>
#include <optional>
#include <string>

#include <absl/status/statusor.h>

#include "codec/wire.h"
#include "skein/codec/pipeline.h"

namespace skein {

// The model that a difference is to.
struct BaseRef {
  VersionRef version;
  uint64_t checksum = 0;
};

// What a payload says before its tensors.
struct PayloadHead {
  std::string form;
  uint64_t tensors = 0;             // TensorsMark of the manifest
  std::optional<BaseRef> base;      // with the stage `delta`, if it is a difference
  std::optional<uint64_t> support;  // where supports are drawn: their seed
};

// Tells sets of tensors apart by names, types and shapes.
uint64_t TensorsMark(const Manifest& manifest);

inline constexpr size_t kMaxFormBytes = 255;
size_t MaxHeadBytes(const std::string& form);
void WriteHead(const PayloadHead& head, bool has_delta, ByteWriter& out);
// InvalidArgument says what is wrong, also if the form is not `form`.
absl::StatusOr<PayloadHead> ReadHead(const std::string& form, bool has_delta, bool draws_support,
                                     ByteReader& in);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_PAYLOAD_HEAD_H_
