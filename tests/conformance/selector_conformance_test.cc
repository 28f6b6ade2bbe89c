// What every selector must do (skein/strategy/selector.h), over those that ship.
#include <gmock/gmock.h>

#include "unit/strategy/selectors_fixture.h"

namespace skein {
namespace {

struct SelectorCase {
  const char* name;
  PartSpec spec;
  friend void PrintTo(const SelectorCase& c, std::ostream* out) { *out << c.name; }
};

class SelectorConformance : public ::testing::TestWithParam<SelectorCase> {
 protected:
  static Selecting Of(const std::string& shape) {
    return {GetParam().spec.name, GetParam().spec.params, shape};
  }
  // Rounds that it is told of, with what is reported if it goes by that.
  static std::vector<Roster> Rounds(Selecting& selecting, uint64_t rounds) {
    std::vector<Roster> chosen;
    for (uint64_t round = 1; round <= rounds; ++round) {
      const auto selected = selecting.Select(round);
      EXPECT_TRUE(selected.ok()) << selected.status();
      if (!selected.ok()) break;
      chosen.push_back(*selected);
      std::vector<WorkerReport> reports;
      for (const LeafIndex leaf : selected->Leaves()) {
        WorkerReport report;
        report.leaf = leaf;
        report.loss = 1.0 / (1 + leaf % 7);
        reports.push_back(report);
      }
      selecting.Tell(round, *selected, reports);
    }
    return chosen;
  }
};

TEST_P(SelectorConformance, TakesSomeOfThoseThatAreThere) {
  for (const char* shape : {"flat:7", "tree:2x4", "flat:1000", "tree:10x10x10"}) {
    Selecting selecting = Of(shape);
    const size_t workers = selecting.topology().num_workers();
    // A fifth of them is gone.
    selecting.available = Roster();
    for (LeafIndex leaf = 0; leaf < workers; ++leaf) {
      if (leaf % 5 != 3) selecting.available.Insert(leaf);
    }
    const std::vector<Roster> rounds = Rounds(selecting, 12);
    EXPECT_EQ(rounds.size(), 12u) << shape;
    for (const Roster& chosen : rounds) {
      EXPECT_FALSE(chosen.empty()) << shape;
      EXPECT_TRUE(chosen.IsSubsetOf(selecting.available)) << shape;
    }
  }
}

TEST_P(SelectorConformance, TheSameInputGivesTheSameChoice) {
  for (const char* shape : {"tree:2x4", "tree:10x10x10"}) {
    Selecting one = Of(shape);
    Selecting other = Of(shape);
    EXPECT_EQ(Rounds(one, 12), Rounds(other, 12)) << shape;
  }
}

TEST_P(SelectorConformance, NobodyIsThere) {
  Selecting selecting = Of("tree:2x4");
  selecting.available = Roster();
  const auto chosen = selecting.Select();
  if (chosen.ok()) {
    EXPECT_TRUE(chosen->empty());
  } else {
    EXPECT_EQ(chosen.status().code(), absl::StatusCode::kFailedPrecondition) << chosen.status();
  }
}

TEST_P(SelectorConformance, OneWorkerIsTakenOrIsTooFew) {
  Selecting selecting = Of("flat:1");
  const auto chosen = selecting.Select();
  if (chosen.ok()) {
    EXPECT_EQ(chosen->ToString(), "0");
  } else {
    EXPECT_EQ(chosen.status().code(), absl::StatusCode::kFailedPrecondition) << chosen.status();
  }
}

INSTANTIATE_TEST_SUITE_P(
    Builtin, SelectorConformance,
    ::testing::Values(SelectorCase{"all", {"all", {}}},
                      SelectorCase{"fraction", {"fraction", {{"fraction", 0.3}}}},
                      SelectorCase{"count", {"count", {{"count", 4}}}},
                      SelectorCase{"round_robin", {"round-robin", {{"count", 3}}}},
                      SelectorCase{"where", {"where", {{"expression", "not (region == \"eu\")"}}}},
                      SelectorCase{"stratified_fraction", {"stratified", {{"fraction", 0.3}}}},
                      SelectorCase{"stratified_count", {"stratified", {{"count", 5}}}},
                      SelectorCase{"power_of_choice",
                                   {"power-of-choice", {{"candidates", 5}, {"count", 3}}}},
                      SelectorCase{"oort", {"oort", {{"count", 4}}}}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace skein
