#ifndef SKEIN_TESTING_RUN_STORE_CHECKS_H_
#define SKEIN_TESTING_RUN_STORE_CHECKS_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

#include "skein/control/run_store.h"

namespace skein::testing {

// A store under test.
struct RunStoreCase {
  std::string name;
  // Opens the store named `id`; the same id again finds what was put before, if `persistent`.
  std::function<absl::StatusOr<std::unique_ptr<RunStore>>(const std::string& id)> open;
  bool persistent = true;
  friend void PrintTo(const RunStoreCase& c, std::ostream* out) { *out << c.name; }
};

// The checks of the conformance suite; run_store_conformance.h makes tests of them.
class RunStoreConformance : public ::testing::TestWithParam<RunStoreCase> {
 protected:
  void SetUp() override;
  // Closes the store and opens it again, if it is persistent.
  void Reopen();

  std::string id_;  // another for every test
  std::unique_ptr<RunStore> store_;

  void FindsNothingInAFreshStore();
  void KeepsARun();
  void ReplacesARun();
  void KeepsRunsApart();
  void KeepsAttachmentsInOrder();
  void RefusesAnEpochUsedBefore();
  void KeepsAttachmentsThatCameTogether();
  void OneBadAttachmentKeepsTheOthersOutToo();
  void KeepsEveryFieldOfARound();
  void ReplacesARoundByAttempt();
  void KeepsExtremeNumbersAndAnyText();
  void RefusesRecordsOfAnUnknownRun();
  void KeepsSubmissionsByNumber();
  void ReplacesASubmission();
};

}  // namespace skein::testing

#endif  // SKEIN_TESTING_RUN_STORE_CHECKS_H_
