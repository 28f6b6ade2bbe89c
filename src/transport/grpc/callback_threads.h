#ifndef SKEIN_TRANSPORT_GRPC_CALLBACK_THREADS_H_
#define SKEIN_TRANSPORT_GRPC_CALLBACK_THREADS_H_

namespace skein {

// Keeps gRPC's callback threads until the process ends. They belong to the channels and servers
// that use callbacks, and end with the last of those; gRPC 1.51 lets the thread that releases the
// last one join them all, itself included if it is one of them, and then works on what it has
// freed. Reactors are released by these very threads, so no owner could rule that out. To be called
// before the first channel or server is made; any thread.
void KeepCallbackThreads();

}  // namespace skein

#endif  // SKEIN_TRANSPORT_GRPC_CALLBACK_THREADS_H_
