#ifndef SKEIN_SRC_TRANSPORT_SHAPED_ACCEPTOR_H_
#define SKEIN_SRC_TRANSPORT_SHAPED_ACCEPTOR_H_

#include <cstdint>
#include <memory>

#include "skein/base/random.h"
#include "skein/base/time.h"
#include "skein/conditions/conditions.h"
#include "skein/transport/transport.h"

namespace skein {

// The times at which frames come through the links of one parent, each way. Bandwidth, of its own
// link and of the parent, is taken in the order in which frames are handed over, then the latency
// goes by. Pure; times come in.
//
// Loss is that of TCP: what a link can carry is at most 1.22 segments of 1460 bytes in a round
// trip, over the root of the loss (Mathis et al. 1997, eq. 1), and of each frame the last segment
// is lost with that probability and waits for a time-out of two round trips, or 0.2 s.
class LinkShape {
 public:
  struct Lane {  // of one link, one way
    Time free{0};
    Time last_due{0};
    Rng random{0};
  };
  explicit LinkShape(const LinkConditions& conditions);

  // A frame, or several at once, of `bytes` is handed over at `now`: when its last byte has left,
  // which is `lane.free` then, and when it arrives, which is returned. `up` frames share one
  // capacity of the parent, others the other.
  Time Pass(Lane& lane, bool up, uint64_t bytes, Time now, uint64_t frames = 1);

 private:
  const LinkConditions conditions_;
  double link_rate_ = 0;  // bytes a second; 0: unlimited
  Time node_free_[2] = {Time(0), Time(0)};
};

// What a parent's acceptor sits behind: its links are as `conditions` say once these are set, and
// nothing happens to them before. Emulates at the parent's end for both directions, so that
// children need not know. Lives on the parent's executor.
class ShapedAcceptor : public Acceptor {
 public:
  ShapedAcceptor(std::shared_ptr<Acceptor> inner, std::shared_ptr<Executor> executor);
  ~ShapedAcceptor() override;

  // From now on. `model_bytes`: what a model counts as; 0: what it is. Statistics of the links
  // count in the same way.
  void Set(const LinkConditions& conditions, uint64_t model_bytes, uint64_t seed);

  std::shared_ptr<LinkHandler> OnLink(std::shared_ptr<Link> link) override;

 private:
  struct State;
  class End;
  class ShapedLink;
  const std::shared_ptr<Acceptor> inner_;
  const std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_SRC_TRANSPORT_SHAPED_ACCEPTOR_H_
