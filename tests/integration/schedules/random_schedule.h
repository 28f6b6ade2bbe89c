#ifndef SKEIN_TESTS_INTEGRATION_SCHEDULES_RANDOM_SCHEDULE_H_
#define SKEIN_TESTS_INTEGRATION_SCHEDULES_RANDOM_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "skein/base/simulation.h"
#include "skein/runtime/run_config.h"
#include "skein/testing/faulty_transport.h"

namespace skein {

// All that is drawn for one federation: its tree, its policies, and what goes wrong. A function of
// the seed.
struct Schedule {
  struct Death {
    NodeId node;
    Time at{0};
    std::optional<Duration> away;  // it comes back after that, if ever
  };
  uint64_t seed = 0;
  Topology topology;
  RunConfig config;
  Duration control_latency{0};
  std::vector<Death> deaths;
  double fault_rate = 0;      // of frames
  bool loses_frames = false;  // also single frames, which no transport should
  bool hangs = false;         // some learners never return
  double bad_updates = 0;     // share
  double task_s = 1;          // a training of a usual worker

  // Whether all tiers have barriers, or none lets anybody out.
  bool has_barriers = true;
  bool synchronous = true;
  bool has_local_rounds = false;
  bool bounds_staleness = false;

  // Nothing goes wrong that could end the run: it must complete.
  bool harmless() const { return deaths.empty() && !loses_frames && !hangs && bad_updates == 0; }
  // Nothing goes wrong at all.
  bool calm() const { return harmless() && fault_rate == 0; }

  testing::FaultPlan Faults() const;
  Simulation::TaskModel Work(const NodeId& node) const;
  std::string Describe() const;
};

Schedule DrawSchedule(uint64_t seed);

}  // namespace skein

#endif  // SKEIN_TESTS_INTEGRATION_SCHEDULES_RANDOM_SCHEDULE_H_
