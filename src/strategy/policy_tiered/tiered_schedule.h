#ifndef SKEIN_SRC_STRATEGY_POLICY_TIERED_TIERED_SCHEDULE_H_
#define SKEIN_SRC_STRATEGY_POLICY_TIERED_TIERED_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "skein/strategy/child_schedule.h"

namespace skein {

struct TieredConfig {
  size_t groups = 2;
  double speed_momentum = 0.9;  // share of the newest measurement
  double patience = 2;          // a group waits so many times its longest task
  uint64_t regroup_every = 20;  // steps
  bool inverse_counts = true;   // FedAT's weights
};

// Groups of children of like speed, each with rounds of its own (TiFL, Chai et al. 2020, arXiv
// 2001.09249; FedAT, Chai et al. 2021, arXiv 2010.05958). A round of a group begins when its
// children are asked together, and ends in a step when all of these have answered. The first round
// is that of all children and measures them.
//
// A child that fails, or takes more than `patience` times as long as any other of its round and as
// was ever measured, is not waited for; nor is one that comes to a group in the middle of a round.
// What it contributes goes into the round that is open then, and it is asked with the others
// afterwards. So a round goes on as long as one child of the group answers. Who answers the first
// round too late makes a step by itself.
//
// Groups divide the range of the times that were measured into equal ratios, of 1.2 at least:
// within one nobody waits for somebody much slower. They are drawn anew every `regroup_every`
// steps, and a child changes when it is asked next.
class TieredSchedule : public ChildSchedule {
 public:
  TieredSchedule(const TieredConfig& config, size_t children);

  std::vector<Assignment> Assign(const std::vector<size_t>& children, Time now) override;
  Lot LotOf(size_t child, Time now) const override;
  void Contributed(size_t child, Lot lot, Time now) override;
  void Left(size_t child, Time now) override;
  std::optional<Step> TakeStep(Time now) override;
  std::optional<Step> TakeStepEarly(Time now) override;
  std::vector<size_t> TakeReleased() override;
  Time NextTime() const override;

  // The group in which a child works or has worked last, from the fastest; none while all are one.
  std::optional<size_t> group(size_t child) const;

 private:
  struct Child {
    Duration time{0};  // of a task, measured; 0: not yet
    Time asked{0};
    size_t home = 0;   // its group from the next task on
    size_t group = 0;  // of its task
    bool at_work = false;
    bool living = false;  // asked, and has not left since
  };
  struct Group {
    std::set<size_t> awaited;
    std::vector<size_t> arrived;  // that wait for the step
    int contributions = 0;
    Time begun{0};
    Duration longest{0};  // that was measured, of those awaited; or has come
    uint64_t steps = 0;
    bool idle() const { return awaited.empty() && contributions == 0; }
  };

  size_t everyone() const { return config_.groups; }  // the group of the first round
  Time DeadlineOf(const Group& group) const;
  bool IsDue(const Group& group, Time now) const;
  Step StepOf(size_t index, Time now);
  double WeightOf(size_t index) const;
  void DrawGroups();
  size_t HomeOf(Duration time) const;

  const TieredConfig config_;
  std::vector<Child> children_;
  std::vector<Group> groups_;  // from the fastest, and that of everyone
  std::vector<size_t> released_;
  bool drawn_ = false;
  bool draw_again_ = false;  // somebody was measured for the first time
  uint64_t steps_ = 0;
  Duration fastest_{0};   // when groups were drawn
  double log_ratio_ = 0;  // of the times within a group
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_TIERED_TIERED_SCHEDULE_H_
