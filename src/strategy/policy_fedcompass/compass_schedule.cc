#include "strategy/policy_fedcompass/compass_schedule.h"

#include <algorithm>
#include <utility>

#include "strategy/pace.h"

namespace skein {
namespace {

constexpr ChildSchedule::Lot kGeneralBuffer = 0;
// A step of a task; so that all of its steps are no longer than 30 years.
constexpr Duration kLongestStep = std::chrono::hours(2);

}  // namespace

CompassSchedule::CompassSchedule(const CompassConfig& config, size_t children)
    : config_(config), children_(children), next_group_(1 + children) {}

// ---- assignment ----

// The fastest first, so that others may join its group.
std::vector<ChildSchedule::Assignment> CompassSchedule::Assign(const std::vector<size_t>& children,
                                                               Time now) {
  std::vector<size_t> order = children;
  std::stable_sort(order.begin(), order.end(), [this](size_t a, size_t b) {
    return children_[a].step_time < children_[b].step_time;
  });
  std::vector<Assignment> assignments;
  for (const size_t index : order) {
    if (children_[index].at != At::kRest) Left(index, now);
    Child& child = children_[index];
    child.asked = now;
    child.steps = Place(index, now);
    assignments.push_back({index, child.steps});
  }
  return assignments;
}

uint32_t CompassSchedule::Place(size_t index, Time now) {
  Child& child = children_[index];
  if (child.step_time == Duration(0)) {
    child.at = At::kSolo;
    return config_.q_max;
  }
  uint32_t steps = 0;
  auto group = GroupToJoin(child, now, steps);
  if (group == groups_.end()) {
    steps = StepsOfNewGroup(child, now);
    const Duration task = child.step_time * steps;
    group = groups_.try_emplace(next_group_++).first;
    group->second.expected = now + task;
    group->second.latest = now + Times(task, config_.latest_time_factor);
  }
  child.at = At::kGroup;
  child.group = group->first;
  group->second.members.insert(index);
  return steps;
}

// The one that takes most steps; of equals the latest.
CompassSchedule::Groups::iterator CompassSchedule::GroupToJoin(const Child& child, Time now,
                                                               uint32_t& steps) {
  auto best = groups_.end();
  for (auto it = groups_.begin(); it != groups_.end(); ++it) {
    const int64_t fit = (it->second.expected - now) / child.step_time;
    if (fit < int64_t{config_.q_min} || fit > int64_t{config_.q_max} || fit < int64_t{steps}) {
      continue;
    }
    best = it;
    steps = static_cast<uint32_t>(fit);
  }
  return best;
}

// As many as meet another group's next arrival, if that can be.
uint32_t CompassSchedule::StepsOfNewGroup(const Child& child, Time now) const {
  int64_t most = -1;
  for (const auto& [lot, group] : groups_) {
    if (now >= group.latest) continue;
    const Time next = group.latest + StepTimeOfFastest(group) * config_.q_max;
    const int64_t fit = (next - now) / child.step_time;
    if (fit <= int64_t{config_.q_max}) most = std::max(most, fit);
  }
  if (most < 0) return config_.q_max;
  return std::max(config_.q_min, static_cast<uint32_t>(most));
}

Duration CompassSchedule::StepTimeOfFastest(const Group& group) const {
  Duration fastest = kLongestStep;
  for (const size_t member : group.members) {
    fastest = std::min(fastest, children_[member].step_time);
  }
  for (const size_t member : group.arrived) {
    fastest = std::min(fastest, children_[member].step_time);
  }
  return fastest;
}

// ---- arrivals ----

ChildSchedule::Lot CompassSchedule::LotOf(size_t index, Time now) const {
  const Child& child = children_[index];
  if (child.at == At::kSolo) return SoloLot(index);
  if (child.at != At::kGroup || now > groups_.at(child.group).latest) return kGeneralBuffer;
  return child.group;
}

void CompassSchedule::Contributed(size_t index, Lot lot, Time now) {
  Child& child = children_[index];
  const Duration measured = (now - child.asked) / std::max(1u, child.steps);
  child.step_time =
      std::min(kLongestStep, Smoothed(child.step_time, measured, config_.speed_momentum));
  if (child.at == At::kSolo) {
    due_.push_back(SoloLot(index));
  } else if (child.at == At::kGroup && lot == child.group) {
    Group& group = groups_.at(child.group);
    group.members.erase(index);
    group.arrived.push_back(index);
    ++group.contributions;
    if (group.members.empty()) due_.push_back(child.group);
  } else {
    if (child.at == At::kGroup) Withdraw(index);
    ++buffered_;
    released_.push_back(index);
  }
  child.at = At::kRest;
}

void CompassSchedule::Left(size_t index, Time) {
  Child& child = children_[index];
  if (child.at == At::kGroup) {
    Withdraw(index);
  } else if (child.at == At::kSolo) {
    remains_.insert(SoloLot(index));
  } else if (child.at == At::kRest) {
    // Its contribution stays, and nobody is to be asked again for it.
    for (auto& [lot, group] : groups_) std::erase(group.arrived, index);
    std::erase(released_, index);
  }
  child.at = At::kRest;
}

void CompassSchedule::Withdraw(size_t index) {
  const auto it = groups_.find(children_[index].group);
  Group& group = it->second;
  group.members.erase(index);
  if (!group.members.empty()) return;
  if (group.contributions > 0) {
    due_.push_back(it->first);
  } else {
    Dissolve(it);
  }
}

// ---- steps ----

void CompassSchedule::Dissolve(Groups::iterator it) {
  for (const size_t member : it->second.members) children_[member].at = At::kLate;
  remains_.insert(it->first);
  groups_.erase(it);
}

ChildSchedule::Step CompassSchedule::StepOfBuffer() {
  buffered_ = 0;
  return Step{.lots = With(kGeneralBuffer), .reason = ""};
}

std::vector<ChildSchedule::Lot> CompassSchedule::With(Lot lot) {
  std::vector<Lot> lots(remains_.begin(), remains_.end());
  remains_.clear();
  lots.push_back(lot);
  return lots;
}

ChildSchedule::Step CompassSchedule::StepOf(Groups::iterator it) {
  const std::vector<size_t> arrived = std::move(it->second.arrived);
  released_.insert(released_.end(), arrived.begin(), arrived.end());
  std::erase(due_, it->first);
  Dissolve(it);
  return StepOfBuffer();
}

std::optional<ChildSchedule::Step> CompassSchedule::TakeStep(Time now) {
  if (!due_.empty()) {
    const Lot lot = due_.front();
    if (const auto group = groups_.find(lot); group != groups_.end()) return StepOf(group);
    due_.pop_front();
    released_.push_back(lot - 1);
    return Step{.lots = With(lot), .reason = ""};
  }
  for (auto it = groups_.begin(); it != groups_.end();) {
    const auto group = it++;
    if (now < group->second.latest) continue;
    if (group->second.contributions > 0) {
      Step step = StepOf(group);
      step.reason = "the group's latest time passed";
      return step;
    }
    Dissolve(group);
    if (buffered_ > 0) return StepOfBuffer();
  }
  if (buffered_ > 0 && groups_.empty()) return StepOfBuffer();  // no group's step is to be expected
  return std::nullopt;
}

std::optional<ChildSchedule::Step> CompassSchedule::TakeStepEarly(Time now) {
  if (!due_.empty()) return TakeStep(now);
  auto first = groups_.end();
  for (auto it = groups_.begin(); it != groups_.end(); ++it) {
    if (it->second.contributions == 0) continue;
    if (first == groups_.end() || it->second.latest < first->second.latest) first = it;
  }
  if (first != groups_.end()) return StepOf(first);
  if (buffered_ > 0 || !remains_.empty()) return StepOfBuffer();
  return std::nullopt;
}

std::vector<size_t> CompassSchedule::TakeReleased() { return std::exchange(released_, {}); }

Time CompassSchedule::NextTime() const {
  Time next = Time::max();
  for (const auto& [lot, group] : groups_) next = std::min(next, group.latest);
  return next;
}

Time CompassSchedule::ExpectedAt(size_t child) const {
  return children_[child].at == At::kGroup ? groups_.at(children_[child].group).expected
                                           : Time::max();
}

Time CompassSchedule::LatestAt(size_t child) const {
  return children_[child].at == At::kGroup ? groups_.at(children_[child].group).latest
                                           : Time::max();
}

}  // namespace skein
