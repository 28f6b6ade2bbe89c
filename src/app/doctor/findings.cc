#include "app/doctor/findings.h"

#include "app/formatted.h"
#include "app/open_files.h"

namespace skein::doctor {
namespace {

constexpr double kGiB = 1024.0 * 1024 * 1024;
constexpr double kSpillWanted = 1 * kGiB;
constexpr double kMemoryWanted = 1 * kGiB;
constexpr uint64_t kWorkersWanted = 512;   // connections that a process should be allowed
constexpr uint64_t kThreadsWanted = 1024;  // tens for each process
constexpr double kClockStepWanted_s = 1e-5;
constexpr uint64_t kPortsWanted = 4096;

Finding OfKernels(bool avx2) {
  if (avx2) return {"fold kernels", "AVX2", Verdict::kGood, ""};
  return {"fold kernels", "portable", Verdict::kSlow,
          "the processor, or its virtual machine, has no AVX2"};
}

Finding OfCores(const MachineFacts& facts) {
  Finding finding{"processor", Formatted("%s, %u cores", facts.cpu.c_str(), facts.cores),
                  Verdict::kGood, ""};
  for (const std::string& feature : facts.cpu_features) finding.value += ", " + feature;
  const double cores = facts.container.cores;
  if (cores > 0 && cores < facts.cores) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = Formatted(
        "this container has the time of %.1f cores only: raise its quota, or train on fewer "
        "threads at once (--threads)",
        cores);
  }
  return finding;
}

bool IsSlowSource(const std::string& source) {
  return source == "hpet" || source == "acpi_pm" || source == "jiffies";
}

Finding OfClock(const MachineFacts& facts) {
  Finding finding{"clock", Formatted("steps of %.0f ns", facts.clock_step_s * 1e9), Verdict::kGood,
                  ""};
  if (!facts.clock_source.empty()) finding.value += ", " + facts.clock_source;
  if (facts.clock_step_s > kClockStepWanted_s || IsSlowSource(facts.clock_source)) {
    finding.verdict = Verdict::kSlow;
    finding.remedy =
        "coarse, or slow to read: let the kernel use the processor's clock "
        "(/sys/devices/system/clocksource)";
  } else if (!facts.clock_synchronized) {
    finding.verdict = Verdict::kNote;
    finding.value += ", not synchronized";
    finding.remedy =
        "the logs of several machines will not agree on the time: run an NTP service there; "
        "runs do not need it";
  }
  return finding;
}

Finding OfPorts(const MachineFacts& facts) {
  if (!facts.listen_error.empty()) {
    return {"ports", "none of 127.0.0.1 can be had: " + facts.listen_error, Verdict::kBroken,
            "--processes and nodes on machines of their own need the loopback interface"};
  }
  Finding finding{"ports", "one of 127.0.0.1 can be had", Verdict::kGood, ""};
  const auto number = [](uint64_t n) { return static_cast<unsigned long long>(n); };
  if (facts.outgoing_ports > 0) {
    finding.value += Formatted(", %llu to dial from", number(facts.outgoing_ports));
  }
  if (facts.outgoing_ports > 0 && facts.outgoing_ports < kPortsWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy =
        "few for many nodes on one machine: widen net.ipv4.ip_local_port_range with sysctl";
  } else if (facts.listen_backlog > 0 && facts.listen_backlog < kWorkersWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = Formatted(
        "only %llu connections may wait to be accepted: of many workers that start together some "
        "dial for seconds; raise net.core.somaxconn with sysctl to %llu",
        number(facts.listen_backlog), number(kWorkersWanted));
  }
  return finding;
}

// Two copies of a library in one process.
Finding OfCopies(const char* what, const std::vector<std::string>& files, Verdict verdict,
                 const char* remedy) {
  Finding finding{what, files.empty() ? "no shared library" : files.front(), Verdict::kGood, ""};
  for (size_t i = 1; i < files.size(); ++i) finding.value += " and " + files[i];
  if (files.size() < 2) return finding;
  finding.verdict = verdict;
  finding.remedy = remedy;
  return finding;
}

Finding OfBlas(const std::string& library) {
  Finding finding{"BLAS", library, Verdict::kGood, ""};
  // Debian's reference implementation.
  if (library.find("/blas/libblas") != std::string::npos) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = "a reference implementation, many times slower: install libopenblas0-openmp";
  }
  if (library.empty()) finding.value = "not found among the loaded libraries";
  return finding;
}

