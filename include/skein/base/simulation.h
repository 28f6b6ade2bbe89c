#ifndef SKEIN_BASE_SIMULATION_H_
#define SKEIN_BASE_SIMULATION_H_

#include <functional>
#include <memory>

#include "skein/base/executor.h"

namespace skein {

// Virtual time: a queue of events ordered by (time, order of posting), run by one thread that calls
// Run. All executors of one simulation share the clock; nothing sleeps. Not thread-safe.
class Simulation {
 public:
  Simulation();
  ~Simulation();

  Time Now() const;
  std::shared_ptr<Executor> NewExecutor();

  // Runs `work` at once when its turn comes and takes `duration(n)` of virtual time for the n-th
  // work (default: none) before whatever the work posted is seen. `hang(n)`: the work never runs.
  struct TaskModel {
    std::function<Duration(uint64_t n)> duration;
    std::function<bool(uint64_t n)> hang;
  };
  std::shared_ptr<TaskRunner> NewTaskRunner(TaskModel model = {});

  // Calls `task` at `when`.
  void At(Time when, std::function<void()> task);

  // Runs events until `done()` is true, nothing is left or time would pass `limit`. Returns done().
  bool RunUntil(const std::function<bool()>& done, Duration limit = std::chrono::hours(1));
  // Runs all events up to now + d, and moves time there.
  void RunFor(Duration d);
  // Number of events run so far.
  uint64_t steps() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_BASE_SIMULATION_H_
