#include "memory_store.h"

#include <skein/testing/run_store_conformance.h>

namespace skein::testing {

INSTANTIATE_TEST_SUITE_P(Mine, RunStoreConformance,
                         ::testing::Values(RunStoreCase{
                             "Memory",
                             [](const std::string&) { return std::make_unique<MemoryStore>(); },
                             /*persistent=*/false}));

}  // namespace skein::testing
