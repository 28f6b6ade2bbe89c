#include "round_robin.h"

#include <algorithm>
#include <string>

namespace {

// No state: who is next follows from the round, so a repeated round asks the same workers again.
class RoundRobin : public skein::Selector {
 public:
  explicit RoundRobin(size_t count) : count_(count) {}

  absl::StatusOr<skein::Roster> Select(const skein::SelectionInput& input) override {
    const std::vector<skein::LeafIndex> there = input.available->Leaves();
    if (there.size() < count_) {
      return absl::FailedPreconditionError("round-robin asks for " + std::to_string(count_) +
                                           " workers, " + std::to_string(there.size()) +
                                           " are attached");
    }
    const size_t first = input.round * count_ % there.size();
    skein::Roster chosen;
    for (size_t i = 0; i < count_; ++i) chosen.Insert(there[(first + i) % there.size()]);
    return chosen;
  }
  size_t MinWorkers() const override { return count_; }
  size_t MaxWorkers(size_t num_workers) const override { return std::min(count_, num_workers); }

 private:
  const size_t count_;
};

}  // namespace

absl::Status RegisterRoundRobin(skein::StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "round-robin",
       .summary = "a fixed number of workers, in turn",
       .source = "an example",
       .schema = skein::ParamSchema({{.name = "count",
                                      .type = skein::ParamSpec::Type::kInt,
                                      .required = true,
                                      .min = 1,
                                      .max = 1e9,
                                      .doc = "workers a round"}})},
      [](const skein::Params& params) -> absl::StatusOr<std::shared_ptr<skein::Selector>> {
        return std::make_shared<RoundRobin>(static_cast<size_t>(params.Int("count")));
      });
}
