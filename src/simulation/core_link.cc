#include "simulation/core_link.h"

#include <algorithm>

#include "skein/base/random.h"

namespace skein {

void CoreLink::Open(CoreLinks* links, uint64_t seed) {
  links_ = links;
  for (const Way way : {kDown, kUp}) lanes_[way] = {.random = Rng(DeriveSeed(seed, {way}))};
}

void CoreLink::Cut() {
  links_ = nullptr;
  ++life_;
}

Time CoreLink::Carry(Simulation& simulation, Way way, const WireCost& cost,
                     std::function<void()> arrive, Time not_before) {
  if (links_ == nullptr) return kNever;
  (way == kUp ? links_->traffic->up : links_->traffic->down) += cost.bytes;
  Time due = std::max(simulation.Now(), not_before);
  if (links_->shape) {
    LinkShape::Lane& lane = lanes_[way];
    due = std::max(
        due, links_->shape->Pass(lane, way == kUp, cost.bytes, simulation.Now(), cost.frames));
    lane.last_due = std::max(lane.last_due, due);
  }
  simulation.At(due, [this, life = life_, arrive = std::move(arrive)] {
    if (life == life_) arrive();
  });
  return due;
}

}  // namespace skein
