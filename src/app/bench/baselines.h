#ifndef SKEIN_SRC_APP_BENCH_BASELINES_H_
#define SKEIN_SRC_APP_BENCH_BASELINES_H_

#include <cstdint>

namespace skein {

// What the machine can do at most, to set other figures against; measured where they are.

// Bytes a second through one TCP connection over loopback, from memory to memory: one thread writes
// 1 MiB at a time, another reads into a buffer of the same size.
double RawTcpBytesPerSecond(uint64_t bytes);

// Bytes a second of memcpy between two blocks of `bytes` that have been touched before.
double MemcpyBytesPerSecond(uint64_t bytes);

}  // namespace skein

#endif  // SKEIN_SRC_APP_BENCH_BASELINES_H_
