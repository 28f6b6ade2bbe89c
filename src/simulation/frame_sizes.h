#ifndef SKEIN_SRC_SIMULATION_FRAME_SIZES_H_
#define SKEIN_SRC_SIMULATION_FRAME_SIZES_H_

#include <cstdint>

namespace skein {

// What a transfer or a message takes on a link.
struct WireCost {
  uint64_t bytes = 0;
  uint64_t frames = 1;
};

// The frames of a run whose tensors are not there: sizes of encoded samples, and of the chunks of a
// model of so many bytes. Rosters and texts count as short.
struct FrameSizes {
  explicit FrameSizes(uint64_t model_bytes);

  uint64_t hello = 0;
  uint64_t welcome = 0;
  uint64_t task = 0;
  uint64_t model_offer = 0;
  uint64_t update_offer = 0;
  uint64_t partial_offer = 0;
  uint64_t grant = 0;
  uint64_t ack = 0;
  uint64_t committed = 0;
  uint64_t cancel = 0;
  uint64_t failed = 0;
  // All chunks and the trailer.
  WireCost model;
  WireCost update;
  WireCost partial;  // twice as large: int64 for float32
  uint64_t model_bytes = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_FRAME_SIZES_H_
