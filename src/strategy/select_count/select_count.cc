#include "strategy/select_count/select_count.h"

#include "strategy/how_many.h"
#include "strategy/sampling.h"

namespace skein {
namespace {

class SelectCount : public Selector {
 public:
  explicit SelectCount(int64_t count) : count_(count) {}
  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    return SampleUniformly(input, MinWorkers());
  }
  size_t MinWorkers() const override { return static_cast<size_t>(count_); }
  size_t MaxWorkers(size_t) const override { return MinWorkers(); }

 private:
  int64_t count_;
};

}  // namespace

absl::Status RegisterSelectCount(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "count",
       .summary = "a fixed number of random workers, drawn anew each round",
       .source = "Skein",
       .schema = ParamSchema({HowMany::CountParam(/*required=*/true)})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        return std::make_shared<SelectCount>(params.Int("count"));
      });
}

}  // namespace skein
