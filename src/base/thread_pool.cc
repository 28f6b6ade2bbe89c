#include "skein/base/thread_pool.h"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace skein {

// What the threads share. Strands hold it too, so an executor may outlive its pool.
class ThreadPool::State {
 public:
  static Time Now() { return std::chrono::steady_clock::now().time_since_epoch(); }

  void Start(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { WorkLoop(); });
    threads_.emplace_back([this] { TimerLoop(); });
  }

  void Enqueue(std::function<void()> work) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      ready_.push_back(std::move(work));
    }
    work_cv_.notify_one();
  }

  void EnqueueAt(Time when, std::function<void()> work) {
    {
      std::lock_guard lock(mutex_);
      if (stopping_) return;
      timers_.emplace(when, std::move(work));
    }
    timer_cv_.notify_one();
  }

  void Stop() {
    std::deque<std::function<void()>> ready;
    std::multimap<Time, std::function<void()>> timers;
    std::vector<std::thread> threads;
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
      ready.swap(ready_);  // dropped outside the lock: destructors may post
      timers.swap(timers_);
      threads.swap(threads_);
    }
    work_cv_.notify_all();
    timer_cv_.notify_all();
    for (std::thread& thread : threads) thread.join();
  }

 private:
  void WorkLoop() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_cv_.wait(lock, [this] { return stopping_ || !ready_.empty(); });
      if (stopping_) return;
      auto work = std::move(ready_.front());
      ready_.pop_front();
      lock.unlock();
      work();
      work = nullptr;
      lock.lock();
    }
  }

  void TimerLoop() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (timers_.empty()) {
        timer_cv_.wait(lock);
        continue;
      }
      const Time next = timers_.begin()->first;
      if (next > Now()) {
        timer_cv_.wait_until(lock, std::chrono::steady_clock::time_point(next));
        continue;
      }
      ready_.push_back(std::move(timers_.begin()->second));
      timers_.erase(timers_.begin());
      work_cv_.notify_one();
    }
  }

  std::mutex mutex_;
  std::condition_variable work_cv_;
  std::condition_variable timer_cv_;
  std::deque<std::function<void()>> ready_;
  std::multimap<Time, std::function<void()>> timers_;
  std::vector<std::thread> threads_;
  bool stopping_ = false;
};

// Serializes its tasks: while one thread drains the queue, others only add to it.
class ThreadPool::Strand : public Executor, public std::enable_shared_from_this<Strand> {
 public:
  explicit Strand(std::shared_ptr<State> state) : state_(std::move(state)) {}

  Time Now() const override { return State::Now(); }

  void Post(std::function<void()> task) override {
    {
      std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
      if (active_) return;
      active_ = true;
    }
    TakeTurn();
  }

  void PostAt(Time when, std::function<void()> task) override {
    // Weak: a timer far in the future must not keep a finished node's strand alive.
    state_->EnqueueAt(when, [weak = weak_from_this(), task = std::move(task)]() mutable {
      if (auto self = weak.lock()) self->Post(std::move(task));
    });
  }

 private:
  void Drain() {
    // A bounded turn, so that a busy strand does not starve the others.
    for (int turn = 0; turn < 64; ++turn) {
      std::function<void()> task;
      {
        std::lock_guard lock(mutex_);
        if (tasks_.empty()) {
          active_ = false;
          return;
        }
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
      task();
    }
    TakeTurn();
  }

  // The strand's place in the pool's queue. Dropped without having run, it drops the strand's
  // tasks: they may own whoever owns the strand, and would keep each other alive.
  class Turn {
   public:
    explicit Turn(std::shared_ptr<Strand> strand) : strand_(std::move(strand)) {}
    ~Turn() {
      if (strand_ != nullptr) strand_->DropTasks();
    }
    void Run() { std::exchange(strand_, nullptr)->Drain(); }

   private:
    std::shared_ptr<Strand> strand_;
  };

  void TakeTurn() {
    state_->Enqueue([turn = std::make_shared<Turn>(shared_from_this())] { turn->Run(); });
  }

  void DropTasks() {
    std::deque<std::function<void()>> dropped;  // outside the lock: destructors may post
    std::lock_guard lock(mutex_);
    dropped.swap(tasks_);
    active_ = false;
  }

  const std::shared_ptr<State> state_;
  std::mutex mutex_;
  std::deque<std::function<void()>> tasks_;
  bool active_ = false;
};

ThreadPool::ThreadPool(int threads) : state_(std::make_shared<State>()) {
  state_->Start(threads < 1 ? 1 : threads);
}

ThreadPool::~ThreadPool() { Shutdown(); }

std::shared_ptr<Executor> ThreadPool::NewExecutor() { return std::make_shared<Strand>(state_); }

void ThreadPool::Shutdown() { state_->Stop(); }

}  // namespace skein
