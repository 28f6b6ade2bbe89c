#include "skein/base/simulation.h"

#include <map>
#include <utility>

namespace skein {

struct Simulation::State {
  Time now{0};
  uint64_t next_order = 0;
  uint64_t steps = 0;
  std::map<std::pair<Time, uint64_t>, std::function<void()>> queue;

  void Add(Time when, std::function<void()> task) {
    queue.emplace(std::pair(std::max(when, now), next_order++), std::move(task));
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
  while (!state_->queue.empty()) {
    auto queue = std::exchange(state_->queue, {});
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
    auto first = state_->queue.begin();
    if (first == state_->queue.end() || first->first.first > end) return false;
    state_->now = first->first.first;
    auto task = std::move(first->second);
    state_->queue.erase(first);
    ++state_->steps;
    task();
  }
  return true;
}

void Simulation::RunFor(Duration d) {
  const Time end = state_->now + d;
  RunUntil([] { return false; }, d);
  state_->now = end;
}

}  // namespace skein
