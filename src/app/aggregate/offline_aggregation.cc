#include "app/aggregate/offline_aggregation.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/finite_check.h"
#include "strategy/magnitude.h"
#include "strategy/norm.h"

namespace skein {
namespace {

constexpr double kMostSamples = 0x1p30;  // of one input
constexpr int kMostBoundLog2 = 127;      // float32 ends there

absl::Status Bad(const std::string& message) { return absl::InvalidArgumentError(message); }

PackedTensors Zeros(const Manifest& manifest) {
  PackedTensors zeros(manifest);
  std::memset(zeros.mutable_bytes().data(), 0, zeros.bytes().size());
  return zeros;
}

// How many samples each weight is; 0 only for 0.
absl::StatusOr<std::vector<uint64_t>> SamplesOf(const std::vector<OfflineInput>& inputs) {
  double largest = 0;
  bool whole = true;
  for (const OfflineInput& input : inputs) {
    if (!(input.weight >= 0) || !std::isfinite(input.weight)) {
      return Bad(input.name + ": its weight is " +
                 (std::isfinite(input.weight) ? ToJson(Value(input.weight)) : "NaN or Inf") +
                 ", it must be a number of at least 0");
    }
    largest = std::max(largest, input.weight);
    whole = whole && std::floor(input.weight) == input.weight;
  }
  if (largest == 0) return Bad("all weights are 0");
  whole = whole && largest <= kMostSamples;
  std::vector<uint64_t> samples;
  for (const OfflineInput& input : inputs) {
    const double scaled = whole ? input.weight : input.weight / largest * kMostSamples;
    const auto rounded = static_cast<uint64_t>(std::llround(scaled));
    samples.push_back(input.weight > 0 ? std::max<uint64_t>(rounded, 1) : 0);
  }
  return samples;
}

// What a fold would do with an update that is longer, done before anything goes by its values.
void Shorten(PackedTensors& update, double longest) {
  if (std::isinf(longest)) return;
  const double norm = NormOf(update);
  if (norm <= longest) return;
  for (size_t t = 0; t < update.manifest().size(); ++t) {
    const TensorInfo& info = update.manifest()[t];
    if (!IsFloat(info.dtype) || info.role != TensorRole::kParameter) continue;
    ForChunks<double>(info, [&](uint64_t at, std::span<double> values) {
      LoadDoubles(info.dtype, update.tensor(t), at, values);
      for (double& v : values) v *= longest / norm;
      StoreDoubles(info.dtype, values, update.mutable_tensor(t), at);
    });
  }
}

// A plan by which sums of these updates keep all that they can: nobody has declared a bound, so
// each tensor has that of its own largest change.
absl::StatusOr<NumericPlan> PlanOf(const OfflineAggregation& job, const Fold& fold,
                                   const PackedTensors& base, uint64_t most_samples,
                                   const std::vector<PackedTensors>& updates) {
  SKEIN_ASSIGN_OR_RETURN(NumericPlan plan, MakeNumericPlan(base, fold.MaxUpdateWeight(most_samples),
                                                           job.inputs.size(), fold.MinBound()));
  for (size_t t = 0; t < plan.scales.size(); ++t) {
    if (!IsFloat(base.manifest()[t].dtype)) continue;
    double largest = 0;
    for (const PackedTensors& update : updates) {
      largest = std::max(largest, LargestMagnitude(update, t));
    }
    TensorScale& scale = plan.scales[t];
    const int bound = std::clamp(CeilLog2(largest), scale.bound_log2, kMostBoundLog2);
    scale = {.scale_bits = scale.scale_bits + scale.bound_log2 - bound, .bound_log2 = bound};
  }
  return plan;
}

// The change to `base`; if it cannot be one, whose fault that is.
absl::StatusOr<PackedTensors> ChangeOf(const OfflineInput& input, const PackedTensors& base) {
  SKEIN_ASSIGN_OR_RETURN(PackedTensors update, DeltaOf(input.model, base));
  const absl::Status fits = CheckFinite(update);
  if (fits.ok()) return update;
  SKEIN_RETURN_IF_ERROR(Annotate(CheckFinite(base), "the global model"));
  SKEIN_RETURN_IF_ERROR(Annotate(CheckFinite(input.model), input.name));
  return Bad(input.name + ": its change does not fit into float32: " + Message(fits));
}

absl::Status CheckBase(const OfflineAggregation& job, const Fold& fold) {
  if (job.base) return absl::OkStatus();
  const std::string remedy = "; name the model they come from with --global";
  if (fold.NeedsChanges()) {
    return Bad("fold '" + job.fold.name + "' goes by changes to a model" + remedy);
  }
  const Params optimizer(job.optimizer.params);
  if (job.optimizer.name != "sgd" || optimizer.RealOr("lr", 1) != 1) {
    return Bad("optimizer '" + job.optimizer.name + "' makes a step from a model" + remedy);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<OfflineResult> Aggregate(const OfflineAggregation& job,
                                        const StrategyRegistries& registries) {
  SKEIN_ASSIGN_OR_RETURN(const auto fold, registries.folds.Create(job.fold));
  SKEIN_ASSIGN_OR_RETURN(const auto optimizer, registries.optimizers.Create(job.optimizer));
  if (job.inputs.empty()) return Bad("there is no model to aggregate");
  SKEIN_RETURN_IF_ERROR(CheckBase(job, *fold));
  const PackedTensors base = job.base ? *job.base : Zeros(job.inputs[0].model.manifest());
  SKEIN_RETURN_IF_ERROR(optimizer->Prepare(base.manifest()));
  SKEIN_ASSIGN_OR_RETURN(const std::vector<uint64_t> samples, SamplesOf(job.inputs));

  std::vector<PackedTensors> updates;  // of those that weigh something
  for (size_t i = 0; i < job.inputs.size(); ++i) {
    const OfflineInput& input = job.inputs[i];
    const std::string against = job.base ? "the global model" : job.inputs[0].name;
    SKEIN_RETURN_IF_ERROR(Annotate(base.manifest().ExpectSame(input.model.manifest()),
                                   input.name + ": is unlike " + against));
    if (samples[i] == 0) continue;
    SKEIN_ASSIGN_OR_RETURN(updates.emplace_back(), ChangeOf(input, base));
    Shorten(updates.back(), fold->LongestUpdate());
  }
  const uint64_t most = *std::ranges::max_element(samples);
  SKEIN_ASSIGN_OR_RETURN(const NumericPlan plan, PlanOf(job, *fold, base, most, updates));
  const auto sums = fold->NewAccumulator(base.manifest(), plan);
  OfflineResult result;
  for (size_t i = 0; i < job.inputs.size(); ++i) {
    if (samples[i] == 0) continue;
    UpdateHeader header;
    header.leaf = static_cast<LeafIndex>(i);
    header.num_samples = samples[i];
    header.metrics = job.inputs[i].metrics;
    SKEIN_RETURN_IF_ERROR(Annotate(sums->Add(header, updates[result.used]), job.inputs[i].name));
    ++result.used;
  }
  SKEIN_ASSIGN_OR_RETURN(result.model, sums->Finish(base, *optimizer));
  result.optimizer_state = optimizer->State();
  return result;
}

}  // namespace skein
