#include "skein/testing/transport_conformance.h"

namespace skein::testing {
namespace {

INSTANTIATE_TEST_SUITE_P(
    Transports, TransportConformance,
    ::testing::Values(
        TransportCase{"InprocSimulated",
                      [] {
                        return MakeSimulatedBed(MakeInprocTransport(), {"", ""});
                      }},
        TransportCase{"InprocThreads",
                      [] {
                        return MakeThreadedBed(MakeInprocTransport(), {"", ""});
                      }},
        TransportCase{"Grpc",
                      [] {
                        return MakeThreadedBed(MakeGrpcTransport(), {"127.0.0.1:0", "somewhere"});
                      }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace skein::testing
