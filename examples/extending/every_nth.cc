#include "every_nth.h"

#include <string>

namespace {

// No state: who is next follows from the round, so a repeated round asks the same workers again.
class EveryNth : public skein::Selector {
 public:
  explicit EveryNth(size_t n) : n_(n) {}

  absl::StatusOr<skein::Roster> Select(const skein::SelectionInput& input) override {
    const std::vector<skein::LeafIndex> there = input.available->Leaves();
    if (there.size() < n_) {
      return absl::FailedPreconditionError("every-nth needs " + std::to_string(n_) + " workers, " +
                                           std::to_string(there.size()) + " are attached");
    }
    skein::Roster chosen;
    for (size_t i = input.round % n_; i < there.size(); i += n_) chosen.Insert(there[i]);
    return chosen;
  }
  size_t MinWorkers() const override { return n_; }
  size_t MaxWorkers(size_t num_workers) const override { return (num_workers + n_ - 1) / n_; }

 private:
  const size_t n_;
};

}  // namespace

absl::Status RegisterEveryNth(skein::StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "every-nth",
       .summary = "every n-th worker, from another one on each round",
       .source = "an example",
       .schema = skein::ParamSchema({{.name = "n",
                                      .type = skein::ParamSpec::Type::kInt,
                                      .required = true,
                                      .min = 1,
                                      .max = 1e9,
                                      .doc = "rounds from one turn of a worker to the next"}})},
      [](const skein::Params& params) -> absl::StatusOr<std::shared_ptr<skein::Selector>> {
        return std::make_shared<EveryNth>(static_cast<size_t>(params.Int("n")));
      });
}
