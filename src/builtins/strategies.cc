#include "skein/builtins/strategies.h"

#include <cstdio>
#include <cstdlib>

#include "skein/base/status.h"
#include "strategy/bulyan/bulyan.h"
#include "strategy/centered_clipping/centered_clipping.h"
#include "strategy/clipped_mean/clipped_mean.h"
#include "strategy/fedavg/fedavg.h"
#include "strategy/fedavgm/fedavgm.h"
#include "strategy/feddyn/feddyn.h"
#include "strategy/fednova/fednova.h"
#include "strategy/fedopt/fedopt.h"
#include "strategy/fedsgd/fedsgd.h"
#include "strategy/filter_max_norm/filter_max_norm.h"
#include "strategy/geometric_median/geometric_median.h"
#include "strategy/krum/krum.h"
#include "strategy/mean/mean.h"
#include "strategy/median/median.h"
#include "strategy/mixing/mixing.h"
#include "strategy/multi_krum/multi_krum.h"
#include "strategy/policy_all/policy_all.h"
#include "strategy/policy_buffered/policy_buffered.h"
#include "strategy/policy_every_update/policy_every_update.h"
#include "strategy/policy_fedcompass/policy_fedcompass.h"
#include "strategy/policy_interval/policy_interval.h"
#include "strategy/policy_over_select/policy_over_select.h"
#include "strategy/policy_quorum/policy_quorum.h"
#include "strategy/policy_tiered/policy_tiered.h"
#include "strategy/qfedavg/qfedavg.h"
#include "strategy/select_all/select_all.h"
#include "strategy/select_count/select_count.h"
#include "strategy/select_fraction/select_fraction.h"
#include "strategy/select_oort/select_oort.h"
#include "strategy/select_power_of_choice/select_power_of_choice.h"
#include "strategy/select_round_robin/select_round_robin.h"
#include "strategy/select_stratified/select_stratified.h"
#include "strategy/select_where/select_where.h"
#include "strategy/sgd/sgd.h"
#include "strategy/signsgd/signsgd.h"
#include "strategy/staleness/staleness.h"
#include "strategy/term_ditto/term_ditto.h"
#include "strategy/term_fedbn/term_fedbn.h"
#include "strategy/term_feddyn/term_feddyn.h"
#include "strategy/term_fedprox/term_fedprox.h"
#include "strategy/term_local/term_local.h"
#include "strategy/term_scaffold/term_scaffold.h"
#include "strategy/trimmed_mean/trimmed_mean.h"

namespace skein {

void RegisterBuiltinStrategies(StrategyRegistries& registries) {
  for (auto* register_part : {RegisterFedAvg,
                              RegisterFedSgd,
                              RegisterMean,
                              RegisterFedNova,
                              RegisterQFedAvg,
                              RegisterClippedMean,
                              RegisterSignSgd,
                              RegisterMedian,
                              RegisterSgd,
                              RegisterFedAvgM,
                              RegisterFedOpt,
                              RegisterFedDynOptimizer,
                              RegisterTrimmedMean,
                              RegisterKrum,
                              RegisterMultiKrum,
                              RegisterBulyan,
                              RegisterGeometricMedian,
                              RegisterCenteredClipping,
                              RegisterSelectAll,
                              RegisterSelectFraction,
                              RegisterSelectCount,
                              RegisterSelectRoundRobin,
                              RegisterSelectWhere,
                              RegisterSelectStratified,
                              RegisterSelectPowerOfChoice,
                              RegisterSelectOort,
                              RegisterPolicyAll,
                              RegisterPolicyQuorum,
                              RegisterPolicyOverSelect,
                              RegisterPolicyBuffered,
                              RegisterPolicyEveryUpdate,
                              RegisterPolicyInterval,
                              RegisterPolicyFedCompass,
                              RegisterPolicyTiered,
                              RegisterMaxNormFilter,
                              RegisterStaleness,
                              RegisterMixing,
                              RegisterFedProxTerm,
                              RegisterScaffoldTerm,
                              RegisterFedDynTerm,
                              RegisterDittoTerm,
                              RegisterFedBnTerm,
                              RegisterLocalTerm}) {
    const absl::Status status = register_part(registries);
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", Message(status).c_str());
    std::abort();
  }
}

}  // namespace skein
