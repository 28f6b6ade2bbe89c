#ifndef SKEIN_TESTING_WIRE_TRANSPORT_H_
#define SKEIN_TESTING_WIRE_TRANSPORT_H_

#include <memory>

#include "skein/transport/transport.h"

namespace skein::testing {

// Wraps a transport within one process, whose frames are handed over as they are: each becomes the
// bytes that the grpc transport would send, and is read from them again. One that cannot be read
// closes its link, as there.
std::shared_ptr<Transport> MakeWireTransport(std::shared_ptr<Transport> inner);

}  // namespace skein::testing

#endif  // SKEIN_TESTING_WIRE_TRANSPORT_H_
