#ifndef SKEIN_SRC_APP_DOCTOR_MACHINE_FACTS_H_
#define SKEIN_SRC_APP_DOCTOR_MACHINE_FACTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "app/doctor/container_limits.h"

namespace skein::doctor {

// What `skein doctor` looks at, as it is found: nothing is judged here.
struct MachineFacts {
  std::string skein_version;
  std::string grpc_version;
  std::string protobuf_version;
  std::string torch_version;
  std::string sqlite_version;
  std::string openssl_version;
  // Files that are loaded into this process, each once: two of a kind get in each other's way.
  std::vector<std::string> protobuf_libraries;
  std::vector<std::string> openmp_libraries;
  std::string cpu;                        // as the kernel names it
  unsigned cores = 0;                     // that this process may use
  std::vector<std::string> cpu_features;  // of those that matter, as the kernel names them
  bool has_avx2 = false;
  ContainerLimits container;
  std::string blas_library;  // the file that libtorch computes with; empty: not found
  uint64_t memory_bytes = 0;
  uint64_t memory_available_bytes = 0;
  uint64_t open_files = 0;   // the hard limit
  uint64_t threads = 0;      // of this user; 0: unlimited
  double clock_step_s = 0;   // the smallest that the steady clock was seen to make
  std::string clock_source;  // of the kernel; empty: unknown
  bool clock_synchronized = false;
  std::string listen_error;     // why no port of 127.0.0.1 can be had; empty: one can
  uint64_t outgoing_ports = 0;  // that connections may come from; 0: unknown
  uint64_t listen_backlog = 0;  // connections that may wait to be accepted; 0: unknown
  std::string spill_directory;
  uint64_t spill_free_bytes = 0;
  std::string spill_error;  // why no file can be made there; empty: one can
};

MachineFacts ReadMachine();

}  // namespace skein::doctor

#endif  // SKEIN_SRC_APP_DOCTOR_MACHINE_FACTS_H_
