#include "skein/testing/transport_conformance.h"
#include "skein/testing/wire_transport.h"

namespace skein::testing {
namespace {

const TransportCase kInprocSimulated = {"InprocSimulated", [] {
                                          return MakeSimulatedBed(MakeInprocTransport(), {"", ""});
                                        }};
const TransportCase kInprocThreads = {"InprocThreads", [] {
                                        return MakeThreadedBed(MakeInprocTransport(), {"", ""});
                                      }};
const TransportCase kWire = {
    "Wire", [] {
      return MakeSimulatedBed(MakeWireTransport(MakeInprocTransport()), {"", ""});
    }};
const TransportCase kGrpc = {
    "Grpc", [] {
      return MakeThreadedBed(MakeGrpcTransport(), {"127.0.0.1:0", "somewhere"});
    }};
std::string NameOf(const ::testing::TestParamInfo<TransportCase>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(Transports, TransportConformance,
                         ::testing::Values(kInprocSimulated, kInprocThreads, kWire, kGrpc), NameOf);
INSTANTIATE_TEST_SUITE_P(Transports, AddressConformance, ::testing::Values(kGrpc), NameOf);

}  // namespace
}  // namespace skein::testing
