#include "strategy/linear/linear_accumulator.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "skein/base/value.h"
#include "strategy/linear/linear_checks.h"
#include "strategy/linear/linear_finish.h"
#include "strategy/norm.h"

namespace skein {

using Form = LinearInput::Form;

LinearAccumulator::LinearAccumulator(LinearRule rule, const Manifest& model,
                                     const NumericPlan& plan, const LinearEngine& engine,
                                     std::shared_ptr<BufferPool> buffers)
    : rule_(std::move(rule)),
      shape_(LinearShape::Create(model, plan, rule_.options.integers, engine)),
      buffers_(std::move(buffers)),
      scalar_names_(rule_.scaling != nullptr ? rule_.scaling->ScalarNames()
                                             : std::vector<std::string>()) {}

Fixed128 LinearAccumulator::total_weight() const {
  return Fixed128::FromInt(sums_ == nullptr ? 0 : sums_->total_weight);
}

absl::StatusOr<std::unique_ptr<Intake>> LinearAccumulator::Begin(const UpdateHeader& header,
                                                                 const PackedTensors& staged) {
  if (NeedsNorm()) return Accumulator::Begin(header, staged);
  return BeginUpdate(header, staged, 0);
}

absl::StatusOr<std::unique_ptr<Intake>> LinearAccumulator::BeginUpdate(const UpdateHeader& header,
                                                                       const PackedTensors& staged,
                                                                       double norm) {
  SKEIN_RETURN_IF_ERROR(shape_.status());
  const uint64_t weight = rule_.weight(header);
  if (weight == 0) return absl::InvalidArgumentError("its weight is 0: no samples");
  if (weight > shape_->plan().max_update_weight) {
    return absl::InvalidArgumentError("its weight is " + std::to_string(weight) +
                                      ", the declared bound is " +
                                      std::to_string(shape_->plan().max_update_weight));
  }
  SKEIN_ASSIGN_OR_RETURN(const int64_t whole,
                         WholeWeight(Fixed128::FromInt(static_cast<int64_t>(weight))));
  LinearInput input{.form = Form::kUpdate, .weight = whole};
  if (rule_.scaling != nullptr) {
    SKEIN_ASSIGN_OR_RETURN(const LinearShare share, rule_.scaling->ShareOf(header, norm));
    input.scale = share.scale;
    for (const double scalar : share.scalars) {
      input.scalars.push_back(Fixed128::FromDouble(scalar));
    }
  }
  return BeginInput(std::move(input), staged);
}

absl::StatusOr<std::unique_ptr<Intake>> LinearAccumulator::Begin(const PartialHeader& header,
                                                                 const PackedTensors& staged) {
  SKEIN_RETURN_IF_ERROR(shape_.status());
  SKEIN_ASSIGN_OR_RETURN(const int64_t weight, WholeWeight(header.total_weight));
  const uint64_t updates = header.updates;
  const uint64_t contributions = header.Contributions();
  const size_t workers = header.roster.Count();
  // Each of them has contributed, and nothing that was added weighs nothing.
  if (workers == 0 || updates < workers || updates < contributions ||
      static_cast<uint64_t>(weight) < contributions) {
    return absl::InvalidArgumentError("a partial of " + std::to_string(updates) +
                                      " updates that weighs " + std::to_string(weight) +
                                      " cannot come from " + std::to_string(workers) + " workers");
  }
  if (static_cast<unsigned __int128>(weight) >
      static_cast<unsigned __int128>(updates) * shape_->plan().max_update_weight) {
    return absl::InvalidArgumentError("a partial of " + std::to_string(updates) +
                                      " updates cannot weigh " + std::to_string(weight));
  }
  SKEIN_ASSIGN_OR_RETURN(auto scalars, ScalarsOf(header));
  return BeginInput(
      {.form = Form::kSums, .weight = weight, .updates = updates, .scalars = std::move(scalars)},
      staged);
}

absl::StatusOr<std::vector<Fixed128>> LinearAccumulator::ScalarsOf(
    const PartialHeader& header) const {
  std::vector<Fixed128> scalars;
  for (const std::string& name : scalar_names_) {
    auto it = header.scalars.find(name);
    if (it == header.scalars.end() || it->second < Fixed128()) break;
    scalars.push_back(it->second);
  }
  if (scalars.size() == scalar_names_.size() && header.scalars.size() == scalars.size()) {
    return scalars;
  }
  std::string names;
  for (const std::string& name : scalar_names_) names += (names.empty() ? "'" : ", '") + name + "'";
  return absl::InvalidArgumentError(
      "a partial of this fold has " +
      (names.empty() ? "no scalars" : "the scalars " + names + ", none negative, and no others"));
}

absl::StatusOr<std::unique_ptr<Intake>> LinearAccumulator::BeginInput(LinearInput input,
                                                                      const PackedTensors& staged) {
  SKEIN_RETURN_IF_ERROR(shape_->ManifestOf(input.form).ExpectSame(staged.manifest()));
  if (sums_ == nullptr) {
    sums_ = std::make_unique<LinearSums>(*shape_, scalar_names_.size(), *buffers_);
  }
  SKEIN_RETURN_IF_ERROR(sums_->CheckTotal(input.weight));
  input.bytes = staged.bytes();
  return std::make_unique<LinearIntake>(*sums_, std::move(input));
}

absl::Status LinearAccumulator::Add(const UpdateHeader& header, const PackedTensors& update) {
  if (NeedsNorm()) {
    // Before its elements are looked at as such an update's.
    SKEIN_RETURN_IF_ERROR(shape_.status());
    SKEIN_RETURN_IF_ERROR(shape_->ManifestOf(Form::kUpdate).ExpectSame(update.manifest()));
  }
  SKEIN_ASSIGN_OR_RETURN(const auto intake,
                         BeginUpdate(header, update, NeedsNorm() ? NormOf(update) : 0));
  return intake->Complete();
}

absl::Status LinearAccumulator::Merge(const PartialHeader& header, const PackedTensors& sums) {
  SKEIN_ASSIGN_OR_RETURN(const auto intake, Begin(header, sums));
  return intake->Complete();
}

absl::Status LinearAccumulator::AddSubtree(const PackedTensors& delta, Fixed128 weight) {
  SKEIN_RETURN_IF_ERROR(shape_.status());
  if (!scalar_names_.empty()) {
    return absl::InvalidArgumentError("what a subtree's local rounds made has no '" +
                                      scalar_names_.front() + "', which the fold adds up");
  }
  SKEIN_ASSIGN_OR_RETURN(const int64_t whole, WholeWeight(weight));
  const bool wide = static_cast<uint64_t>(whole) > shape_->plan().max_update_weight;
  SKEIN_ASSIGN_OR_RETURN(
      const auto intake,
      BeginInput({.form = wide ? Form::kSubtree : Form::kUpdate, .weight = whole}, delta));
  return intake->Complete();
}

absl::Status LinearAccumulator::CheckWhole() const {
  if (sums_ != nullptr && sums_->queue.open() > 0) {
    return absl::FailedPreconditionError(std::to_string(sums_->queue.open()) +
                                         " contributions are still being taken in");
  }
  if (sums_ == nullptr || sums_->total_weight == 0) {
    return absl::FailedPreconditionError("nothing was added to the aggregation");
  }
  return absl::OkStatus();
}

absl::StatusOr<Partial> LinearAccumulator::TakePartial() {
  SKEIN_RETURN_IF_ERROR(CheckWhole());
  Partial partial{total_weight(), {}, sums_->ring.Take()};
  for (size_t i = 0; i < scalar_names_.size(); ++i) {
    partial.scalars.emplace(scalar_names_[i], sums_->scalars[i]);
  }
  sums_.reset();
  return partial;
}

absl::StatusOr<double> LinearAccumulator::Divisor() const {
  const auto total = static_cast<double>(sums_->total_weight);
  if (rule_.scaling == nullptr) return total;
  std::vector<double> scalars;
  for (const Fixed128& scalar : sums_->scalars) scalars.push_back(scalar.ToDouble());
  const double divisor = rule_.scaling->Divisor(total, scalars);
  if (divisor > 0 && std::isfinite(divisor)) return divisor;
  return absl::FailedPreconditionError("what the updates are to be divided by comes to " +
                                       ToJson(Value(divisor)));
}

absl::StatusOr<PackedTensors> LinearAccumulator::Finish(const PackedTensors& base,
                                                        ServerOptimizer& optimizer) {
  const MixPart whole{.sums = this, .coefficient = 1, .base = nullptr};
  return Mix(base, {&whole, 1}, optimizer);
}

absl::StatusOr<PackedTensors> LinearAccumulator::Mix(const PackedTensors& current,
                                                     std::span<const MixPart> parts,
                                                     ServerOptimizer& optimizer) {
  const auto linear = [](const MixPart& part) {
    return static_cast<LinearAccumulator*>(part.sums);
  };
  std::vector<LinearPart> sums;
  for (const MixPart& part : parts) {
    SKEIN_RETURN_IF_ERROR(linear(part)->CheckWhole());
    const Manifest& model = linear(part)->shape_->model();
    SKEIN_RETURN_IF_ERROR(model.ExpectSame(current.manifest()));
    if (part.base != nullptr) SKEIN_RETURN_IF_ERROR(model.ExpectSame(part.base->manifest()));
    SKEIN_ASSIGN_OR_RETURN(const double divisor, linear(part)->Divisor());
    sums.push_back({linear(part)->sums_.get(), part.coefficient, part.base, divisor});
  }
  PackedTensors next = FinishLinear(sums, current, optimizer);
  for (const MixPart& part : parts) linear(part)->sums_.reset();
  return next;
}

}  // namespace skein
