#ifndef SKEIN_SRC_SIMULATION_CORE_LINK_H_
#define SKEIN_SRC_SIMULATION_CORE_LINK_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>

#include "simulation/frame_sizes.h"
#include "skein/base/simulation.h"
#include "skein/observe/round_tracker.h"
#include "transport/shaped_acceptor.h"

namespace skein {

// The parent's end of all of its links: what they carry, and where that is counted.
struct CoreLinks {
  std::optional<LinkShape> shape;  // none: they carry what they can, in no time
  TierTraffic* traffic = nullptr;
};

// The link of one child to its parent, in a simulation without frames: a message is what happens
// when it arrives. What was under way when the link went down does not.
class CoreLink {
 public:
  enum Way { kDown = 0, kUp = 1 };

  void Open(CoreLinks* links, uint64_t seed);
  // Whether messages come through.
  bool up() const { return links_ != nullptr; }
  void Cut();

  // `arrive` happens when all of it has come, or at `not_before` if that is later; returns when.
  Time Carry(Simulation& simulation, Way way, const WireCost& cost, std::function<void()> arrive,
             Time not_before = Time(0));

 private:
  CoreLinks* links_ = nullptr;
  uint32_t life_ = 0;
  LinkShape::Lane lanes_[2];
};

}  // namespace skein

#endif  // SKEIN_SRC_SIMULATION_CORE_LINK_H_
