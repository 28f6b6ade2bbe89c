#ifndef SKEIN_RUNTIME_TRAINING_POOL_H_
#define SKEIN_RUNTIME_TRAINING_POOL_H_

#include <functional>
#include <memory>

#include "skein/base/executor.h"

namespace skein {

// The threads on which learners train: as many works run at once as the pool has threads, so that
// training uses the machine's cores and no more. A learner that never returns does not cost the
// pool a thread: Abandon lets its thread go and starts another.
//
// Owned by whoever runs nodes (Federation, App). Works must own what they use, since abandoned ones
// may outlive the pool; they must not throw. Any thread may call Run and Abandon.
class TrainingPool : public TaskRunner {
 public:
  // `thread_start` is run first on each thread (to limit libtorch's own threads, which is a
  // setting of the thread); it may be null.
  TrainingPool(int threads, std::function<void()> thread_start);
  // Waits for the running works that were not abandoned. Call Shutdown first where a learner might
  // not return.
  ~TrainingPool() override;

  TrainingPool(const TrainingPool&) = delete;
  TrainingPool& operator=(const TrainingPool&) = delete;

  // Works start in the order in which they came. After Shutdown they are dropped.
  Ticket Run(std::function<void()> work) override;
  void Abandon(Ticket ticket) override;

  // Drops what has not started, waits at most `grace` for running works (abandoned ones too), joins
  // their threads and returns how many works are still running; their threads are left behind, end
  // when the work does, and keep alive what they need. Idempotent. Not to be called from a work.
  int Shutdown(Duration grace);

 private:
  class State;
  const std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_TRAINING_POOL_H_
