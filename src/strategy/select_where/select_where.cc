#include "strategy/select_where/select_where.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/topology/attributes.h"
#include "strategy/how_many.h"
#include "strategy/sampling.h"
#include "strategy/select_where/expression.h"

namespace skein {
namespace {

constexpr size_t kNamesListed = 8;

class SelectWhere : public Selector {
 public:
  SelectWhere(Expression expression, HowMany how_many)
      : expression_(std::move(expression)), how_many_(how_many) {}

  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    std::vector<LeafIndex> eligible;
    for (const LeafIndex leaf : input.available->Leaves()) {
      if (IsEligible(*input.topology, leaf)) eligible.push_back(leaf);
    }
    const size_t wanted = how_many_.Of(eligible.size());
    if (wanted > eligible.size()) {
      return TooFew(wanted, eligible.size(), "available and satisfy the expression");
    }
    Rng rng = SelectionRng(input, 0);
    return Roster::Of(DrawUniformly(std::move(eligible), wanted, rng));
  }

  size_t MinWorkers() const override { return how_many_.AtLeast(); }
  size_t MaxWorkers(size_t num_workers) const override { return how_many_.Of(num_workers); }

  size_t EligibleWorkers(const Topology& topology) const override {
    size_t eligible = 0;
    for (LeafIndex leaf = 0; leaf < topology.num_workers(); ++leaf) {
      eligible += IsEligible(topology, leaf) ? 1 : 0;
    }
    return eligible;
  }

  absl::Status CheckTree(const Topology& topology) const override {
    if (EligibleWorkers(topology) > 0) return absl::OkStatus();
    return absl::InvalidArgumentError("has an expression that none of the tree's " +
                                      std::to_string(topology.num_workers()) +
                                      " workers satisfies" + Remedy(topology));
  }

 private:
  bool IsEligible(const Topology& topology, LeafIndex leaf) const {
    const TopologyNode& worker = topology.worker(leaf);
    return expression_.Holds(
        [&](const std::string& name) { return FindAttribute(topology, worker, name); });
  }

  // Which attribute is meant, or which there are.
  std::string Remedy(const Topology& topology) const {
    std::set<std::string> names;
    for (const TopologyNode& node : topology.nodes()) {
      for (const auto& [name, value] : node.attributes) names.insert(name);
    }
    const std::vector<std::string> known(names.begin(), names.end());
    if (known.empty()) return "; its nodes have no attributes";
    for (const std::string& name : expression_.Names()) {
      if (names.contains(name)) continue;
      const auto nearest = NearestName(name, known);
      if (nearest) return "; no node has '" + name + "', did you mean '" + *nearest + "'?";
    }
    std::string text = "; its nodes have";
    for (size_t i = 0; i < known.size() && i < kNamesListed; ++i) {
      text += (i == 0 ? " " : ", ") + known[i];
    }
    return known.size() > kNamesListed ? text + ", ..." : text;
  }

  const Expression expression_;
  const HowMany how_many_;
};

}  // namespace

absl::Status RegisterSelectWhere(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "where",
       .summary = "workers whose attributes satisfy an expression",
       .source = "Skein",
       .schema = ParamSchema({{.name = "expression",
                               .type = ParamSpec::Type::kString,
                               .required = true,
                               .doc = "such as region == \"eu\" and device has gpu"},
                              HowMany::CountParam(),
                              HowMany::FractionParam("those that satisfy it and are available")})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        SKEIN_ASSIGN_OR_RETURN(const HowMany how_many, HowMany::FromParams(params, "where", false));
        auto expression = Expression::Parse(params.String("expression"));
        if (!expression.ok()) {
          return Annotate(expression.status(), "selector 'where': 'expression'");
        }
        return std::make_shared<SelectWhere>(*std::move(expression), how_many);
      });
}

}  // namespace skein
