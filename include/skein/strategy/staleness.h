#ifndef SKEIN_STRATEGY_STALENESS_H_
#define SKEIN_STRATEGY_STALENESS_H_

#include <cstdint>

namespace skein {

// How much a contribution counts that was trained from an older version of the model. Staleness is
// the newest version's number less that of the contribution's base, measured just before it is
// applied, at the coordinator and nowhere else: 0 is fresh. Immutable; shared by threads.
class Staleness {
 public:
  virtual ~Staleness() = default;
  // In (0, 1]; 1 when fresh, and never more for an older one.
  virtual double Weight(uint64_t staleness) const = 0;
  // Beyond this a contribution is refused.
  virtual uint64_t Max() const = 0;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_STALENESS_H_
