#include "strategy/select_all/select_all.h"

namespace skein {
namespace {

class SelectAll : public Selector {
 public:
  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    if (input.available->empty()) {
      return absl::FailedPreconditionError("no worker is available");
    }
    return *input.available;
  }
  bool SelectsEveryone() const override { return true; }
};

}  // namespace

absl::Status RegisterSelectAll(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "all", .summary = "every available worker", .source = "Skein", .schema = {}},
      [](const Params&) -> absl::StatusOr<std::shared_ptr<Selector>> {
        return std::make_shared<SelectAll>();
      });
}

}  // namespace skein
