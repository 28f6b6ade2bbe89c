#include "docs/snippets/socket_transport.h"

#include <unistd.h>

#include "skein/testing/transport_conformance.h"

namespace skein::testing {
namespace {

// Another path for each test, gone with its listener.
std::unique_ptr<TransportBed> MakeBed() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string path = ::testing::TempDir() + std::to_string(getpid()) + "-" +
                           std::to_string(test->line()) + ".socket";
  return MakeThreadedBed(MakeSocketTransport(), {path, std::string(200, 'x')});
}

const TransportCase kSockets = {"Sockets", MakeBed};

INSTANTIATE_TEST_SUITE_P(Mine, TransportConformance, ::testing::Values(kSockets));
INSTANTIATE_TEST_SUITE_P(Mine, AddressConformance, ::testing::Values(kSockets));

}  // namespace
}  // namespace skein::testing
