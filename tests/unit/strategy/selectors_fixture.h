#ifndef SKEIN_TESTS_UNIT_STRATEGY_SELECTORS_FIXTURE_H_
#define SKEIN_TESTS_UNIT_STRATEGY_SELECTORS_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "skein/base/random.h"
#include "skein/strategy/strategy_spec.h"
#include "unit/strategy/builtin_parts.h"

namespace skein {

// A selector, the tree that it chooses from and the rounds that it is told of.
class Selecting {
 public:
  Selecting(const std::string& name, const ValueMap& params, Topology topology)
      : part_{name, params},
        topology_(std::move(topology)),
        selector_(Make(BuiltinStrategies().selectors, name, params)) {
    available = Roster::Range(0, static_cast<LeafIndex>(topology_.num_workers()));
  }
  Selecting(const std::string& name, const ValueMap& params, const std::string& shape)
      : Selecting(name, params, Topology::FromShape(shape).value()) {}

  absl::StatusOr<Roster> Select(uint64_t round = 1) const {
    return selector_->Select({.round = round,
                              .seed = seed,
                              .available = &available,
                              .num_workers = topology_.num_workers(),
                              .topology = &topology_,
                              .history = &history});
  }
  Roster Chosen(uint64_t round = 1) const {
    const auto chosen = Select(round);
    EXPECT_TRUE(chosen.ok()) << chosen.status();
    return chosen.ok() ? *chosen : Roster();
  }
  // A committed round.
  void Tell(uint64_t round, const Roster& participants,
            const std::vector<WorkerReport>& reports = {}) {
    history.Add(round, participants, reports);
  }
  // What the validator says of a spec with the selector.
  std::string Verdict() const {
    StrategySpec spec;
    spec.selector = part_;
    return Message(ValidateStrategy(spec, topology_, BuiltinStrategies()));
  }
  const Topology& topology() const { return topology_; }

  uint64_t seed = 42;
  Roster available;
  SelectionHistory history;

 private:
  const PartSpec part_;
  const Topology topology_;
  const std::shared_ptr<Selector> selector_;
};

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_STRATEGY_SELECTORS_FIXTURE_H_
