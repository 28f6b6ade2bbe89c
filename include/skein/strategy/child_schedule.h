#ifndef SKEIN_STRATEGY_CHILD_SCHEDULE_H_
#define SKEIN_STRATEGY_CHILD_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "skein/base/time.h"

namespace skein {

// What a policy without a barrier decides child by child: when one that has contributed is asked
// again, for how many local steps, and which contributions make a step of the model together. These
// are of one lot; what belongs to other lots waits. Children are named by their index at the node.
//
// Made by its policy for one node and used by that node's core alone. Pure: time comes in, nothing
// goes out but the answers. A child is given out by Assign, then answers (Contributed) or does not
// (Left), and is assigned again when TakeReleased names it; after Left whenever the core likes.
class ChildSchedule {
 public:
  using Lot = uint64_t;
  struct Assignment {
    size_t child = 0;
    uint32_t steps = 0;  // local ones; 0: the learner's own number
  };
  struct Step {
    std::vector<Lot> lots;  // some may be empty
    double weight = 1;      // in (0, 1]: how far the model moves towards what they say
    std::string reason;     // why it is short, for people
  };

  virtual ~ChildSchedule() = default;

  // These children are asked now, in the order of the answer. One that is at work gets another
  // task.
  virtual std::vector<Assignment> Assign(const std::vector<size_t>& children, Time now) = 0;
  // The lot to which a contribution of the child would belong now.
  virtual Lot LotOf(size_t child, Time now) const = 0;
  // The child has answered; what it said is in `lot`, as LotOf named it just before.
  virtual void Contributed(size_t child, Lot lot, Time now) = 0;
  // The child failed, was refused or is lost. What it has contributed before stays.
  virtual void Left(size_t child, Time now) = 0;
  // A step that is due, which counts as made then. Asked until there is none.
  virtual std::optional<Step> TakeStep(Time now) = 0;
  // A step before its time, of lots that hold something, since there is no room for more.
  virtual std::optional<Step> TakeStepEarly(Time now) = 0;
  // Children that may be asked again, each named once.
  virtual std::vector<size_t> TakeReleased() = 0;
  // When a step may be due though nothing else has happened; Time::max(): never.
  virtual Time NextTime() const = 0;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_CHILD_SCHEDULE_H_
