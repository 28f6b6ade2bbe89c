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

Finding OfKernels(bool avx2) {
  if (avx2) return {"fold kernels", "AVX2", Verdict::kGood, ""};
  return {"fold kernels", "portable", Verdict::kSlow,
          "the processor, or its virtual machine, has no AVX2"};
}

Finding OfClock(double step_s) {
  Finding finding{"clock", Formatted("steps of %.0f ns", step_s * 1e9), Verdict::kGood, ""};
  if (step_s > kClockStepWanted_s) {
    finding.verdict = Verdict::kSlow;
    finding.remedy =
        "coarse, and slow to read perhaps: let the kernel use the processor's clock "
        "(/sys/devices/system/clocksource)";
  }
  return finding;
}

Finding OfPorts(const std::string& error) {
  if (error.empty()) return {"ports", "one of 127.0.0.1 can be had", Verdict::kGood, ""};
  return {"ports", "none of 127.0.0.1 can be had: " + error, Verdict::kBroken,
          "--processes and nodes on machines of their own need the loopback interface"};
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

Finding OfThreads(uint64_t limit) {
  if (limit == 0) return {"threads", "unlimited", Verdict::kGood, ""};
  Finding finding{"threads", Formatted("%llu", static_cast<unsigned long long>(limit)),
                  Verdict::kGood, ""};
  if (limit < kThreadsWanted) {
    finding.verdict = Verdict::kSlow;
    finding.remedy = Formatted("few for many processes: raise the limit (ulimit -Hu) to %llu",
                               static_cast<unsigned long long>(kThreadsWanted));
  }
  return finding;
}

Finding OfMemory(const MachineFacts& facts) {
  Finding finding{"memory",
                  Formatted("%.1f GiB, %.1f available", facts.memory_bytes / kGiB,
                            facts.memory_available_bytes / kGiB),
                  Verdict::kGood, ""};
  if (facts.memory_available_bytes < kMemoryWanted) {
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
    case Verdict::kSlow:
      return "slow";
    case Verdict::kBroken:
      return "broken";
  }
  return "";
}

std::vector<Finding> Judge(const MachineFacts& facts) {
  const std::string libraries = "libtorch " + facts.torch_version + ", gRPC " + facts.grpc_version +
                                ", Protobuf " + facts.protobuf_version;
  const std::string processor = Formatted("%s, %u cores", facts.cpu.c_str(), facts.cores);
  return {{"libraries", libraries, Verdict::kGood, ""},
          {"processor", processor, Verdict::kGood, ""},
          OfKernels(facts.has_avx2),
          OfBlas(facts.blas_library),
          OfMemory(facts),
          OfOpenFiles(facts.open_files),
          OfThreads(facts.threads),
          OfClock(facts.clock_step_s),
          OfPorts(facts.listen_error),
          OfSpill(facts)};
}

}  // namespace skein::doctor
