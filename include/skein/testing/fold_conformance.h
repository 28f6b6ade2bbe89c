#ifndef SKEIN_TESTING_FOLD_CONFORMANCE_H_
#define SKEIN_TESTING_FOLD_CONFORMANCE_H_

#include "skein/testing/fold_checks.h"

namespace skein::testing {

// What every fold must do, as described in skein/strategy/fold.h. To run it over one, include this
// header in one source file of a test binary, with
//   INSTANTIATE_TEST_SUITE_P(Mine, FoldConformance, ::testing::Values(FoldCase{...}));

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FoldConformance);

#define SKEIN_FOLD_TEST_(name) \
  TEST_P(FoldConformance, name) { FoldConformance::name(); }
SKEIN_FOLD_TEST_(OrderDoesNotMatter)
SKEIN_FOLD_TEST_(AnyTreeGivesTheFlatResult)
SKEIN_FOLD_TEST_(MatchesAPlainWeightedMean)
SKEIN_FOLD_TEST_(EqualUpdatesGiveTheirModel)
SKEIN_FOLD_TEST_(KeepsTheModelsManifest)
SKEIN_FOLD_TEST_(AccumulatorsAreIndependent)
SKEIN_FOLD_TEST_(NothingAddedIsAnError)
SKEIN_FOLD_TEST_(TakingThePartialEmpties)
SKEIN_FOLD_TEST_(FinishingEmpties)
SKEIN_FOLD_TEST_(AFoldThatDoesNotComposeHasNoPartials)
SKEIN_FOLD_TEST_(OptimizerSeesEachParameterOnce)
SKEIN_FOLD_TEST_(RefusesNanAndInfinityNamingThePlace)
SKEIN_FOLD_TEST_(RefusesOtherTensors)
SKEIN_FOLD_TEST_(RefusesPartialsOfOtherTensors)
SKEIN_FOLD_TEST_(RefusesPartialsWithoutWeight)
SKEIN_FOLD_TEST_(ARefusedUpdateLeavesNoTrace)
SKEIN_FOLD_TEST_(TakingInEqualsAdding)
SKEIN_FOLD_TEST_(TakingInPartialsEqualsMerging)
SKEIN_FOLD_TEST_(ABrokenOffIntakeLeavesNoTrace)
SKEIN_FOLD_TEST_(ARefusedIntakeLeavesNoTraceAndSaysWhatAddSays)
SKEIN_FOLD_TEST_(AHalfTakenInUpdateIsNoPartOfAResult)
SKEIN_FOLD_TEST_(IntakesOnSeveralThreadsEqualAdding)
#undef SKEIN_FOLD_TEST_

}  // namespace skein::testing

#endif  // SKEIN_TESTING_FOLD_CONFORMANCE_H_
