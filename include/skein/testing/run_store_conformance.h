#ifndef SKEIN_TESTING_RUN_STORE_CONFORMANCE_H_
#define SKEIN_TESTING_RUN_STORE_CONFORMANCE_H_

#include "skein/testing/run_store_checks.h"

namespace skein::testing {

// What every store must do, as described in skein/control/run_store.h. To run it over one, include
// this header in one source file of a test binary, with
//   INSTANTIATE_TEST_SUITE_P(Mine, RunStoreConformance, ::testing::Values(RunStoreCase{...}));

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RunStoreConformance);

#define SKEIN_RUN_STORE_TEST_(name) \
  TEST_P(RunStoreConformance, name) { RunStoreConformance::name(); }
SKEIN_RUN_STORE_TEST_(FindsNothingInAFreshStore)
SKEIN_RUN_STORE_TEST_(KeepsARun)
SKEIN_RUN_STORE_TEST_(ReplacesARun)
SKEIN_RUN_STORE_TEST_(KeepsRunsApart)
SKEIN_RUN_STORE_TEST_(KeepsAttachmentsInOrder)
SKEIN_RUN_STORE_TEST_(RefusesAnEpochUsedBefore)
SKEIN_RUN_STORE_TEST_(KeepsAttachmentsThatCameTogether)
SKEIN_RUN_STORE_TEST_(OneBadAttachmentKeepsTheOthersOutToo)
SKEIN_RUN_STORE_TEST_(KeepsEveryFieldOfARound)
SKEIN_RUN_STORE_TEST_(ReplacesARoundByAttempt)
SKEIN_RUN_STORE_TEST_(KeepsExtremeNumbersAndAnyText)
SKEIN_RUN_STORE_TEST_(RefusesRecordsOfAnUnknownRun)
SKEIN_RUN_STORE_TEST_(KeepsSubmissionsByNumber)
SKEIN_RUN_STORE_TEST_(ReplacesASubmission)
#undef SKEIN_RUN_STORE_TEST_

}  // namespace skein::testing

#endif  // SKEIN_TESTING_RUN_STORE_CONFORMANCE_H_
