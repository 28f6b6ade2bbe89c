#include "strategy/select_stratified/select_stratified.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "strategy/how_many.h"
#include "strategy/sampling.h"
#include "strategy/select_stratified/apportion.h"

namespace skein {
namespace {

// Workers of every branch, that is, of every subtree that hangs at `tier`; a worker that hangs
// higher is a branch of its own.
class SelectStratified : public Selector {
 public:
  SelectStratified(HowMany how_many, int tier) : how_many_(how_many), tier_(tier) {}

  absl::StatusOr<Roster> Select(const SelectionInput& input) override {
    std::vector<std::vector<LeafIndex>> branches;
    LeafIndex end = 0;  // of the last branch
    for (const LeafIndex leaf : input.available->Leaves()) {
      if (branches.empty() || leaf >= end) {
        branches.emplace_back();
        end = BranchOf(*input.topology, leaf).leaf_end;
      }
      branches.back().push_back(leaf);
    }
    const size_t available = input.available->Count();
    if (available == 0) return absl::FailedPreconditionError("no worker is available");
    const size_t wanted = std::max(how_many_.Of(available), branches.size());
    if (wanted > available) return TooFew(wanted, available);
    std::vector<size_t> sizes;
    for (const auto& branch : branches) sizes.push_back(branch.size());
    const std::vector<size_t> shares = Apportion(sizes, wanted);
    std::vector<LeafIndex> chosen;
    for (size_t i = 0; i < branches.size(); ++i) {
      // By the branch itself, so that what the others are does not matter.
      Rng rng = SelectionRng(input, 1 + BranchOf(*input.topology, branches[i][0]).leaf_begin);
      const auto drawn = DrawUniformly(std::move(branches[i]), shares[i], rng);
      chosen.insert(chosen.end(), drawn.begin(), drawn.end());
    }
    return Roster::Of(std::move(chosen));
  }

  size_t MinWorkers() const override { return how_many_.AtLeast(); }
  size_t MaxWorkers(size_t num_workers) const override {
    // A small fraction is raised to the number of branches, which is not known here.
    return how_many_.count() != 0 ? how_many_.count() : num_workers;
  }

  absl::Status CheckTree(const Topology& topology) const override {
    if (tier_ >= topology.num_tiers()) {
      return absl::InvalidArgumentError("has branches at tier " + std::to_string(tier_) +
                                        " and the tree's tiers below the root are 1 to " +
                                        std::to_string(topology.num_tiers() - 1) +
                                        "; lower 'tier'");
    }
    size_t branches = 0;
    for (LeafIndex leaf = 0; leaf < topology.num_workers(); ++branches) {
      leaf = BranchOf(topology, leaf).leaf_end;
    }
    if (how_many_.count() == 0 || how_many_.count() >= branches) return absl::OkStatus();
    return absl::InvalidArgumentError("takes " + std::to_string(how_many_.count()) +
                                      " workers of " + std::to_string(branches) +
                                      " branches, and every branch is to take part; raise 'count'" +
                                      (tier_ > 1 ? ", or lower 'tier'" : ""));
  }

 private:
  const TopologyNode& BranchOf(const Topology& topology, LeafIndex leaf) const {
    const TopologyNode* node = &topology.worker(leaf);
    while (node->tier > tier_) node = &topology.node(*node->parent);
    return *node;
  }

  const HowMany how_many_;
  const int tier_;
};

}  // namespace

absl::Status RegisterSelectStratified(StrategyRegistries& registries) {
  return registries.selectors.Register(
      {.name = "stratified",
       .summary = "random workers of every branch of the tree, in proportion, one at least",
       .source = "Skein; largest remainders (Hamilton)",
       .schema = ParamSchema({HowMany::CountParam(),
                              HowMany::FractionParam("the available workers"),
                              {.name = "tier",
                               .type = ParamSpec::Type::kInt,
                               .default_value = 1,
                               .min = 1,
                               .max = Topology::kMaxDepth,
                               .doc = "of the nodes whose subtrees are the branches; 1: the "
                                      "root's children"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<Selector>> {
        SKEIN_ASSIGN_OR_RETURN(const HowMany how_many,
                               HowMany::FromParams(params, "stratified", true));
        return std::make_shared<SelectStratified>(how_many, static_cast<int>(params.Int("tier")));
      });
}

}  // namespace skein
