#include "strategy/stepwise_mean/stepwise_conductor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>
#include <vector>

#include "skein/base/status.h"
#include "strategy/elements.h"
#include "strategy/held/step_writer.h"
#include "strategy/held/term_sums.h"
#include "strategy/passes/medians.h"
#include "strategy/passes/rank_search.h"

namespace skein {
namespace {

class StepwiseConductor : public PassConductor {
 public:
  StepwiseConductor(BeginStepwiseMean begin, const Manifest& update)
      : begin_(std::move(begin)),
        averaged_(update, PassOver::kAveraged),
        rest_(update, PassOver::kRest) {}

  absl::StatusOr<std::optional<PassQuery>> Begin(const PassCast& cast) override {
    std::vector<uint64_t> samples;
    std::vector<double> largest;
    for (const PassCast::Member& member : cast.members) {
      leaves_.push_back(member.leaf);
      samples.push_back(member.samples);
      largest.push_back(member.largest);
    }
    workers_ = cast.workers;
    SKEIN_ASSIGN_OR_RETURN(steps_, begin_(samples, std::move(largest)));
    if (rest_.pieces().empty()) return AskForSums();
    search_.emplace(rest_, PassOver::kRest, leaves_.size(), MiddleRanks(leaves_.size()));
    asked_ = Asked::kMedians;
    return search_->First();
  }

  absl::StatusOr<std::optional<PassQuery>> Next(const PackedTensors& answer) override {
    switch (asked_) {
      case Asked::kMedians: {
        SKEIN_ASSIGN_OR_RETURN(std::optional<PassQuery> next, search_->Next(answer));
        return next ? next : AskForSums();
      }
      case Asked::kSums:
        if (!steps_->wants_distances()) {
          sums_ = answer;
          return std::nullopt;
        }
        return AskForDistances(answer);
      case Asked::kDistances: {
        std::vector<int64_t> all(workers_);
        LoadInts(DType::kInt64, answer.tensor(0), 0, all);
        std::vector<double> distances;
        for (const LeafIndex leaf : leaves_) {
          distances.push_back(std::bit_cast<double>(all[leaf]));
          if (!(distances.back() >= 0)) {
            return absl::InvalidArgumentError("a subtree gives a distance that is none");
          }
        }
        steps_->Step(distances);
        return AskForSums();
      }
    }
    return absl::InternalError("unknown pass");
  }

  absl::StatusOr<PackedTensors> Finish(const PackedTensors& base, ServerOptimizer& optimizer,
                                       BufferPool& buffers) const override {
    StepWriter step(base, optimizer, buffers);
    for (const PassScope::Piece& piece : rest_.pieces()) WriteMedians(*search_, piece, step);
    std::vector<double> means;
    for (const PassScope::Piece& piece : averaged_.pieces()) {
      for (uint64_t at = 0; at < piece.count; at += kFoldChunk) {
        means.resize(std::min<uint64_t>(kFoldChunk, piece.count - at));
        LoadMeans(sums_, piece.first + at, means);
        step.Floats(piece.tensor, at, means);
      }
    }
    return step.Take();
  }

 private:
  enum class Asked { kMedians, kSums, kDistances };

  void LoadMeans(const PackedTensors& sums, uint64_t at, std::span<double> means) const {
    std::vector<int64_t> chunk(means.size());
    LoadInts(DType::kInt64, sums.tensor(0), at, chunk);
    const double unit = std::ldexp(1.0, -steps_->mean().scale_bits);
    const double total = steps_->mean().total;
    for (size_t i = 0; i < means.size(); ++i) means[i] = MeanOfTerms(chunk[i], unit, total);
  }

  std::optional<PassQuery> AskForSums() {
    asked_ = Asked::kSums;
    PassQuery query = Query(PassQuery::Kind::kSums);
    query.scale_bits = steps_->mean().scale_bits;
    query.weights.assign(workers_, 0);
    for (size_t k = 0; k < leaves_.size(); ++k)
      query.weights[leaves_[k]] = steps_->mean().weights[k];
    return query;
  }

  std::optional<PassQuery> AskForDistances(const PackedTensors& sums) {
    asked_ = Asked::kDistances;
    PassQuery query = Query(PassQuery::Kind::kDistances);
    query.point.resize(averaged_.floats());
    LoadMeans(sums, 0, query.point);
    return query;
  }

  PassQuery Query(PassQuery::Kind kind) const {
    return {.kind = kind, .over = PassOver::kAveraged, .contributions = leaves_.size()};
  }

  const BeginStepwiseMean begin_;
  const PassScope averaged_;
  const PassScope rest_;
  uint64_t workers_ = 0;
  std::vector<LeafIndex> leaves_;
  std::unique_ptr<StepwiseMean> steps_;
  std::optional<RankSearch> search_;
  Asked asked_ = Asked::kSums;
  PackedTensors sums_;
};

}  // namespace

std::unique_ptr<PassConductor> MakeStepwiseConductor(BeginStepwiseMean begin,
                                                     const Manifest& update) {
  return std::make_unique<StepwiseConductor>(std::move(begin), update);
}

}  // namespace skein
