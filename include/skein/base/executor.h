#ifndef SKEIN_BASE_EXECUTOR_H_
#define SKEIN_BASE_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "skein/base/time.h"

namespace skein {

// Runs tasks one at a time, in the order in which they were posted. Every node of a federation
// lives on one Executor, so its state needs no lock. In production an Executor is a strand of a
// ThreadPool; in tests it belongs to a simulator (skein/testing/sim_executor.h) and time is
// virtual.
//
// Any thread may call any method. A task must not block for long: long work goes to a TaskRunner.
class Executor {
 public:
  virtual ~Executor() = default;

  // The time of this executor's clock.
  virtual Time Now() const = 0;

  // Runs `task` soon. After shutdown tasks are dropped, not run.
  virtual void Post(std::function<void()> task) = 0;

  // Runs `task` once Now() >= `when`. There is no cancellation: a task checks what it finds.
  virtual void PostAt(Time when, std::function<void()> task) = 0;
};

// Runs long, blocking work (training, evaluation) away from the executors. Any thread may call.
class TaskRunner {
 public:
  using Ticket = uint64_t;
  virtual ~TaskRunner() = default;

  // Runs `work` on some thread when one is free; works run in parallel.
  virtual Ticket Run(std::function<void()> work) = 0;

  // Gives up on work that does not come back: if it has not started it never will; if it is
  // running its thread is replaced by a fresh one, since a thread cannot be killed. No effect on
  // work that has ended.
  virtual void Abandon(Ticket ticket) = 0;
};

}  // namespace skein

#endif  // SKEIN_BASE_EXECUTOR_H_
