#ifndef SKEIN_TESTING_FAULTY_TRANSPORT_H_
#define SKEIN_TESTING_FAULTY_TRANSPORT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "skein/transport/transport.h"

namespace skein::testing {

// What to do with a frame that a child sends up (`up`) or a parent sends down on a link that was
// dialed by `node` (known from its hello). `n` counts the frames of that direction on that link.
struct FrameContext {
  NodeId node;
  bool up = false;
  uint64_t n = 0;
  const Frame* frame = nullptr;
};

struct Fault {
  enum class Kind {
    kNone,
    kDrop,       // the frame vanishes (a lost request or reply); the link stays
    kDuplicate,  // it arrives twice
    kDelay,      // it and all later frames of this direction arrive `delay` later
    kCorrupt,    // a chunk's payload has a bit flipped; other frames vanish
    kCut,        // the link breaks before the frame
    kStall,      // nothing of this direction arrives any more, and the link breaks `delay` later
  };
  Kind kind = Kind::kNone;
  Duration delay{0};
};

using FaultPlan = std::function<Fault(const FrameContext&)>;

// Wraps another transport and does to its frames what the plan says. The plan is called on the
// executors of the links; with a simulation that is one thread.
std::shared_ptr<Transport> MakeFaultyTransport(std::shared_ptr<Transport> inner, FaultPlan plan);

}  // namespace skein::testing

#endif  // SKEIN_TESTING_FAULTY_TRANSPORT_H_
