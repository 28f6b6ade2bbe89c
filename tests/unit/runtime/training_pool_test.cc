#include "skein/runtime/training_pool.h"

#include <atomic>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/global_rng_turn.h"

namespace skein {
namespace {

// Works refer to locals of their test: the pool is declared after those, so it goes before them.

TEST(TrainingPool, RunsAsManyWorksAtOnceAsItHasThreads) {
  std::latch both(2), done(2);
  TrainingPool pool(2, nullptr);
  for (int i = 0; i < 2; ++i) {
    pool.Run([&] {
      both.arrive_and_wait();  // would never end with one thread
      done.count_down();
    });
  }
  done.wait();
}

TEST(TrainingPool, RunsNoMoreWorksAtOnceThanItHasThreads) {
  std::atomic<int> running = 0, most = 0;
  std::latch done(200);
  TrainingPool pool(2, nullptr);
  for (int i = 0; i < 200; ++i) {
    pool.Run([&] {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      --running;
      done.count_down();
    });
  }
  done.wait();
  EXPECT_LE(most, 2);
}

TEST(TrainingPool, StartsWorksInOrder) {
  std::vector<int> order;  // one thread: no lock needed
  std::promise<void> done;
  TrainingPool pool(1, nullptr);
  for (int i = 0; i < 100; ++i) {
    pool.Run([&, i] {
      order.push_back(i);
      if (i == 99) done.set_value();
    });
  }
  done.get_future().wait();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[i], i);
}

TEST(TrainingPool, PreparesEveryThreadBeforeItsFirstWorkAlsoReplacements) {
  std::atomic<int> started = 0;
  std::promise<void> running, release;
  std::promise<int> seen;
  TrainingPool pool(1, [&] { ++started; });
  const auto stuck = pool.Run([&] {
    EXPECT_EQ(started, 1);
    running.set_value();
    release.get_future().wait();
  });
  running.get_future().wait();
  pool.Abandon(stuck);
  pool.Run([&] { seen.set_value(started); });
  EXPECT_EQ(seen.get_future().get(), 2);
  release.set_value();
  EXPECT_EQ(pool.Shutdown(kNever), 0);
}

TEST(TrainingPool, AbandonedWorkThatHasNotStartedNeverRuns) {
  std::promise<void> release, done;
  std::atomic<bool> ran = false;
  auto held = std::make_shared<int>(0);
  TrainingPool pool(1, nullptr);
  pool.Run([&] { release.get_future().wait(); });
  const auto queued = pool.Run([&ran, held] { ran = true; });
  pool.Run([&] { done.set_value(); });
  pool.Abandon(queued);
  EXPECT_EQ(held.use_count(), 1);  // destroyed at once
  release.set_value();
  done.get_future().wait();
  EXPECT_FALSE(ran);
}

TEST(TrainingPool, AbandonedThreadTakesNoMoreWorkWhenItComesBack) {
  std::promise<std::thread::id> stuck_id;
  std::promise<void> release;
  std::latch done(50);
  std::atomic<int> running = 0;
  TrainingPool pool(1, nullptr);
  const auto stuck = pool.Run([&] {
    stuck_id.set_value(std::this_thread::get_id());
    release.get_future().wait();
  });
  const std::thread::id id = stuck_id.get_future().get();
  pool.Abandon(stuck);
  pool.Abandon(stuck);  // no second replacement
  release.set_value();
  for (int i = 0; i < 50; ++i) {
    pool.Run([&] {
      EXPECT_EQ(++running, 1);
      EXPECT_NE(std::this_thread::get_id(), id);
      --running;
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(pool.Shutdown(kNever), 0);  // the abandoned thread, too, has left the locals alone
}

TEST(TrainingPool, AbandoningWorkThatHasEndedHasNoEffect) {
  std::atomic<int> started = 0;
  std::promise<void> first, second;
  TrainingPool pool(1, [&] { ++started; });
  const auto ended = pool.Run([&] { first.set_value(); });
  first.get_future().wait();
  pool.Run([&] { second.set_value(); });
  second.get_future().wait();
  pool.Abandon(ended);
  EXPECT_EQ(pool.Shutdown(kNever), 0);
  EXPECT_EQ(started, 1);
}

TEST(TrainingPool, ShutdownReportsWorksLeftBehindAndDropsQueuedOnes) {
  // Owned by the works, which outlive the pool.
  struct Shared {
    std::promise<void> running, release, ended;
    std::atomic<bool> queued_ran = false;
  };
  auto shared = std::make_shared<Shared>();
  {
    TrainingPool pool(1, nullptr);
    const auto stuck = pool.Run([shared] {
      shared->running.set_value();
      shared->release.get_future().wait();
      shared->ended.set_value();
    });
    shared->running.get_future().wait();
    pool.Run([shared] { shared->queued_ran = true; });
    EXPECT_EQ(pool.Shutdown(Duration::zero()), 1);
    EXPECT_EQ(pool.Shutdown(Duration::zero()), 1);
    pool.Abandon(stuck);  // so that the destructor does not wait for it
  }
  shared->release.set_value();
  shared->ended.get_future().wait();
  EXPECT_FALSE(shared->queued_ran);
}

TEST(TrainingPool, ShutdownWaitsForWorkThatEndsInTime) {
  std::promise<void> running, release;
  std::atomic<bool> ended = false;
  TrainingPool pool(2, nullptr);
  pool.Run([&] {
    running.set_value();
    release.get_future().wait();
    ended = true;
  });
  running.get_future().wait();
  std::thread releaser([&] { release.set_value(); });
  EXPECT_EQ(pool.Shutdown(kNever), 0);
  EXPECT_TRUE(ended);
  releaser.join();
  pool.Run([] { FAIL() << "ran after Shutdown"; });
}

TEST(GlobalRngTurn, IsOneHoldersAtATime) {
  auto turn = std::make_shared<GlobalRngTurn>();
  int unguarded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        auto hold = turn->Take(nullptr, Duration::zero());
        ++unguarded;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(unguarded, 400);
}

TEST(GlobalRngTurn, WaiterLeavesWhenItIsCancelled) {
  auto turn = std::make_shared<GlobalRngTurn>();
  auto hold = turn->Take(nullptr, Duration::zero());
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto waiter = std::async(std::launch::async,
                           [&] { return turn->Take(cancelled, Duration::zero()).status(); });
  *cancelled = true;
  EXPECT_EQ(waiter.get().code(), absl::StatusCode::kCancelled);
}

TEST(GlobalRngTurn, PassesOnFromAHolderThatIgnoresCancellation) {
  auto turn = std::make_shared<GlobalRngTurn>();
  auto cancelled = std::make_shared<std::atomic<bool>>(false);
  auto stuck = std::make_unique<absl::StatusOr<GlobalRngTurn::Hold>>(
      turn->Take(cancelled, Duration::zero()));
  *cancelled = true;
  auto next = turn->Take(nullptr, Duration::zero());  // would never end otherwise
  ASSERT_TRUE(next.ok());
  // The late return of the stuck one does not free the turn of the next.
  stuck.reset();
  auto impatient = std::make_shared<std::atomic<bool>>(true);
  EXPECT_EQ(turn->Take(impatient, Duration::zero()).status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace skein
