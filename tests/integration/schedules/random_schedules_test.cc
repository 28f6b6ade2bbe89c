// Whole federations of the real nodes under random schedules, in virtual time: random trees,
// policies, speeds, broken links, losses, drop-outs and budgets. Whatever happens, the invariants
// of schedule_checks.h hold. A failure prints the command that replays its seed.
#include <cerrno>
#include <string>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "integration/schedules/random_schedule.h"
#include "integration/schedules/schedule_checks.h"
#include "support/iterations.h"

namespace skein {
namespace {

std::string ReplayCommand(uint64_t seed) {
  return "SKEIN_SIM_SEED=" + std::to_string(seed) + " " + program_invocation_name +
         " --gtest_filter=RandomSchedules.KeepTheInvariants";
}

// Events of the simulation; most schedules take some thousands.
constexpr uint64_t kMostSteps = 1'000'000;

std::string LastEvents(const SimFederation& federation) {
  constexpr size_t kShown = 20;
  const std::vector<Event>& events = federation.events();
  std::string text;
  for (size_t i = events.size() - std::min(events.size(), kShown); i < events.size(); ++i) {
    text += ToJsonLine(events[i]) + '\n';
  }
  return text;
}

void RunSchedule(const Schedule& schedule) {
  UpdateLedger ledger;
  auto staging = std::make_shared<StagingWatch>();
  SimFederation federation(
      {.topology = schedule.topology,
       .config = schedule.config,
       .faults = schedule.Faults(),
       .watch = [&](std::shared_ptr<Transport> network) { return WatchStaging(network, staging); },
       .control_latency = schedule.control_latency,
       .work = [&](const NodeId& node) { return schedule.Work(node); },
       .trainer =
           [&](const NodeView& view) {
             return ledger.NewTrainer(view.leaf_begin, schedule.bad_updates, schedule.seed);
           }});
  for (const Schedule::Death& death : schedule.deaths) {
    Simulation& simulation = federation.simulation();
    simulation.At(death.at, [&] { federation.Kill(death.node); });
    if (!death.away) continue;
    simulation.At(death.at + *death.away, [&] { federation.StartNode(death.node); });
  }
  ASSERT_TRUE(federation.Run(std::chrono::hours(24), kMostSteps))
      << "never ended; the last that happened:\n"
      << LastEvents(federation);
  ExpectSound(schedule, federation, ledger, *staging);
}

// Failures of the test so far.
int PartsSoFar() {
  return ::testing::UnitTest::GetInstance()->current_test_info()->result()->total_part_count();
}

TEST(RandomSchedules, KeepTheInvariants) {
  spdlog::set_level(spdlog::level::off);
  const auto [first, count] = SeedsToRun(500);
  constexpr int kFailuresShown = 5;
  int failed = 0;
  for (uint64_t seed = first; seed < first + count && failed < kFailuresShown; ++seed) {
    const int parts = PartsSoFar();
    SCOPED_TRACE("replay with: " + ReplayCommand(seed));
    const Schedule schedule = DrawSchedule(seed);
    if (count == 1) std::fputs(schedule.Describe().c_str(), stderr);
    RunSchedule(schedule);
    failed += PartsSoFar() != parts;
  }
}

}  // namespace
}  // namespace skein
