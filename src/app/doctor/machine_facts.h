#ifndef SKEIN_SRC_APP_DOCTOR_MACHINE_FACTS_H_
#define SKEIN_SRC_APP_DOCTOR_MACHINE_FACTS_H_

#include <cstdint>
#include <string>

namespace skein::doctor {

// What `skein doctor` looks at, as it is found: nothing is judged here.
struct MachineFacts {
  std::string grpc_version;
  std::string protobuf_version;
  std::string torch_version;
  std::string cpu;     // as the kernel names it
  unsigned cores = 0;  // that this process may use
  bool has_avx2 = false;
  std::string blas_library;  // the file that libtorch computes with; empty: not found
  uint64_t memory_bytes = 0;
  uint64_t memory_available_bytes = 0;
  uint64_t open_files = 0;   // the hard limit
  uint64_t threads = 0;      // of this user; 0: unlimited
  double clock_step_s = 0;   // the smallest that the steady clock was seen to make
  std::string listen_error;  // why no port of 127.0.0.1 can be had; empty: one can
  std::string spill_directory;
  uint64_t spill_free_bytes = 0;
  std::string spill_error;  // why no file can be made there; empty: one can
};

MachineFacts ReadMachine();

}  // namespace skein::doctor

#endif  // SKEIN_SRC_APP_DOCTOR_MACHINE_FACTS_H_
