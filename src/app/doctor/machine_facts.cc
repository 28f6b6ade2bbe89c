#include "app/doctor/machine_facts.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include <google/protobuf/stubs/common.h>
#include <grpcpp/grpcpp.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <torch/version.h>

#include "app/version.h"
#include "skein/base/status.h"
#include "strategy/held/spill_file.h"
#include "strategy/linear/fold_kernels.h"

namespace skein::doctor {
namespace {

// The rest of the first line of a file that begins with `key`, without ":" and blanks.
std::string FieldOf(const char* path, const std::string& key) {
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const size_t begin = line.find_first_not_of(": \t", key.size());
    return begin == std::string::npos ? "" : line.substr(begin);
  }
  return "";
}

uint64_t KilobytesOf(const char* key) {
  return std::strtoull(FieldOf("/proc/meminfo", key).c_str(), nullptr, 10) * 1024;
}

unsigned UsableCores() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
}

// The files that this process has loaded whose names begin with one of `names`, each once. The
// alternatives of Debian are links, and maps have the file itself.
std::vector<std::string> Loaded(std::initializer_list<const char*> names) {
  std::ifstream maps("/proc/self/maps");
  std::vector<std::string> found;
  for (std::string line; std::getline(maps, line);) {
    const size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    const std::string path = line.substr(slash);
    const std::string file = path.substr(path.rfind('/') + 1);
    const bool wanted = std::any_of(names.begin(), names.end(),
                                    [&](const char* name) { return file.rfind(name, 0) == 0; });
    if (wanted && std::find(found.begin(), found.end(), path) == found.end()) found.push_back(path);
  }
  return found;
}

std::string LoadedBlas() {
  const auto found = Loaded({"libblas.so", "libopenblas", "libmkl_rt"});
  return found.empty() ? "" : found.front();
}

std::vector<std::string> Features() {
  std::istringstream flags(FieldOf("/proc/cpuinfo", "flags"));
  const std::vector<std::string> all{std::istream_iterator<std::string>(flags), {}};
  std::vector<std::string> features;
  for (const char* feature : {"avx2", "fma", "avx512f", "sha_ni"}) {
    if (std::find(all.begin(), all.end(), feature) != all.end()) features.push_back(feature);
  }
  return features;
}

std::string FileText(const char* path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

uint64_t OutgoingPorts() {
  uint64_t first = 0, last = 0;
  std::istringstream(FileText("/proc/sys/net/ipv4/ip_local_port_range")) >> first >> last;
  return last > first ? last - first + 1 : 0;
}

bool ClockIsSynchronized() {
  timex state = {};  // asks, and changes nothing
  return adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

uint64_t HardLimit(int resource) {
  rlimit limit = {};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return 0;
  return limit.rlim_max == RLIM_INFINITY ? 0 : limit.rlim_max;
}

double ClockStep() {
  using Clock = std::chrono::steady_clock;
  auto smallest = Clock::duration::max();
  for (int i = 0; i < 100; ++i) {
    const auto begin = Clock::now();
    auto end = begin;
    while (end == begin) end = Clock::now();
    smallest = std::min(smallest, end - begin);
  }
  return std::chrono::duration<double>(smallest).count();
}

std::string TryToListen() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string error;
  if (fd < 0 || bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(fd, 1) != 0) {
    error = std::strerror(errno);
  }
  if (fd >= 0) close(fd);
  return error;
}

}  // namespace

MachineFacts ReadMachine() {
  MachineFacts facts;
  facts.skein_version = Version();
  facts.grpc_version = grpc::Version();
  facts.protobuf_version = google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION);
  facts.torch_version = TORCH_VERSION;
  facts.sqlite_version = sqlite3_libversion();
  facts.openssl_version = OpenSSL_version(OPENSSL_VERSION_STRING);
  facts.protobuf_libraries = Loaded({"libprotobuf.so"});
  facts.openmp_libraries = Loaded({"libgomp", "libiomp5", "libomp"});
  facts.cpu = FieldOf("/proc/cpuinfo", "model name");
  facts.cores = UsableCores();
  facts.cpu_features = Features();
  facts.container = ReadContainerLimits("/sys/fs/cgroup", FileText("/proc/self/cgroup"));
  facts.has_avx2 = Avx2FoldKernels() != nullptr;
  facts.blas_library = LoadedBlas();
  facts.memory_bytes = KilobytesOf("MemTotal");
  facts.memory_available_bytes = KilobytesOf("MemAvailable");
  facts.open_files = HardLimit(RLIMIT_NOFILE);
  facts.threads = HardLimit(RLIMIT_NPROC);
  facts.clock_step_s = ClockStep();
  std::istringstream(
      FileText("/sys/devices/system/clocksource/clocksource0/current_clocksource")) >>
      facts.clock_source;
  facts.clock_synchronized = ClockIsSynchronized();
  facts.listen_error = TryToListen();
  facts.outgoing_ports = OutgoingPorts();
  std::istringstream(FileText("/proc/sys/net/core/somaxconn")) >> facts.listen_backlog;
  facts.spill_directory = SpillFile::UsualDirectory();
  struct statvfs space = {};
  if (statvfs(facts.spill_directory.c_str(), &space) == 0) {
    facts.spill_free_bytes = uint64_t{space.f_bavail} * space.f_frsize;
  }
  facts.spill_error = Message(SpillFile::Create("").status());
  return facts;
}

}  // namespace skein::doctor
