#include "strategy/linear/linear_shape.h"

#include <algorithm>

#include "skein/base/status.h"
#include "skein/strategy/fold.h"
#include "strategy/linear/linear_checks.h"

namespace skein {

absl::StatusOr<LinearShape> LinearShape::Create(const Manifest& model, const NumericPlan& plan,
                                                IntegerRule integers, const LinearEngine& engine) {
  SKEIN_RETURN_IF_ERROR(CheckNumericPlan(plan, model));
  SKEIN_ASSIGN_OR_RETURN(Manifest update, UpdateManifest(model));
  SKEIN_ASSIGN_OR_RETURN(Manifest partial, PartialManifest(model));
  return LinearShape(model, plan, integers, engine, std::move(update), std::move(partial));
}

LinearShape::LinearShape(const Manifest& model, const NumericPlan& plan, IntegerRule integers,
                         const LinearEngine& engine, Manifest update, Manifest partial)
    : model_(model),
      plan_(plan),
      integers_(integers),
      kernels_(engine.kernels),
      tiles_(model, engine.tile_elements),
      max_total_weight_(
          static_cast<int64_t>(std::clamp<uint64_t>(plan.max_total_weight, 1, INT64_MAX))),
      update_(std::move(update)),
      partial_(std::move(partial)) {}

ElementRule LinearShape::RuleOf(size_t tensor) const {
  const DType dtype = model_[tensor].dtype;
  if (IsFloat(dtype)) return ElementRule::kFloat;
  const bool mean = integers_ == IntegerRule::kMean && dtype != DType::kBool;
  return mean ? ElementRule::kIntegerMean : ElementRule::kIntegerMax;
}

IntRange LinearShape::AllowedIntegers(size_t tensor) const {
  const DType dtype = model_[tensor].dtype;
  return RuleOf(tensor) == ElementRule::kIntegerMean ? AveragingRange(dtype, max_total_weight_)
                                                     : RangeOf(dtype);
}

IntRange LinearShape::AllowedSums(size_t tensor, const LinearInput& partial) const {
  if (RuleOf(tensor) == ElementRule::kFloat) {
    return ScaledRange(plan_.scales[tensor], partial.weight, partial.updates);
  }
  const IntRange one = AllowedIntegers(tensor);
  const int64_t times = RuleOf(tensor) == ElementRule::kIntegerMean ? partial.weight : 1;
  return {one.low * times, one.high * times};
}

}  // namespace skein
