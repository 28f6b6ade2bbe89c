#ifndef SKEIN_TESTING_FOLD_CHECKS_H_
#define SKEIN_TESTING_FOLD_CHECKS_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "skein/strategy/fold.h"

namespace skein::testing {

// A fold under test.
struct FoldCase {
  std::string name;
  std::function<std::shared_ptr<const Fold>()> make;
  // For folds that are a weighted mean of the updates: the weight of one. Null for others.
  std::function<double(const UpdateHeader&)> weight = nullptr;
  // What its updates must say beside their samples, such as metrics. Null: nothing.
  std::function<void(UpdateHeader&)> prepare = nullptr;
  friend void PrintTo(const FoldCase& c, std::ostream* out) { *out << c.name; }
};

// An update as it arrives at its parent.
struct SampleUpdate {
  UpdateHeader header;
  PackedTensors tensors;
};

// The checks of the conformance suites; fold_conformance.h makes tests of them. They work on a
// model with every type of element, scalars, empty tensors, buffers and tensors that lie unaligned.
class FoldChecks : public ::testing::TestWithParam<FoldCase> {
 protected:
  void SetUp() override;

  std::unique_ptr<Accumulator> New() const;
  void AddAll(const std::vector<SampleUpdate>& updates, Accumulator& accumulator) const;
  // The next model; `accumulator` must not be empty.
  PackedTensors Finish(Accumulator& accumulator) const;
  PackedTensors FlatResult(const std::vector<SampleUpdate>& updates) const;
  // These, and others where the fold cannot do with one alone.
  std::vector<SampleUpdate> With(std::vector<SampleUpdate> updates) const;

  PackedTensors base_;
  NumericPlan plan_;
  std::vector<SampleUpdate> updates_;
  std::shared_ptr<const Fold> fold_;

  void OrderDoesNotMatter();
  void OneContributionOrAThousand();
  void AnyTreeGivesTheFlatResult();
  void MatchesAPlainWeightedMean();
  void EqualUpdatesGiveTheirModel();
  void KeepsTheModelsManifest();
  void AccumulatorsAreIndependent();
  void NothingAddedIsAnError();
  void TakingThePartialEmpties();
  void FinishingEmpties();
  void AFoldThatDoesNotComposeHasNoPartials();
  void ASubtreeThatReportsAsOneIsOneContribution();
  void TooFewContributionsAreAnError();
  void OptimizerSeesEachParameterOnce();
  void RefusesNanAndInfinityNamingThePlace();
  void RefusesOtherTensors();
  void RefusesPartialsOfOtherTensors();
  void RefusesPartialsWithoutWeight();
  void ARefusedUpdateLeavesNoTrace();
  void TakingInEqualsAdding();
  void TakingInPartialsEqualsMerging();
  void ABrokenOffIntakeLeavesNoTrace();
  void ARefusedIntakeLeavesNoTraceAndSaysWhatAddSays();
  void AHalfTakenInUpdateIsNoPartOfAResult();
  void IntakesOnSeveralThreadsEqualAdding();
};

}  // namespace skein::testing

#endif  // SKEIN_TESTING_FOLD_CHECKS_H_
