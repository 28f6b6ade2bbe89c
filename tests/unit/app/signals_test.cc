#include "app/signals.h"

#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include <gtest/gtest.h>

namespace skein {
namespace {

constexpr auto kLong = std::chrono::seconds(30);

TEST(StopSignals, TheFirstSignalAsksForAStop) {
  StopSignals signals;
  std::promise<void> asked;
  signals.OnStop([&asked] { asked.set_value(); });
  kill(getpid(), SIGINT);
  EXPECT_EQ(asked.get_future().wait_for(kLong), std::future_status::ready);
  signals.OnStop(nullptr);
}

TEST(StopSignals, ASignalThatCameEarlyIsNotLost) {
  StopSignals signals;
  std::promise<void> asked;
  auto future = asked.get_future();
  signals.OnStop([] {});
  std::promise<void> seen;
  signals.OnStop([&seen] { seen.set_value(); });
  kill(getpid(), SIGTERM);
  ASSERT_EQ(seen.get_future().wait_for(kLong), std::future_status::ready);
  signals.OnStop([&asked] { asked.set_value(); });
  EXPECT_EQ(future.wait_for(std::chrono::seconds(0)), std::future_status::ready);
}

TEST(StopSignalsDeathTest, ASignalAfterTheEndChangesNothing) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        { StopSignals signals; }
        kill(getpid(), SIGINT);
        kill(getpid(), SIGTERM);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
}

TEST(StopSignalsDeathTest, TheSecondSignalEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        StopSignals signals;
        std::promise<void> asked;
        signals.OnStop([&asked] { asked.set_value(); });
        kill(getpid(), SIGTERM);
        asked.get_future().wait();
        kill(getpid(), SIGTERM);
        while (true) pause();
      },
      testing::KilledBySignal(SIGTERM), "");
}

// And does not wait for what cannot come.
TEST(StopSignalsDeathTest, WithoutDescriptorsSignalsAreNotTaken) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const rlimit none{};
        setrlimit(RLIMIT_NOFILE, &none);
        { StopSignals signals; }
        StopSignals signals;
        kill(getpid(), SIGTERM);
        while (true) pause();
      },
      testing::KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace skein