Finding OfOpenFiles(uint64_t limit) {
  if (limit == 0) return {"open files", "unlimited", Verdict::kGood, ""};
  Finding finding{"open files", Formatted("%llu", static_cast<unsigned long long>(limit)),
                  Verdict::kGood, ""};
  const uint64_t wanted = FilesFor(kWorkersWanted);
  if (limit < wanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = Formatted(
        "too few for a process with %llu connections: raise the hard limit (ulimit -Hn) to %llu",
        static_cast<unsigned long long>(kWorkersWanted), static_cast<unsigned long long>(wanted));
  }
  return finding;
}

// Of this user, or of the container.
Finding OfThreads(uint64_t limit, uint64_t container) {
  if (container > 0 && (limit == 0 || container < limit)) limit = container;
  if (limit == 0) return {"threads", "unlimited", Verdict::kGood, ""};
  Finding finding{"threads", Formatted("%llu", static_cast<unsigned long long>(limit)),
                  Verdict::kGood, ""};
  if (limit < kThreadsWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = Formatted(
        "few for many processes: raise the limit (ulimit -Hu, "
        "or TasksMax and pids.max) to %llu",
        static_cast<unsigned long long>(kThreadsWanted));
  }
  return finding;
}

Finding OfMemory(const MachineFacts& facts) {
  Finding finding{"memory",
                  Formatted("%.1f GiB, %.1f available", facts.memory_bytes / kGiB,
                            facts.memory_available_bytes / kGiB),
                  Verdict::kGood, ""};
  const uint64_t limit = facts.container.memory_bytes;
  const bool limited = limit > 0 && limit < facts.memory_bytes;
  if (limited) finding.value += Formatted(", %.1f for this container", limit / kGiB);
  if (limited && limit < kMemoryWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy =
        "raise the limit of the container: a node takes some 150 MiB and several models, and the "
        "kernel kills what needs more";
  } else if (facts.memory_available_bytes < kMemoryWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = "end other programs: a node takes some 150 MiB and several models";
  }
  return finding;
}

Finding OfSpill(const MachineFacts& facts) {
  Finding finding{
      "directory to spill to",
      Formatted("%s, %.1f GiB free", facts.spill_directory.c_str(), facts.spill_free_bytes / kGiB),
      Verdict::kGood, ""};
  if (!facts.spill_error.empty()) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = facts.spill_error;
  } else if (facts.spill_free_bytes < kSpillWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = "folds that hold many updates need more: set TMPDIR to another directory";
  }
  return finding;
}

}  // namespace

const char* NameOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return "ok";
    case Verdict::kNote:
      return "note";
    case Verdict::kSlow:
      return "slow";
    case Verdict::kBroken:
      return "broken";
  }
  return "";
}

std::vector<Finding> Judge(const MachineFacts& facts) {
  const std::string libraries = "skein " + facts.skein_version + ", libtorch " +
                                facts.torch_version + ", gRPC " + facts.grpc_version +
                                ", Protobuf " + facts.protobuf_version + ", SQLite " +
                                facts.sqlite_version + ", OpenSSL " + facts.openssl_version;
  return {{"versions", libraries, Verdict::kGood, ""},
          OfCores(facts),
          OfKernels(facts.has_avx2),
          OfBlas(facts.blas_library),
          OfCopies("OpenMP", facts.openmp_libraries, Verdict::kSlow,
                   "two runtimes fight for the cores: use a libtorch and a BLAS of one origin"),
          OfCopies("Protobuf", facts.protobuf_libraries, Verdict::kBroken,
                   "two copies in one process overwrite each other: use a libtorch and a gRPC that "
                   "share one"),
          OfMemory(facts),
          OfOpenFiles(facts.open_files),
          OfThreads(facts.threads, facts.container.threads),
          OfClock(facts),
          OfPorts(facts),
          OfSpill(facts)};
}

}  // namespace skein::doctor
