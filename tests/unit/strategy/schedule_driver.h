#ifndef SKEIN_TESTS_UNIT_STRATEGY_SCHEDULE_DRIVER_H_
#define SKEIN_TESTS_UNIT_STRATEGY_SCHEDULE_DRIVER_H_

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "skein/base/random.h"
#include "skein/strategy/child_schedule.h"

namespace skein {

// A node's core and its children, as far as a schedule can tell: in virtual time, of things that
// happen at once those that were begun first come first.
class ScheduleDriver {
 public:
  struct Update {
    size_t child = 0;
    uint64_t base = 0;
    uint64_t staleness = 0;
    friend bool operator==(const Update&, const Update&) = default;
  };
  struct Made {
    Time at{0};
    std::vector<Update> updates;  // in the order in which they came
    ChildSchedule::Step step;
  };
  struct Given {
    Time at{0};
    size_t child = 0;
    uint32_t steps = 0;
  };
  // How long a task of so many steps takes; none: for ever.
  using Work = std::function<std::optional<Duration>(size_t child, uint32_t steps)>;

  ScheduleDriver(std::unique_ptr<ChildSchedule> schedule, Work work)
      : schedule_(std::move(schedule)), work_(std::move(work)) {}

  // Children are asked as soon as they are released, and not after all else that happens then.
  void AskAtOnce() { at_once_ = true; }
  void Start(size_t children) {
    for (size_t child = 0; child < children; ++child) resting_.insert(child);
    AssignResting();
  }
  void Lose(size_t child) {
    ++lives_[child];
    resting_.erase(child);
    held_.erase(child);
    schedule_->Left(child, now);
    MakeSteps();
  }
  void Return(size_t child) { resting_.insert(child); }
  // Nobody is asked any more; what is under way ends.
  void Drain() {
    draining_ = true;
    RunUntil(Time::max());
  }
  void RunUntil(Time limit) {
    for (int events = 0; events < kTooMany; ++events) {
      const Time arrival = arrivals_.empty() ? Time::max() : arrivals_.begin()->first.first;
      const Time timer = schedule_->NextTime();
      if (!resting_.empty() && arrival > now && !draining_) {
        AssignResting();
        continue;
      }
      const Time next = std::min(arrival, timer);
      if (next == Time::max() || next > limit) {
        if (limit != Time::max()) now = limit;
        return;
      }
      now = std::max(now, next);
      if (arrival > timer) {
        MakeSteps();
      } else {
        Arrive();
      }
    }
    FAIL() << "it does not come to an end";
  }
  // For a while; children are lost now and then, and come back.
  void RunWithLosses(size_t children, Duration between, Rng& rng) {
    std::set<size_t> lost;
    for (int i = 0; i < 20; ++i) {
      RunUntil(now + between);
      const size_t child = rng.Below(children);
      if (lost.contains(child)) {
        lost.erase(child);
        Return(child);
      } else if (rng.Below(3) == 0) {
        lost.insert(child);
        Lose(child);
      }
      if (::testing::Test::HasFailure()) return;
    }
  }
  // Updates in the steps that were made.
  size_t used() const {
    size_t count = 0;
    for (const Made& step : made) count += step.updates.size();
    return count;
  }
  // What has come and is in no step yet.
  size_t unused() const {
    size_t count = 0;
    for (const auto& [lot, updates] : lots_) count += updates.size();
    return count;
  }

  Time now{0};
  uint64_t version = 0;
  size_t contributed = 0;
  std::vector<Made> made;
  std::vector<Given> given;

 private:
  static constexpr int kTooMany = 1'000'000;

  void AssignResting() {
    const std::vector<size_t> children(resting_.begin(), resting_.end());
    resting_.clear();
    const auto assigned = schedule_->Assign(children, now);
    ASSERT_EQ(assigned.size(), children.size());
    for (const auto& [child, steps] : assigned) {
      given.push_back({now, child, steps});
      bases_[child] = version;
      const uint64_t life = ++lives_[child];
      if (const auto takes = work_(child, steps)) {
        arrivals_[{now + *takes, begun_++}] = {child, life};
      }
    }
  }

  void Arrive() {
    const auto [child, life] = arrivals_.begin()->second;
    arrivals_.erase(arrivals_.begin());
    if (lives_[child] != life) return;
    const ChildSchedule::Lot lot = schedule_->LotOf(child, now);
    lots_[lot].push_back({child, bases_[child], 0});
    ++contributed;
    held_.insert(child);
    schedule_->Contributed(child, lot, now);
    TakeReleased();
    MakeSteps();
  }

  void MakeSteps() {
    while (auto step = schedule_->TakeStep(now)) {
      Made one{now, {}, std::move(*step)};
      for (const ChildSchedule::Lot lot : one.step.lots) {
        for (Update update : std::exchange(lots_[lot], {})) {
          update.staleness = version - update.base;
          one.updates.push_back(update);
        }
      }
      if (!one.updates.empty()) {
        ++version;
        made.push_back(std::move(one));
      }
      TakeReleased();
    }
  }

  void TakeReleased() {
    for (const size_t child : schedule_->TakeReleased()) {
      EXPECT_EQ(held_.erase(child), 1u) << child << " was released and had not answered";
      resting_.insert(child);
    }
    if (at_once_ && !resting_.empty() && !draining_) AssignResting();
  }

  const std::unique_ptr<ChildSchedule> schedule_;
  const Work work_;
  bool at_once_ = false;
  bool draining_ = false;
  std::map<std::pair<Time, uint64_t>, std::pair<size_t, uint64_t>> arrivals_;
  uint64_t begun_ = 0;
  std::map<size_t, uint64_t> lives_;
  std::map<size_t, uint64_t> bases_;
  std::map<ChildSchedule::Lot, std::vector<Update>> lots_;
  std::set<size_t> resting_;
  std::set<size_t> held_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_STRATEGY_SCHEDULE_DRIVER_H_
