#ifndef SKEIN_BASE_THREAD_POOL_H_
#define SKEIN_BASE_THREAD_POOL_H_

#include <memory>

#include "skein/base/executor.h"

namespace skein {

// The threads of a process on which executors run: `threads` workers and one timer thread.
// Owned by whoever runs nodes (Federation, App); it must outlive the nodes, and the executors that
// it gave drop their tasks once it has shut down. Thread-safe.
class ThreadPool {
 public:
  explicit ThreadPool(int threads);
  // Calls Shutdown().
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // A new strand: tasks of one strand never overlap, strands run in parallel.
  std::shared_ptr<Executor> NewExecutor();

  // Waits for the running tasks, drops the queued ones and joins the threads. Idempotent.
  // Must not be called from one of the pool's own threads.
  void Shutdown();

 private:
  class State;
  class Strand;
  std::shared_ptr<State> state_;
};

}  // namespace skein

#endif  // SKEIN_BASE_THREAD_POOL_H_
