#include "strategy/passes/pass_accumulator.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/passes/pass_conductor.h"
#include "strategy/passes/pass_holder.h"

namespace skein {
namespace {

std::vector<int64_t> RowOf(const PackedTensors& answer, size_t tensor) {
  const TensorInfo& info = answer.manifest()[tensor];
  std::vector<int64_t> values(info.NumElements());
  LoadInts(info.dtype, answer.tensor(tensor), 0, values);
  return values;
}

// Modulo 2^64; narrower counts stay within their type.
void AddInto(PackedTensors& sums, const PackedTensors& more) {
  std::vector<int64_t> added(kFoldChunk);
  for (size_t t = 0; t < sums.manifest().size(); ++t) {
    const TensorInfo& info = sums.manifest()[t];
    ForChunks<int64_t>(info, [&](uint64_t at, std::span<int64_t> values) {
      const auto others = std::span(added).first(values.size());
      LoadInts(info.dtype, sums.tensor(t), at, values);
      LoadInts(info.dtype, more.tensor(t), at, others);
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<int64_t>(static_cast<uint64_t>(values[i]) +
                                         static_cast<uint64_t>(others[i]));
      }
      StoreInts(info.dtype, values, sums.mutable_tensor(t), at);
    });
  }
}

class PassAccumulator : public Accumulator {
 public:
  PassAccumulator(HoldingRule rule, const HoldLimits& limits, Manifest update, NumericPlan plan,
                  uint64_t workers, std::shared_ptr<BufferPool> buffers)
      : rule_(std::move(rule)),
        plan_(std::move(plan)),
        workers_(workers),
        buffers_(std::move(buffers)),
        updates_(std::move(update), limits),
        holder_(updates_, workers) {}

  absl::StatusOr<std::unique_ptr<Intake>> Begin(const UpdateHeader& header,
                                                const PackedTensors& staged) override {
    SKEIN_RETURN_IF_ERROR(rule_.CheckSamples(header.num_samples, 1, plan_));
    if (header.leaf >= workers_) return absl::InvalidArgumentError("its leaf is not in the tree");
    return updates_.Begin(staged, {header.leaf, header.seq, header.num_samples});
  }
  using Accumulator::Begin;
  absl::Status Add(const UpdateHeader& header, const PackedTensors& update) override {
    SKEIN_ASSIGN_OR_RETURN(const auto intake, Begin(header, update));
    return intake->Complete();
  }
  absl::Status Merge(const PartialHeader& header, const PackedTensors& answer) override {
    SKEIN_RETURN_IF_ERROR(Layout().ExpectSame(answer.manifest()));
    if (!query_) {
      SKEIN_RETURN_IF_ERROR(CheckIntroduction(header, answer));
      merged_weight_ += header.total_weight;
    }
    if (!answers_) {
      answers_.emplace(answer.manifest(), *buffers_);
      std::ranges::copy(answer.bytes(), answers_->mutable_bytes().begin());
    } else {
      AddInto(*answers_, answer);
    }
    return absl::OkStatus();
  }
  absl::Status AddSubtree(const PackedTensors&, Fixed128) override {
    return absl::InvalidArgumentError("fold '" + rule_.name +
                                      "' works in passes, which ask for every contribution itself");
  }

  // The contributions stay: the next pass asks about them again.
  absl::StatusOr<Partial> TakePartial() override {
    SKEIN_ASSIGN_OR_RETURN(PackedTensors answer, TakeAnswer());
    return Partial{total_weight(), {}, std::move(answer)};
  }

  Manifest Layout() const {
    return AnswerLayout(query_ ? &*query_ : nullptr, updates_.layout(), workers_);
  }
  absl::StatusOr<Manifest> PartialLayout() const override { return Layout(); }

  absl::Status BeginPass(const PackedTensors& query) override {
    SKEIN_ASSIGN_OR_RETURN(query_, ParsePassQuery(query));
    answers_.reset();
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<PackedTensors>> NextPass() override {
    std::optional<PassQuery> next;
    if (conductor_ != nullptr) {
      SKEIN_ASSIGN_OR_RETURN(const PackedTensors answer, TakeAnswer());
      SKEIN_ASSIGN_OR_RETURN(next, conductor_->Next(answer));
    } else {
      if (!cast_) {
        SKEIN_ASSIGN_OR_RETURN(const PackedTensors introduction, TakeAnswer());
        cast_ = CastOf(introduction);
      }
      SKEIN_RETURN_IF_ERROR(rule_.CheckEnough(cast_->members.size()));
      conductor_ = rule_.conduct(updates_.layout());
      SKEIN_ASSIGN_OR_RETURN(next, conductor_->Begin(*cast_));
    }
    done_ = !next.has_value();
    if (done_) return std::nullopt;
    query_ = *std::move(next);
    return Pack(*query_, *buffers_);
  }

  void RestartPasses(const Roster& workers) override {
    if (!cast_) return;
    std::erase_if(cast_->members,
                  [&](const PassCast::Member& member) { return !workers.Contains(member.leaf); });
    conductor_.reset();
    answers_.reset();
  }

  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                       ServerOptimizer& optimizer) override {
    if (!done_) return absl::FailedPreconditionError("not all passes have been made");
    SKEIN_ASSIGN_OR_RETURN(PackedTensors next, conductor_->Finish(base, optimizer, *buffers_));
    updates_.Clear();
    return next;
  }

