#include "control/scheduler_setup.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "skein/base/status.h"

namespace skein {

absl::StatusOr<SchedulerSetup> MakeSchedulerSetup(RunConfig config,
                                                  std::shared_ptr<const Topology> topology,
                                                  const Selector& selector,
                                                  const StrategyRegistries& strategies) {
  if (config.run_id.empty()) return absl::InvalidArgumentError("the run has no id");
  if (config.rounds == 0) return absl::InvalidArgumentError("rounds: must be at least 1");
  const int num_tiers = topology->num_tiers();
  SchedulerSetup setup;
  SKEIN_ASSIGN_OR_RETURN(setup.seq_count, SeqCountOf(config.strategy, num_tiers));
  // Only known parts can say what they need; the coordinator refuses to start with others.
  bool everyone = selector.SelectsEveryone();
  for (int tier = 0; everyone && tier < num_tiers - 1; ++tier) {
    const auto parts = MakeTierParts(config.strategy, tier, num_tiers, strategies);
    everyone = parts.ok() && parts->policy->NeedsEveryone();
    setup.loss_is_fatal.push_back(everyone);
  }
  const std::vector<bool> barriers = BarriersOf(config.strategy, num_tiers, strategies);
  setup.root_has_barrier = barriers.front();
  setup.all_have_barriers =
      std::all_of(barriers.begin(), barriers.end(), [](bool barrier) { return barrier; });
  if (config.evaluate.workers) SKEIN_RETURN_IF_ERROR(CheckWorkersCanEvaluate(barriers));
  setup.record.run_id = config.run_id;
  setup.config = std::move(config);
  setup.topology = std::move(topology);
  return setup;
}

}  // namespace skein
