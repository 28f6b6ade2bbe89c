// The installed test kit: virtual time passes at once.

#include <chrono>
#include <cstdio>

#include <skein/testing/sim_executor.h>

int main() {
  skein::testing::Simulation simulation;
  auto executor = simulation.NewExecutor();
  bool fired = false;
  executor->PostAt(executor->Now() + std::chrono::hours(1), [&fired] { fired = true; });
  simulation.RunFor(std::chrono::minutes(59));
  const bool early = fired;
  simulation.RunFor(std::chrono::minutes(1));
  std::printf("early: %d, on time: %d\n", early, fired);
  return !early && fired ? 0 : 1;
}
