#ifndef SKEIN_SRC_APP_DOCTOR_CONTAINER_LIMITS_H_
#define SKEIN_SRC_APP_DOCTOR_CONTAINER_LIMITS_H_

#include <cstdint>
#include <string>

namespace skein::doctor {

// What a container, or the unit of a service, is held to below what the machine has. 0: nothing.
struct ContainerLimits {
  double cores = 0;  // of processor time a second
  uint64_t memory_bytes = 0;
  uint64_t threads = 0;
};

// The tightest limits of the control group (version 2) of this process and those above it. `root`
// is where control groups are mounted; `self` is the content of /proc/self/cgroup.
ContainerLimits ReadContainerLimits(const std::string& root, const std::string& self);

}  // namespace skein::doctor

#endif  // SKEIN_SRC_APP_DOCTOR_CONTAINER_LIMITS_H_
