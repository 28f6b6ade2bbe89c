#ifndef SKEIN_TESTING_RUN_STORE_CONFORMANCE_H_
#define SKEIN_TESTING_RUN_STORE_CONFORMANCE_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include <absl/status/statusor.h>
#include <gtest/gtest.h>

#include "skein/control/run_store.h"

namespace skein::testing {

struct RunStoreCase {
  std::string name;
  // Opens the store named `id`; the same id again finds what was put before, if `persistent`.
  std::function<absl::StatusOr<std::unique_ptr<RunStore>>(const std::string& id)> open;
  bool persistent = true;
  friend void PrintTo(const RunStoreCase& c, std::ostream* out) { *out << c.name; }
};

// What every store must do, as described in skein/control/run_store.h. To run it over one:
//   INSTANTIATE_TEST_SUITE_P(Mine, RunStoreConformance, testing::Values(RunStoreCase{...}));
// Include this header in one source file of a test binary.
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
  void KeepsEveryFieldOfARound();
  void ReplacesARoundByAttempt();
  void KeepsExtremeNumbersAndAnyText();
  void RefusesRecordsOfAnUnknownRun();
};

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RunStoreConformance);

#define SKEIN_RUN_STORE_TEST_(name) \
  TEST_P(RunStoreConformance, name) { RunStoreConformance::name(); }
SKEIN_RUN_STORE_TEST_(FindsNothingInAFreshStore)
SKEIN_RUN_STORE_TEST_(KeepsARun)
SKEIN_RUN_STORE_TEST_(ReplacesARun)
SKEIN_RUN_STORE_TEST_(KeepsRunsApart)
SKEIN_RUN_STORE_TEST_(KeepsAttachmentsInOrder)
SKEIN_RUN_STORE_TEST_(RefusesAnEpochUsedBefore)
SKEIN_RUN_STORE_TEST_(KeepsEveryFieldOfARound)
SKEIN_RUN_STORE_TEST_(ReplacesARoundByAttempt)
SKEIN_RUN_STORE_TEST_(KeepsExtremeNumbersAndAnyText)
SKEIN_RUN_STORE_TEST_(RefusesRecordsOfAnUnknownRun)
#undef SKEIN_RUN_STORE_TEST_

}  // namespace skein::testing

#endif  // SKEIN_TESTING_RUN_STORE_CONFORMANCE_H_
