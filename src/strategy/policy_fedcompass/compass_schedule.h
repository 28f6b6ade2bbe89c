#ifndef SKEIN_SRC_STRATEGY_POLICY_FEDCOMPASS_COMPASS_SCHEDULE_H_
#define SKEIN_SRC_STRATEGY_POLICY_FEDCOMPASS_COMPASS_SCHEDULE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "skein/strategy/child_schedule.h"

namespace skein {

struct CompassConfig {
  uint32_t q_min = 20;  // local steps
  uint32_t q_max = 100;
  double speed_momentum = 0.9;      // share of the newest measurement
  double latest_time_factor = 1.2;  // a group waits so many times its longest task
};

// FedCompass (Li et al. 2023, arXiv 2309.14675): children get as many local steps as bring them in
// together with others, by the speed that was measured. Those that are expected at one time are an
// arrival group; its updates make one step when the last of it has come, or at its latest time.
// What comes later than that waits in the general buffer for the next group's step. The first
// contribution of a child, before its speed is known, is a step by itself.
//
// Beyond the paper, so that nothing waits for good: a group of which nobody has come at its latest
// time is dissolved, and the general buffer makes a step then, as it does where no group is open;
// a group whose other members have left makes its step. Times are integer nanoseconds.
class CompassSchedule : public ChildSchedule {
 public:
  CompassSchedule(const CompassConfig& config, size_t children);

  std::vector<Assignment> Assign(const std::vector<size_t>& children, Time now) override;
  Lot LotOf(size_t child, Time now) const override;
  void Contributed(size_t child, Lot lot, Time now) override;
  void Left(size_t child, Time now) override;
  std::optional<Step> TakeStep(Time now) override;
  std::optional<Step> TakeStepEarly(Time now) override;
  std::vector<size_t> TakeReleased() override;
  Time NextTime() const override;

  // ---- what is known of a child and its group, for tests ----
  Duration step_time(size_t child) const { return children_[child].step_time; }
  // When its group is expected, and waited for; Time::max() without one.
  Time ExpectedAt(size_t child) const;
  Time LatestAt(size_t child) const;

 private:
  enum class At { kRest, kSolo, kGroup, kLate };  // kRest: not at work
  struct Child {
    Duration step_time{0};  // measured; 0: not yet
    uint32_t steps = 0;     // of its task
    Time asked{0};
    At at = At::kRest;
    Lot group = 0;
  };
  struct Group {
    Time expected{0};
    Time latest{0};
    std::set<size_t> members;     // at work
    std::vector<size_t> arrived;  // that wait for the step
    int contributions = 0;
  };
  using Groups = std::map<Lot, Group>;  // in the order in which they were made

  Lot SoloLot(size_t child) const { return 1 + child; }
  uint32_t Place(size_t child, Time now);
  Groups::iterator GroupToJoin(const Child& child, Time now, uint32_t& steps);
  uint32_t StepsOfNewGroup(const Child& child, Time now) const;
  Duration StepTimeOfFastest(const Group& group) const;
  void Withdraw(size_t child);  // from its group, without having come
  void Dissolve(Groups::iterator group);
  Step StepOf(Groups::iterator group);
  Step StepOfBuffer();
  std::vector<Lot> With(Lot lot);  // and what remains

  const CompassConfig config_;
  std::vector<Child> children_;
  Groups groups_;
  Lot next_group_;
  std::deque<Lot> due_;  // solo contributions and complete groups
  std::vector<size_t> released_;
  int buffered_ = 0;       // contributions in the general buffer
  std::set<Lot> remains_;  // lots that may hold parts of answers that were not finished
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_POLICY_FEDCOMPASS_COMPASS_SCHEDULE_H_
