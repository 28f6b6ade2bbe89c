#include "runtime/make_core.h"

#include <algorithm>
#include <utility>

#include "runtime/barrier_core.h"
#include "runtime/stream_core.h"

namespace skein {
namespace {

constexpr uint64_t kDefaultStagingBytes = uint64_t{64} << 20;

}  // namespace

std::unique_ptr<AggregatorCore> MakeAggregatorCore(const NodeView& view, const TierParts& parts,
                                                   const RuntimeLimits& limits) {
  AggregatorCoreConfig core{.view = view,
                            .policy = parts.policy,
                            .kappa = parts.kappa,
                            .reports_as_one = parts.above != nullptr,
                            .answers_passes = parts.answers_passes,
                            .leads_passes = LeadsPasses(view, parts),
                            .staging_bytes = limits.staging_bytes,
                            .upload_stall_timeout = limits.upload_stall_timeout,
                            .staleness = parts.staleness,
                            .bases_kept = view.tier == 0 ? parts.mixing->VersionsKept() : 0};
  if (parts.policy->has_barrier()) return std::make_unique<BarrierCore>(std::move(core));
  return std::make_unique<StreamCore>(std::move(core));
}

bool HasAggregators(const NodeView& view) {
  return std::ranges::find(view.children, NodeRole::kAggregator, &NodeView::Child::role) !=
         view.children.end();
}

bool LeadsPasses(const NodeView& view, const TierParts& parts) {
  return parts.leads_passes && HasAggregators(view);
}

uint64_t StagingBytes(const RuntimeLimits& limits, uint64_t model_bytes) {
  if (limits.staging_bytes != 0) return limits.staging_bytes;
  return std::max(kDefaultStagingBytes, model_bytes);
}

}  // namespace skein
