#ifndef SKEIN_TESTS_INTEGRATION_SCHEDULES_SCHEDULE_CHECKS_H_
#define SKEIN_TESTS_INTEGRATION_SCHEDULES_SCHEDULE_CHECKS_H_

#include "integration/schedules/random_schedule.h"
#include "integration/schedules/staging_watch.h"
#include "integration/schedules/update_ledger.h"
#include "support/sim_federation.h"

namespace skein {

// What must hold of every federation that has ended, whatever went wrong: versions one after
// another, each of updates that were made, were good, were fresh enough and are in no other one;
// and each model is, bit for bit, what one flat fold makes of these updates and the models that
// they were made from.
void ExpectSound(const Schedule& schedule, const SimFederation& federation,
                 const UpdateLedger& ledger, const StagingWatch& staging);

}  // namespace skein

#endif  // SKEIN_TESTS_INTEGRATION_SCHEDULES_SCHEDULE_CHECKS_H_
