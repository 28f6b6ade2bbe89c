#ifndef SKEIN_TESTING_CODEC_CONFORMANCE_H_
#define SKEIN_TESTING_CODEC_CONFORMANCE_H_

#include "skein/testing/codec_checks.h"

namespace skein::testing {

// What codecs must do in a pipeline, as described in skein/codec/codec.h and pipeline.h. To run it
// over one, alone or with others, include this header in one source file of a test binary, with
//   INSTANTIATE_TEST_SUITE_P(Mine, CodecConformance, ::testing::Values(CodecCase{...}));
// and the same for those of the other suites that are meant for it.

class CodecConformance : public CodecChecks {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(CodecConformance);

// For pipelines whose sender adds what was lost to its next update.
class ErrorFeedbackConformance : public CodecChecks {
 protected:
  void SetUp() override {
    CodecChecks::SetUp();
    ASSERT_TRUE(pipeline_->keeps_error());
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ErrorFeedbackConformance);

// For pipelines whose errors have the mean 0.
class UnbiasedCodecConformance : public CodecChecks {
 protected:
  void SetUp() override {
    CodecChecks::SetUp();
    ASSERT_FALSE(pipeline_->keeps_error());
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UnbiasedCodecConformance);

// For pipelines with `delta`.
class DeltaConformance : public CodecChecks {
 protected:
  void SetUp() override {
    CodecChecks::SetUp();
    ASSERT_TRUE(pipeline_->has_delta());
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DeltaConformance);

#define SKEIN_CODEC_TEST_(suite, name) \
  TEST_P(suite, name) { CodecChecks::name(); }
SKEIN_CODEC_TEST_(CodecConformance, ComesBackWithinItsLoss)
SKEIN_CODEC_TEST_(CodecConformance, BuffersAndWholeNumbersComeBackExactly)
SKEIN_CODEC_TEST_(CodecConformance, EqualCallsGiveEqualBytes)
SKEIN_CODEC_TEST_(CodecConformance, ThreadsMayShareIt)
SKEIN_CODEC_TEST_(CodecConformance, StaysWithinItsBound)
SKEIN_CODEC_TEST_(CodecConformance, EmptyScalarAndZeroTensorsComeBack)
SKEIN_CODEC_TEST_(CodecConformance, TensorsDoNotDependOnEachOther)
SKEIN_CODEC_TEST_(CodecConformance, RefusesNanAndInfinityNamingThePlace)
SKEIN_CODEC_TEST_(CodecConformance, CutPayloadsAreRefused)
SKEIN_CODEC_TEST_(CodecConformance, ChangedPayloadsAreRefusedOrSound)
SKEIN_CODEC_TEST_(CodecConformance, PayloadsOfOtherTensorsAreRefused)
SKEIN_CODEC_TEST_(ErrorFeedbackConformance, NeedsItsErrors)
SKEIN_CODEC_TEST_(ErrorFeedbackConformance, ErrorsChangeOnlyWhenCommitted)
SKEIN_CODEC_TEST_(ErrorFeedbackConformance, WhatIsReceivedAndOwedIsAll)
SKEIN_CODEC_TEST_(ErrorFeedbackConformance, ErrorsSurviveAsAFile)
SKEIN_CODEC_TEST_(UnbiasedCodecConformance, TheMeanOfManySendersNears)
SKEIN_CODEC_TEST_(DeltaConformance, BothEndsHoldTheSameModel)
SKEIN_CODEC_TEST_(DeltaConformance, ChangedDifferencesAreRefusedOrSound)
#undef SKEIN_CODEC_TEST_

}  // namespace skein::testing

#endif  // SKEIN_TESTING_CODEC_CONFORMANCE_H_
