#ifndef SKEIN_TESTING_FOLD_CONFORMANCE_H_
#define SKEIN_TESTING_FOLD_CONFORMANCE_H_

#include "skein/testing/fold_checks.h"

namespace skein::testing {

// What folds must do, as described in skein/strategy/fold.h. To run it over one, include this
// header in one source file of a test binary, with
//   INSTANTIATE_TEST_SUITE_P(Mine, FoldConformance, ::testing::Values(FoldCase{...}));
// and the same for those of the other suites that are meant for it.

class FoldConformance : public FoldChecks {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FoldConformance);

// For folds whose partials merge, exactly.
class ComposingFoldConformance : public FoldChecks {
 protected:
  void SetUp() override {
    FoldChecks::SetUp();
    ASSERT_NE(fold_->composition(), Composition::kNone);
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ComposingFoldConformance);

// For folds that need every contribution in one place.
class LoneFoldConformance : public FoldChecks {
 protected:
  void SetUp() override {
    FoldChecks::SetUp();
    ASSERT_EQ(fold_->composition(), Composition::kNone);
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LoneFoldConformance);

// For folds that make of updates which all agree what these agree on.
class AgreeingFoldConformance : public FoldChecks {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AgreeingFoldConformance);

// For folds that are a weighted mean of the updates.
class MeanFoldConformance : public FoldChecks {
 protected:
  void SetUp() override {
    FoldChecks::SetUp();
    ASSERT_TRUE(GetParam().weight);
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MeanFoldConformance);

#define SKEIN_FOLD_TEST_(suite, name) \
  TEST_P(suite, name) { FoldChecks::name(); }
SKEIN_FOLD_TEST_(FoldConformance, OrderDoesNotMatter)
SKEIN_FOLD_TEST_(FoldConformance, OneContributionOrAThousand)
SKEIN_FOLD_TEST_(FoldConformance, KeepsTheModelsManifest)
SKEIN_FOLD_TEST_(FoldConformance, AccumulatorsAreIndependent)
SKEIN_FOLD_TEST_(FoldConformance, NothingAddedIsAnError)
SKEIN_FOLD_TEST_(FoldConformance, TooFewContributionsAreAnError)
SKEIN_FOLD_TEST_(FoldConformance, FinishingEmpties)
SKEIN_FOLD_TEST_(FoldConformance, OptimizerSeesEachParameterOnce)
SKEIN_FOLD_TEST_(FoldConformance, RefusesNanAndInfinityNamingThePlace)
SKEIN_FOLD_TEST_(FoldConformance, RefusesOtherTensors)
SKEIN_FOLD_TEST_(FoldConformance, ARefusedUpdateLeavesNoTrace)
SKEIN_FOLD_TEST_(FoldConformance, TakingInEqualsAdding)
SKEIN_FOLD_TEST_(FoldConformance, ABrokenOffIntakeLeavesNoTrace)
SKEIN_FOLD_TEST_(FoldConformance, ARefusedIntakeLeavesNoTraceAndSaysWhatAddSays)
SKEIN_FOLD_TEST_(FoldConformance, AHalfTakenInUpdateIsNoPartOfAResult)
SKEIN_FOLD_TEST_(FoldConformance, IntakesOnSeveralThreadsEqualAdding)
SKEIN_FOLD_TEST_(ComposingFoldConformance, AnyTreeGivesTheFlatResult)
SKEIN_FOLD_TEST_(ComposingFoldConformance, TakingThePartialEmpties)
SKEIN_FOLD_TEST_(ComposingFoldConformance, RefusesPartialsOfOtherTensors)
SKEIN_FOLD_TEST_(ComposingFoldConformance, RefusesPartialsWithoutWeight)
SKEIN_FOLD_TEST_(ComposingFoldConformance, TakingInPartialsEqualsMerging)
SKEIN_FOLD_TEST_(LoneFoldConformance, AFoldThatDoesNotComposeHasNoPartials)
SKEIN_FOLD_TEST_(AgreeingFoldConformance, EqualUpdatesGiveTheirModel)
SKEIN_FOLD_TEST_(LoneFoldConformance, ASubtreeThatReportsAsOneIsOneContribution)
SKEIN_FOLD_TEST_(MeanFoldConformance, ASubtreeThatReportsAsOneIsOneContribution)
SKEIN_FOLD_TEST_(MeanFoldConformance, MatchesAPlainWeightedMean)
#undef SKEIN_FOLD_TEST_

}  // namespace skein::testing

#endif  // SKEIN_TESTING_FOLD_CONFORMANCE_H_
