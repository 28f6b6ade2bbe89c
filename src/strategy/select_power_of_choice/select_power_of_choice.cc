#include "strategy/select_power_of_choice/select_power_of_choice.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "strategy/losses.h"
#include "strategy/sampling.h"
#include "strategy/select_power_of_choice/highest_losses.h"

namespace skein {

Roster HighestLosses(std::vector<Candidate> candidates, size_t count) {
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.loss != b.loss ? a.loss > b.loss : a.leaf < b.leaf;
  });
  if (candidates.size() > count) candidates.resize(count);
  std::vector<LeafIndex> leaves;
  for (const Candidate& candidate : candidates) leaves.push_back(candidate.leaf);
  return Roster::Of(std::move(leaves));
}

namespace {

// rpow-d of Cho, Wang and Joshi 2020, section 4: candidates with probabilities in proportion to
// their samples, and of them those whose last known losses are the highest.
class SelectPowerOfChoice : public Selector {
 public:
  SelectPowerOfChoice(size_t candidates, size_t count) : candidates_(candidates), count_(count) {}

  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    const std::vector<LeafIndex> leaves = input.available->Leaves();
    if (leaves.size() < count_) return TooFew(count_, leaves.size());
    SKEIN_RETURN_IF_ERROR(CheckLosses(input));
    // Workers that have not told count as the mean of those that have.
    double samples = 0, told = 0;
    for (const LeafIndex leaf : leaves) {
      const WorkerRecord& record = input.RecordOf(leaf);
      if (record.last_round == 0) continue;
      samples += static_cast<double>(record.num_samples);
      ++told;
    }
    const double unknown = samples > 0 ? samples / told : 1;
    const auto weight = [&](LeafIndex leaf) {
      const WorkerRecord& record = input.RecordOf(leaf);
      return record.last_round == 0 ? unknown : static_cast<double>(record.num_samples);
    };
    Rng rng = SelectionRng(input, 0);
    std::vector<Candidate> candidates;
    for (const LeafIndex leaf : DrawByWeight(leaves, weight, candidates_, rng)) {
      candidates.push_back({leaf, LossOf(input.RecordOf(leaf))});
    }
    return HighestLosses(std::move(candidates), count_);
  }

  size_t MinWorkers() const override { return count_; }
  size_t MaxWorkers(size_t) const override { return count_; }
  SelectionNeeds Needs() const override { return SelectionNeeds::kReports; }
  absl::Status CheckTree(const Topology& topology) const override {
    if (candidates_ <= topology.num_workers()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        "draws " + std::to_string(candidates_) + " candidates and the tree has " +
        std::to_string(topology.num_workers()) + " workers; lower 'candidates'");
  }

 private:
  static double LossOf(const WorkerRecord& record) {
    if (record.loss) return *record.loss;
    return record.RmsLoss().value_or(std::numeric_limits<double>::infinity());
  }

  const size_t candidates_;
  const size_t count_;
};

ParamSpec IntParam(const std::string& name, const std::string& doc) {
  return {.name = name,
          .type = ParamSpec::Type::kInt,
          .default_value = {},
          .required = true,
          .min = 1,
          .max = 1e9,
          .choices = {},
          .doc = doc};
}

}  // namespace

absl::Status RegisterSelectPowerOfChoice(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "power-of-choice",
       .summary = "of random candidates those with the highest last known losses (rpow-d)",
       .source = "Cho, Wang, Joshi 2020, arXiv 2010.01243",
       .schema = ParamSchema({IntParam("candidates", "drawn a round, in proportion to samples: d"),
                              IntParam("count", "workers a round: m, at most d")})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        const auto candidates = static_cast<size_t>(params.Int("candidates"));
        const auto count = static_cast<size_t>(params.Int("count"));
        if (candidates < count) {
          return absl::InvalidArgumentError("selector 'power-of-choice': 'candidates' is " +
                                            std::to_string(candidates) + ", it must be 'count', " +
                                            std::to_string(count) + ", or more");
        }
        return std::make_shared<SelectPowerOfChoice>(candidates, count);
      });
}

}  // namespace skein
