#include "app/doctor/container_limits.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace skein::doctor {
namespace {

namespace fs = std::filesystem;

// The number that a file begins with; 0 for "max", or if there is no such file.
uint64_t LimitIn(const fs::path& file) {
  uint64_t limit = 0;
  std::ifstream(file) >> limit;
  return limit;
}

// "200000 100000": microseconds in a period of so many.
double CoresIn(const fs::path& file) {
  double quota = 0, period = 0;
  std::ifstream(file) >> quota >> period;
  return period > 0 ? quota / period : 0;
}

template <typename T>
void Tighten(T& limit, T other) {
  if (other > 0 && (limit == 0 || other < limit)) limit = other;
}

}  // namespace

ContainerLimits ReadContainerLimits(const std::string& root, const std::string& self) {
  ContainerLimits limits;
  std::string group;
  std::istringstream lines(self);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("0::/", 0) == 0) group = line.substr(4);
  }
  fs::path path = fs::path(group).lexically_normal();
  while (true) {
    const fs::path at = path.empty() ? fs::path(root) : fs::path(root) / path;
    Tighten(limits.cores, CoresIn(at / "cpu.max"));
    Tighten(limits.memory_bytes, LimitIn(at / "memory.max"));
    Tighten(limits.threads, LimitIn(at / "pids.max"));
    if (path.empty()) return limits;
    path = path.parent_path();
  }
}

}  // namespace skein::doctor
