#include <gmock/gmock.h>

#include "unit/strategy/selectors_fixture.h"

namespace skein {
namespace {

using ::testing::HasSubstr;

TEST(SelectRoundRobin, GoesThroughTheLeavesInOrder) {
  Selecting turns("round-robin", {{"count", 2}}, "flat:5");
  const std::vector<Roster> expected = {Roster::Of({0, 1}), Roster::Of({2, 3}), Roster::Of({0, 4}),
                                        Roster::Of({1, 2}), Roster::Of({3, 4}), Roster::Of({0, 1})};
  for (uint64_t round = 1; round <= expected.size(); ++round) {
    const Roster chosen = turns.Chosen(round);
    EXPECT_EQ(chosen, expected[round - 1]) << round;
    turns.Tell(round, chosen);
  }
}

TEST(SelectRoundRobin, PassesOverTheAbsentAndTakesThemFirstWhenTheyReturn) {
  Selecting turns("round-robin", {{"count", 2}}, "flat:5");
  turns.available = Roster::Of({0, 3, 4});
  EXPECT_EQ(turns.Chosen(1), Roster::Of({0, 3}));
  turns.Tell(1, turns.Chosen(1));
  EXPECT_EQ(turns.Chosen(2), Roster::Of({0, 4}));
  turns.Tell(2, turns.Chosen(2));
  turns.available = Roster::Range(0, 5);
  EXPECT_EQ(turns.Chosen(3), Roster::Of({1, 2}));
}

TEST(SelectRoundRobin, AsksAllEquallyOften) {
  Selecting turns("round-robin", {{"count", 3}}, "flat:7");
  for (uint64_t round = 1; round <= 70; ++round) turns.Tell(round, turns.Chosen(round));
  for (LeafIndex leaf = 0; leaf < 7; ++leaf) EXPECT_EQ(turns.history.Of(leaf).times_taken, 30u);
}

TEST(SelectRoundRobin, SaysWhenThereAreTooFew) {
  Selecting turns("round-robin", {{"count", 3}}, "flat:5");
  turns.available = Roster::Of({1, 4});
  EXPECT_EQ(turns.Select().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(Message(turns.Select().status()), HasSubstr("3 workers are to be selected and 2"));
  EXPECT_THAT(Selecting("round-robin", {{"count", 6}}, "flat:5").Verdict(),
              HasSubstr("selector 'round-robin' takes 6 workers or more and the tree has 5"));
}

TEST(SelectRoundRobin, NeedsRounds) {
  StrategySpec spec;
  spec.selector = {"round-robin", {{"count", 2}}};
  spec.policy = {"buffered", {{"size", 1}}};
  EXPECT_THAT(
      Message(ValidateStrategy(spec, *Topology::FromShape("flat:5"), BuiltinStrategies())),
      HasSubstr("selector 'round-robin' chooses by the rounds before; use selector 'all', or"));
}

}  // namespace
}  // namespace skein
