#include "skein/base/simulation.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace skein {

// What is to happen: a heap of small entries, so that millions of them may wait; the functions stay
// where they are.
struct Simulation::State {
  struct Entry {
    Time when;
    uint64_t order;
    uint32_t slot;
  };
  // Of a heap whose front is the first.
  static bool IsLater(const Entry& a, const Entry& b) {
    return a.when != b.when ? a.when > b.when : a.order > b.order;
  }

  Time now{0};
  uint64_t next_order = 0;
  uint64_t steps = 0;
  std::vector<Entry> heap;
  std::vector<std::function<void()>> tasks;  // by slot
  std::vector<uint32_t> free_slots;

  void Add(Time when, std::function<void()> task) {
    uint32_t slot = static_cast<uint32_t>(tasks.size());
    if (free_slots.empty()) {
      tasks.push_back(std::move(task));
    } else {
      slot = free_slots.back();
      free_slots.pop_back();
      tasks[slot] = std::move(task);
    }
    heap.push_back({std::max(when, now), next_order++, slot});
    std::push_heap(heap.begin(), heap.end(), IsLater);
  }

  std::function<void()> TakeFirst() {
    std::pop_heap(heap.begin(), heap.end(), IsLater);
    const uint32_t slot = heap.back().slot;
    heap.pop_back();
    free_slots.push_back(slot);
    return std::exchange(tasks[slot], nullptr);
  }
};

namespace {

// All executors of a simulation are alike: one thread runs everything, so order is all they owe.
template <typename State>
class SimExecutor : public Executor {
 public:
  explicit SimExecutor(std::weak_ptr<State> state) : state_(std::move(state)) {}

  Time Now() const override {
    auto state = state_.lock();
    return state == nullptr ? Time{0} : state->now;
  }
  void Post(std::function<void()> task) override {
    if (auto state = state_.lock()) state->Add(state->now, std::move(task));
  }
  void PostAt(Time when, std::function<void()> task) override {
    if (auto state = state_.lock()) state->Add(when, std::move(task));
  }

 private:
  std::weak_ptr<State> state_;
};

// Work starts after its duration has passed, so whatever it posts is seen when it would have ended.
template <typename State>
class SimTaskRunner : public TaskRunner {
 public:
  SimTaskRunner(std::weak_ptr<State> state, Simulation::TaskModel model)
      : state_(std::move(state)), model_(std::move(model)) {}

  Ticket Run(std::function<void()> work) override {
    auto state = state_.lock();
    const Ticket ticket = next_++;
    if (state == nullptr) return ticket;
    if (model_.hang && model_.hang(ticket)) return ticket;
    const Duration duration = model_.duration ? model_.duration(ticket) : Duration{0};
    auto alive = std::make_shared<bool>(true);
    alive_[ticket] = alive;
    state->Add(state->now + duration, [alive, work = std::move(work)] {
      if (std::exchange(*alive, false)) work();
    });
    return ticket;
  }
  void Abandon(Ticket ticket) override {
    auto it = alive_.find(ticket);
    if (it == alive_.end()) return;
    *it->second = false;
    alive_.erase(it);
  }

 private:
  std::weak_ptr<State> state_;
  Simulation::TaskModel model_;
  Ticket next_ = 0;
  std::map<Ticket, std::shared_ptr<bool>> alive_;
};

}  // namespace

Simulation::Simulation() : state_(std::make_shared<State>()) {}
Simulation::~Simulation() {
  // Tasks may own what posts more tasks when it goes.
  while (!state_->heap.empty()) {
    state_->heap.clear();
    state_->free_slots.clear();
    auto tasks = std::exchange(state_->tasks, {});
  }
}

Time Simulation::Now() const { return state_->now; }
uint64_t Simulation::steps() const { return state_->steps; }

std::shared_ptr<Executor> Simulation::NewExecutor() {
  return std::make_shared<SimExecutor<State>>(state_);
}

std::shared_ptr<TaskRunner> Simulation::NewTaskRunner(TaskModel model) {
  return std::make_shared<SimTaskRunner<State>>(state_, std::move(model));
}

void Simulation::At(Time when, std::function<void()> task) { state_->Add(when, std::move(task)); }

bool Simulation::RunUntil(const std::function<bool()>& done, Duration limit) {
  const Time end = state_->now + limit;
  while (!done()) {
    if (state_->heap.empty() || state_->heap.front().when > end) return false;
    state_->now = state_->heap.front().when;
    ++state_->steps;
    state_->TakeFirst()();
  }
  return true;
}

void Simulation::RunFor(Duration d) {
  const Time end = state_->now + d;
  RunUntil([] { return false; }, d);
  state_->now = end;
}

}  // namespace skein
