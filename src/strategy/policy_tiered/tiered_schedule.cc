#include "strategy/policy_tiered/tiered_schedule.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "strategy/pace.h"

namespace skein {
namespace {

constexpr double kLeastRatio = 1.2;

}  // namespace

TieredSchedule::TieredSchedule(const TieredConfig& config, size_t children)
    : config_(config), children_(children), groups_(config.groups + 1) {
  for (Child& child : children_) child.home = child.group = everyone();
}

std::optional<size_t> TieredSchedule::group(size_t child) const {
  const size_t group = children_[child].group;
  return group == everyone() ? std::nullopt : std::optional(group);
}

// ---- children ----

std::vector<ChildSchedule::Assignment> TieredSchedule::Assign(const std::vector<size_t>& children,
                                                              Time now) {
  std::map<size_t, std::vector<size_t>> by_group;
  std::vector<Assignment> assignments;
  for (const size_t index : children) {
    if (children_[index].at_work) Left(index, now);
    by_group[children_[index].home].push_back(index);
    assignments.push_back({index, 0});
  }
  for (const auto& [where, members] : by_group) {
    Group& group = groups_[where];
    const bool begins = group.idle();
    if (begins) {
      group.begun = now;
      group.longest = Duration(0);
    }
    for (const size_t index : members) {
      Child& child = children_[index];
      child.asked = now;
      child.group = where;
      child.at_work = child.living = true;
      if (!begins) continue;
      group.awaited.insert(index);
      group.longest = std::max(group.longest, child.time);
    }
  }
  return assignments;
}

ChildSchedule::Lot TieredSchedule::LotOf(size_t child, Time) const {
  return children_[child].group;
}

void TieredSchedule::Contributed(size_t index, Lot, Time now) {
  Child& child = children_[index];
  if (child.time == Duration(0) && drawn_) draw_again_ = true;
  child.time = Smoothed(child.time, now - child.asked, config_.speed_momentum);
  child.at_work = false;
  Group& group = groups_[child.group];
  if (group.awaited.erase(index) > 0) group.longest = std::max(group.longest, now - group.begun);
  group.arrived.push_back(index);
  ++group.contributions;
}

void TieredSchedule::Left(size_t index, Time) {
  Child& child = children_[index];
  Group& group = groups_[child.group];
  group.awaited.erase(index);
  std::erase(group.arrived, index);
  std::erase(released_, index);
  child.at_work = child.living = false;
}

std::vector<size_t> TieredSchedule::TakeReleased() { return std::exchange(released_, {}); }

// ---- steps ----

Time TieredSchedule::DeadlineOf(const Group& group) const {
  return group.begun + Times(group.longest, config_.patience);
}

bool TieredSchedule::IsDue(const Group& group, Time now) const {
  return group.contributions > 0 && (group.awaited.empty() || now >= DeadlineOf(group));
}

std::optional<ChildSchedule::Step> TieredSchedule::TakeStep(Time now) {
  for (size_t index = 0; index < groups_.size(); ++index) {
    if (IsDue(groups_[index], now)) return StepOf(index, now);
  }
  return std::nullopt;
}

std::optional<ChildSchedule::Step> TieredSchedule::TakeStepEarly(Time now) {
  const auto most = std::max_element(
      groups_.begin(), groups_.end(),
      [](const Group& a, const Group& b) { return a.contributions < b.contributions; });
  if (most->contributions == 0) return std::nullopt;
  return StepOf(static_cast<size_t>(most - groups_.begin()), now);
}

Time TieredSchedule::NextTime() const {
  Time next = Time::max();
  for (const Group& group : groups_) {
    if (group.contributions > 0) next = std::min(next, DeadlineOf(group));
  }
  return next;
}

ChildSchedule::Step TieredSchedule::StepOf(size_t index, Time now) {
  Group& group = groups_[index];
  Step step{.lots = {index}, .reason = ""};
  if (!group.awaited.empty()) {
    step.reason = now >= DeadlineOf(group) ? "the group's patience is over" : "there is no room";
  }
  released_.insert(released_.end(), group.arrived.begin(), group.arrived.end());
  group.awaited.clear();  // who is still at work comes into a later round
  group.arrived.clear();
  group.contributions = 0;
  ++group.steps;
  ++steps_;
  step.weight = WeightOf(index);
  if (index == everyone() || draw_again_ || steps_ % config_.regroup_every == 0) DrawGroups();
  return step;
}

// FedAT gives a group the share that the one opposite, counted from the other end, has of all
// steps; here it is a share of the largest of these, so that the slowest group has weight 1.
double TieredSchedule::WeightOf(size_t index) const {
  if (!config_.inverse_counts || !drawn_) return 1;
  std::set<size_t> inhabited;
  for (const Child& child : children_) {
    if (child.living) inhabited.insert(child.group);
  }
  inhabited.erase(everyone());
  const std::vector<size_t> order(inhabited.begin(), inhabited.end());
  const auto at = std::find(order.begin(), order.end(), index);
  if (at == order.end()) return 1;
  uint64_t most = 0;
  for (const size_t each : order) most = std::max(most, groups_[each].steps);
  const uint64_t opposite = groups_[order[static_cast<size_t>(order.end() - at) - 1]].steps;
  return static_cast<double>(1 + opposite) / static_cast<double>(1 + most);
}

// ---- groups ----

void TieredSchedule::DrawGroups() {
  Duration slowest{0};
  fastest_ = Duration::max();
  for (const Child& child : children_) {
    if (!child.living || child.time == Duration(0)) continue;
    fastest_ = std::min(fastest_, child.time);
    slowest = std::max(slowest, child.time);
  }
  drawn_ = true;
  draw_again_ = false;
  if (slowest == Duration(0)) fastest_ = slowest = Duration(1);
  const double range = static_cast<double>(slowest.count()) / static_cast<double>(fastest_.count());
  log_ratio_ =
      std::max(std::log(range) / static_cast<double>(config_.groups), std::log(kLeastRatio));
  for (Child& child : children_) child.home = HomeOf(child.time);
}

// Who was never measured, since it has not answered yet, is slow.
size_t TieredSchedule::HomeOf(Duration time) const {
  const size_t last = config_.groups - 1;
  if (time == Duration(0)) return last;
  const double ratio = static_cast<double>(time.count()) / static_cast<double>(fastest_.count());
  if (ratio <= 1) return 0;
  const double index = std::floor(std::log(ratio) / log_ratio_);
  return std::min(last, static_cast<size_t>(std::min(index, 1e6)));
}

}  // namespace skein
