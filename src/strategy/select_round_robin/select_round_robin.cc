#include "strategy/select_round_robin/select_round_robin.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "strategy/how_many.h"
#include "strategy/sampling.h"

namespace skein {
namespace {

// Those whose turn was the longest ago, of equals who had fewer, then the lowest leaf: with
// everyone there these are the leaves in order, over and over; who was away comes first when it is
// back.
class SelectRoundRobin : public Selector {
 public:
  explicit SelectRoundRobin(size_t count) : count_(count) {}
  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    std::vector<std::tuple<uint64_t, uint64_t, LeafIndex>> turns;
    for (const LeafIndex leaf : input.available->Leaves()) {
      const WorkerRecord& record = input.RecordOf(leaf);
      turns.emplace_back(record.last_taken, record.times_taken, leaf);
    }
    if (turns.size() < count_) return TooFew(count_, turns.size());
    std::partial_sort(turns.begin(), turns.begin() + static_cast<ptrdiff_t>(count_), turns.end());
    std::vector<LeafIndex> chosen;
    for (size_t i = 0; i < count_; ++i) chosen.push_back(std::get<2>(turns[i]));
    return Roster::Of(std::move(chosen));
  }
  size_t MinWorkers() const override { return count_; }
  size_t MaxWorkers(size_t) const override { return count_; }
  SelectionNeeds Needs() const override { return SelectionNeeds::kTurns; }

 private:
  const size_t count_;
};

}  // namespace

absl::Status RegisterSelectRoundRobin(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "round-robin",
       .summary = "a fixed number of workers, in turn",
       .source = "Skein",
       .schema = ParamSchema({HowMany::CountParam(/*required=*/true)})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        return std::make_shared<SelectRoundRobin>(static_cast<size_t>(params.Int("count")));
      });
}

}  // namespace skein