  Fixed128 total_weight() const override {
    Fixed128 total;
    if (cast_) {
      for (const PassCast::Member& member : cast_->members) total += rule_.WeightOf(member.samples);
      return total;
    }
    for (const HeldFrom& from : updates_.From()) total += rule_.WeightOf(from.samples);
    total += merged_weight_;
    return total;
  }

 private:
  absl::StatusOr<PackedTensors> TakeAnswer() {
    if (updates_.size() == 0 && !answers_) {
      return absl::FailedPreconditionError("nothing was added to the aggregation");
    }
    absl::StatusOr<PackedTensors> own =
        query_ ? holder_.Answer(*query_, *buffers_) : holder_.Introduce(*buffers_);
    if (own.ok() && answers_) AddInto(*own, *std::exchange(answers_, std::nullopt));
    return own;
  }

  // That it speaks of workers of its subtree, once each.
  absl::Status CheckIntroduction(const PartialHeader& header, const PackedTensors& answer) const {
    const std::vector<int64_t> leaves = RowOf(answer, kLeaves);
    const std::vector<int64_t> samples = RowOf(answer, kSamples);
    uint64_t count = 0;
    for (uint64_t leaf = 0; leaf < workers_; ++leaf) {
      if (leaves[leaf] == 0) continue;
      ++count;
      if (leaves[leaf] != 1 || !header.roster.Contains(static_cast<LeafIndex>(leaf))) {
        return absl::InvalidArgumentError("it speaks of a worker that is not in its roster");
      }
      if (samples[leaf] < 0) return absl::InvalidArgumentError("it has less than no samples");
      SKEIN_RETURN_IF_ERROR(rule_.CheckSamples(static_cast<uint64_t>(samples[leaf]), 1, plan_));
    }
    if (count == header.Contributions()) return absl::OkStatus();
    return absl::InvalidArgumentError("it speaks of " + std::to_string(count) +
                                      " contributions and says that it has " +
                                      std::to_string(header.Contributions()));
  }

  PassCast CastOf(const PackedTensors& answer) const {
    const std::vector<int64_t> leaves = RowOf(answer, kLeaves);
    const std::vector<int64_t> samples = RowOf(answer, kSamples);
    const std::vector<int64_t> largest = RowOf(answer, kLargest);
    PassCast cast{.members = {}, .workers = workers_};
    for (uint64_t leaf = 0; leaf < workers_; ++leaf) {
      if (leaves[leaf] == 0) continue;
      cast.members.push_back({static_cast<LeafIndex>(leaf), static_cast<uint64_t>(samples[leaf]),
                              std::bit_cast<double>(largest[leaf])});
    }
    return cast;
  }

  const HoldingRule rule_;
  const NumericPlan plan_;
  const uint64_t workers_;
  const std::shared_ptr<BufferPool> buffers_;
  HeldUpdates updates_;
  PassHolder holder_;
  std::optional<PassQuery> query_;        // of this pass; none before the first question
  std::optional<PackedTensors> answers_;  // of subtrees, to it
  Fixed128 merged_weight_;
  std::optional<PassCast> cast_;  // where the passes are led, from the first one on
  std::unique_ptr<PassConductor> conductor_;
  bool done_ = false;
};

// Of a model of which there can be no updates: every contribution is refused.
class RefusingAccumulator : public Accumulator {
 public:
  explicit RefusingAccumulator(absl::Status why) : why_(std::move(why)) {}
  absl::Status Add(const UpdateHeader&, const PackedTensors&) override { return why_; }
  absl::Status Merge(const PartialHeader&, const PackedTensors&) override { return why_; }
  absl::Status AddSubtree(const PackedTensors&, Fixed128) override { return why_; }
  absl::StatusOr<Partial> TakePartial() override { return why_; }
  absl::StatusOr<PackedTensors> Finish(const PackedTensors&, ServerOptimizer&) override {
    return why_;
  }
  Fixed128 total_weight() const override { return {}; }

 private:
  const absl::Status why_;
};

}  // namespace

std::unique_ptr<Accumulator> MakePassAccumulator(const HoldingRule& rule, const HoldLimits& limits,
                                                 const Manifest& model, const NumericPlan& plan,
                                                 uint64_t workers,
                                                 std::shared_ptr<BufferPool> buffers) {
  absl::StatusOr<Manifest> update = UpdateManifest(model);
  if (!update.ok()) return std::make_unique<RefusingAccumulator>(update.status());
  return std::make_unique<PassAccumulator>(rule, limits, *std::move(update), plan, workers,
                                           std::move(buffers));
}

}  // namespace skein
