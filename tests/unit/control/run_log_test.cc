#include "control/run_log.h"

#include <gtest/gtest.h>

namespace skein {
namespace {

TEST(RunLogTest, WakesEachWaiterOnceForAChange) {
  RunLog log("there/events.jsonl");
  EXPECT_EQ(log.path(), "there/events.jsonl");
  int woken = 0;
  log.Wait(log.state().changes, [&] { ++woken; });
  EXPECT_EQ(woken, 0);
  log.OnEvent({});
  EXPECT_EQ(woken, 1);
  log.OnEvent({});
  EXPECT_EQ(woken, 1);
}

TEST(RunLogTest, WhoHasMissedAChangeDoesNotWait) {
  RunLog log("");
  const uint64_t seen = log.state().changes;
  log.OnEvent({});
  bool woken = false;
  log.Wait(seen, [&] { woken = true; });
  EXPECT_TRUE(woken);
}

TEST(RunLogTest, AWaiterMayWaitAgain) {
  RunLog log("");
  int woken = 0;
  std::function<void()> again = [&] {
    ++woken;
    log.Wait(log.state().changes, again);
  };
  log.Wait(log.state().changes, again);
  log.OnEvent({});
  log.OnEvent({});
  EXPECT_EQ(woken, 2);
}

TEST(RunLogTest, TellsWhyARunWaitsUntilItDoesNot) {
  RunLog log("");
  log.SetWaits("for w0");
  EXPECT_EQ(log.state().waits, "for w0");
  log.OnEvent({});
  EXPECT_EQ(log.state().waits, "");
  EXPECT_FALSE(log.state().over);
  log.SetWaits("for w0");
  log.SetOver();
  EXPECT_EQ(log.state().waits, "");
  EXPECT_TRUE(log.state().over);
}

}  // namespace
}  // namespace skein
