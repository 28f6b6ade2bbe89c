#ifndef SKEIN_TESTS_INTEGRATION_SCHEDULES_STAGING_WATCH_H_
#define SKEIN_TESTS_INTEGRATION_SCHEDULES_STAGING_WATCH_H_

#include <cstdint>
#include <memory>

#include "skein/transport/transport.h"

namespace skein {

// What parents let their children send at a time, seen from outside.
struct StagingWatch {
  uint64_t most_bytes = 0;   // of uploads that were granted and not yet answered, at one parent
  uint64_t most_single = 0;  // where there was one alone
};

// Wraps a transport: adds to `watch` whatever the parents on it grant. One thread.
std::shared_ptr<Transport> WatchStaging(std::shared_ptr<Transport> inner,
                                        std::shared_ptr<StagingWatch> watch);

}  // namespace skein

#endif  // SKEIN_TESTS_INTEGRATION_SCHEDULES_STAGING_WATCH_H_
