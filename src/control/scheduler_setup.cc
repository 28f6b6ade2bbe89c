#include "control/scheduler_setup.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "codec/link_codecs.h"
#include "skein/base/status.h"
#include "skein/control/helm.h"

namespace skein {

absl::StatusOr<SchedulerSetup> MakeSchedulerSetup(SchedulerOptions options,
                                                  const StrategyRegistries* strategies) {
  const RunConfig& config = options.config;
  if (config.run_id.empty()) return absl::InvalidArgumentError("the run has no id");
  if (config.rounds == 0) return absl::InvalidArgumentError("rounds: must be at least 1");
  SKEIN_RETURN_IF_ERROR(CheckStopRules(options.stop, config.evaluate));
  const int num_tiers = options.topology->num_tiers();
  const std::vector<bool> barriers = BarriersOf(config.strategy, num_tiers, *strategies);
  if (config.evaluate.workers) SKEIN_RETURN_IF_ERROR(CheckWorkersCanEvaluate(barriers));
  SchedulerSetup setup;
  SKEIN_ASSIGN_OR_RETURN(setup.seq_count, SeqCountOf(config.strategy, num_tiers));
  setup.root_has_barrier = barriers.front();
  setup.all_have_barriers =
      std::all_of(barriers.begin(), barriers.end(), [](bool barrier) { return barrier; });
  setup.fold_placement = FoldPlacement(config.strategy, num_tiers, *strategies);
  SKEIN_ASSIGN_OR_RETURN(const auto codecs,
                         LinkCodecs::Create(config.strategy, num_tiers, *strategies));
  setup.codecs = codecs->Description();
  setup.exact_sums = codecs->HasExactSums();
  setup.helm = std::make_shared<Helm>(std::move(options.steering), config.strategy,
                                      options.topology, strategies);
  setup.loss_is_fatal = setup.helm->LossIsFatal();
  setup.stop = std::move(options.stop);
  setup.topology = std::move(options.topology);
  setup.config = std::move(options.config);
  return setup;
}

}  // namespace skein
