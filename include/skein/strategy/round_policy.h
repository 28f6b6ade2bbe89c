#ifndef SKEIN_STRATEGY_ROUND_POLICY_H_
#define SKEIN_STRATEGY_ROUND_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "skein/base/time.h"
#include "skein/strategy/child_schedule.h"

namespace skein {

// What a node's core tells its policy: how its direct children stand in the open aggregation. With
// a barrier each child contributes once; without one it is given the next task as soon as it has
// contributed, and only what has come since the last step counts as accepted.
struct PolicyView {
  int expected = 0;  // children that were given a task; without a barrier: that are at work, plus
                     // the contributions and failures below
  int accepted = 0;  // contributions that are folded
  int failed = 0;    // children that failed, were lost or rejected; they will not contribute
  int pending() const { return expected - accepted - failed; }
  Duration elapsed{0};           // since the tasks went out; without a barrier: since the last step
  uint64_t base_version = 0;     // what the tasks train from
  uint64_t current_version = 0;  // the newest version known here (equal to base under a barrier)
};

// What a policy says when it is asked.
struct PolicyDecision {
  enum class Verdict { kWait, kClose, kFail };
  Verdict verdict = Verdict::kWait;
  std::string reason;  // why it closes short or fails, for people: "deadline of 30 s passed"
  Duration ask_again = Duration::max();  // with kWait: the value of `elapsed` at which to ask again
};

// Decides when an aggregation closes. An object that the core asks after every change and at the
// times it named; pure: no clock, no state of its own that the view does not give.
class RoundPolicy {
 public:
  virtual ~RoundPolicy() = default;
  virtual PolicyDecision Decide(const PolicyView& view) const = 0;
  // A node with fewer children than this could never close.
  virtual int MinChildren() const { return 1; }
  // Whether children wait for the next version after they have contributed.
  virtual bool has_barrier() const = 0;
  // Whether the round fails if a single child does not contribute.
  virtual bool NeedsEveryone() const { return false; }
  // The same policy for the parent of nodes that go through this one `times` times (their kappa)
  // in each of its rounds: its limits leave them the time. Null if it applies as it is.
  virtual std::shared_ptr<const RoundPolicy> Relaxed(int times) const = 0;
  // Without a barrier: who decides child by child, for a node with so many. Then Decide is asked
  // only whether anything can still come, and its view has no contributions. Null: nobody.
  virtual std::unique_ptr<ChildSchedule> NewSchedule(size_t) const { return nullptr; }
  // Why it can stand at the root only; empty: it can stand anywhere.
  virtual std::string WhyOnlyAtRoot() const { return ""; }
  // With a barrier: the time after which it goes on without those who have not answered, or fails.
  // Without one: how long nobody may contribute; then the node makes a step of what it has, and
  // gives up if that is nothing. Null: for ever.
  virtual std::optional<Duration> Patience() const { return std::nullopt; }
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_ROUND_POLICY_H_
