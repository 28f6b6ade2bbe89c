#include "skein/runtime/training_pool.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

namespace skein {

// What the threads share and keep alive. A thread is busy while it runs a work and until it has
// destroyed it; a thread that is not busy comes to an end by itself once the pool stops.
class TrainingPool::State : public std::enable_shared_from_this<State> {
 public:
  explicit State(std::function<void()> thread_start) : thread_start_(std::move(thread_start)) {}

  void Start(int threads) {
    std::lock_guard lock(mutex_);
    for (int i = 0; i < threads; ++i) AddThread();
  }

  Ticket Run(std::function<void()> work) {
    Ticket ticket;
    {
      std::lock_guard lock(mutex_);
      ticket = next_ticket_++;
      if (stopping_) return ticket;
      queue_.emplace_back(ticket, std::move(work));
    }
    work_cv_.notify_one();
    return ticket;
  }

  void Abandon(Ticket ticket) {
    std::function<void()> dropped;  // destroyed outside the lock
    std::lock_guard lock(mutex_);
    for (auto it = queue_.begin(); it != queue_.end(); ++it) {
      if (it->first != ticket) continue;
      dropped = std::move(it->second);
      queue_.erase(it);
      return;
    }
    for (Thread& thread : threads_) {
      if (!thread.busy || thread.ticket != ticket || thread.abandoned) continue;
      thread.abandoned = true;
      if (!stopping_) AddThread();
      return;
    }
  }

  int Shutdown(Duration grace, bool wait_for_works) {
    std::deque<std::pair<Ticket, std::function<void()>>> dropped;
    std::list<Thread> ended;
    int left_behind = 0;
    {
      std::unique_lock lock(mutex_);
      stopping_ = true;
      dropped.swap(queue_);
      work_cv_.notify_all();
      if (wait_for_works) {
        idle_cv_.wait(lock, [this] { return CountBusy(/*abandoned_too=*/false) == 0; });
      } else {
        // Bounded, because the clock's time plus the longest duration would overflow.
        const Duration bounded = std::min<Duration>(grace, std::chrono::hours(24 * 365));
        idle_cv_.wait_until(lock, std::chrono::steady_clock::now() + bounded,
                            [this] { return CountBusy(/*abandoned_too=*/true) == 0; });
      }
      for (Thread& thread : threads_) {
        if (!thread.busy) continue;
        // Later Shutdowns count it again, as long as it runs.
        if (thread.handle.joinable()) thread.handle.detach();
        ++left_behind;
      }
      for (auto it = threads_.begin(); it != threads_.end();) {
        auto next = std::next(it);
        if (it->handle.joinable()) ended.splice(ended.end(), threads_, it);
        it = next;
      }
    }
    for (Thread& thread : ended) thread.handle.join();
    return left_behind;
  }

 private:
  struct Thread {
    std::thread handle;
    Ticket ticket = 0;
    bool busy = false;
    bool abandoned = false;
  };

  int CountBusy(bool abandoned_too) const {
    return static_cast<int>(std::count_if(
        threads_.begin(), threads_.end(),
        [&](const Thread& thread) { return thread.busy && (abandoned_too || !thread.abandoned); }));
  }

  void AddThread() {  // with mutex_ held
    Thread& thread = threads_.emplace_back();
    thread.handle = std::thread([self = shared_from_this(), &thread] { self->Loop(thread); });
  }

  // `self` is in threads_ or, once the pool stops and the thread is not busy, in the list of those
  // who join it.
  void Loop(Thread& self) {
    if (thread_start_) thread_start_();
    std::unique_lock lock(mutex_);
    while (!self.abandoned) {
      work_cv_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      auto [ticket, work] = std::move(queue_.front());
      queue_.pop_front();
      self.ticket = ticket;
      self.busy = true;
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
      self.busy = false;
      idle_cv_.notify_all();
    }
  }

  const std::function<void()> thread_start_;
  std::mutex mutex_;
  std::condition_variable work_cv_;
  std::condition_variable idle_cv_;
  std::deque<std::pair<Ticket, std::function<void()>>> queue_;
  std::list<Thread> threads_;  // a list: the threads hold references to their entries
  Ticket next_ticket_ = 1;
  bool stopping_ = false;
};

TrainingPool::TrainingPool(int threads, std::function<void()> thread_start)
    : state_(std::make_shared<State>(std::move(thread_start))) {
  state_->Start(std::max(1, threads));
}

TrainingPool::~TrainingPool() { state_->Shutdown(Duration::zero(), /*wait_for_works=*/true); }

TaskRunner::Ticket TrainingPool::Run(std::function<void()> work) {
  return state_->Run(std::move(work));
}

void TrainingPool::Abandon(Ticket ticket) { state_->Abandon(ticket); }

int TrainingPool::Shutdown(Duration grace) {
  return state_->Shutdown(grace, /*wait_for_works=*/false);
}

}  // namespace skein
