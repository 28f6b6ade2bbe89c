#ifndef SKEIN_TESTS_DOCS_SNIPPETS_SOCKET_TRANSPORT_H_
#define SKEIN_TESTS_DOCS_SNIPPETS_SOCKET_TRANSPORT_H_

#include "skein/transport/transport.h"

namespace skein {

// Links between processes of one machine, over Unix sockets. An address is a path.
std::shared_ptr<Transport> MakeSocketTransport();

}  // namespace skein

#endif  // SKEIN_TESTS_DOCS_SNIPPETS_SOCKET_TRANSPORT_H_
