#include "skein/base/thread_pool.h"

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(ThreadPool, StrandRunsTasksInOrderWithoutOverlap) {
  ThreadPool pool(4);
  auto executor = pool.NewExecutor();
  int running = 0;  // guarded by the strand alone; a sanitizer would see an overlap
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 1000; ++i) {
    executor->Post([&, i] {
      EXPECT_EQ(++running, 1);
      order.push_back(i);
      --running;
      if (i == 999) done.set_value();
    });
  }
  done.get_future().wait();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(order[i], i);
}

TEST(ThreadPool, StrandsRunInParallel) {
  ThreadPool pool(2);
  auto a = pool.NewExecutor(), b = pool.NewExecutor();
  std::promise<void> a_waits, b_came;
  a->Post([&] {
    b_came.get_future().wait();  // would never end if b had to wait for a
    a_waits.set_value();
  });
  b->Post([&] { b_came.set_value(); });
  a_waits.get_future().wait();
}

TEST(ThreadPool, TimersFireInOrderOfTime) {
  ThreadPool pool(1);
  auto executor = pool.NewExecutor();
  std::vector<int> order;
  std::promise<void> done;
  const Time now = executor->Now();
  executor->PostAt(now + std::chrono::milliseconds(4), [&] {
    order.push_back(2);
    done.set_value();
  });
  executor->PostAt(now + std::chrono::milliseconds(2), [&] { order.push_back(1); });
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
  EXPECT_GE(executor->Now(), now + std::chrono::milliseconds(4));
}

TEST(ThreadPool, ShutdownDropsWhatIsQueuedAndExecutorsMayOutliveIt) {
  std::shared_ptr<Executor> executor;
  std::atomic<bool> ran = false;
  {
    ThreadPool pool(1);
    executor = pool.NewExecutor();
    executor->PostAt(executor->Now() + std::chrono::hours(1), [&] { ran = true; });
  }
  executor->Post([&] { ran = true; });
  EXPECT_FALSE(ran);
}

TEST(ThreadPool, ShutdownReleasesWhatDroppedTasksOwn) {
  // Like a node: it owns its executor, and the executor's tasks own it.
  struct Owner {
    std::shared_ptr<Executor> executor;
  };
  std::weak_ptr<Owner> queued;
  std::weak_ptr<Owner> late;
  {
    ThreadPool pool(1);
    std::promise<void> running;
    std::promise<void> go_on;
    auto busy = pool.NewExecutor();
    busy->Post([&] {
      running.set_value();
      go_on.get_future().wait();
    });
    running.get_future().wait();  // the only thread is taken, so the next task stays in its queue
    auto owner = std::make_shared<Owner>(Owner{pool.NewExecutor()});
    owner->executor->Post([owner] {});
    queued = owner;
    auto after = std::make_shared<Owner>(Owner{pool.NewExecutor()});
    std::thread shutdown([&pool] { pool.Shutdown(); });
    go_on.set_value();
    shutdown.join();
    after->executor->Post([after] {});
    late = after;
  }
  EXPECT_TRUE(queued.expired());
  EXPECT_TRUE(late.expired());
}

}  // namespace
}  // namespace skein
