#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/doctor/findings.h"
#include "unit/federation/temp_dir.h"

namespace skein::doctor {
namespace {

using ::testing::HasSubstr;

MachineFacts GoodMachine() {
  MachineFacts facts;
  facts.cpu = "a processor";
  facts.cores = 2;
  facts.has_avx2 = true;
  facts.blas_library = "/usr/lib/x86_64-linux-gnu/openblas-openmp/libblas.so.3";
  facts.memory_bytes = uint64_t{24} << 30;
  facts.memory_available_bytes = uint64_t{20} << 30;
  facts.open_files = 1'048'576;
  facts.clock_step_s = 4e-8;
  facts.clock_source = "tsc";
  facts.clock_synchronized = true;
  facts.outgoing_ports = 28'232;
  facts.listen_backlog = 4096;
  facts.openmp_libraries = {"/usr/lib/libgomp.so.1"};
  facts.spill_directory = "/var/tmp";
  facts.spill_free_bytes = uint64_t{50} << 30;
  return facts;
}

// The findings that are not good.
std::vector<Finding> Bad(const MachineFacts& facts) {
  std::vector<Finding> findings = Judge(facts);
  std::erase_if(findings, [](const Finding& f) { return f.verdict == Verdict::kGood; });
  return findings;
}

TEST(Doctor, FindsNothingWithAGoodMachine) {
  EXPECT_TRUE(Bad(GoodMachine()).empty());
  for (const Finding& finding : Judge(GoodMachine())) {
    EXPECT_EQ(finding.remedy, "") << finding.what;
    EXPECT_NE(finding.value, "") << finding.what;
  }
}

struct Ill {
  const char* what;
  std::function<void(MachineFacts&)> make;
  Verdict verdict;
  const char* remedy;
};

TEST(Doctor, SaysWhatIsWrongAndHowToMendIt) {
  const Ill ills[] = {
      {"processor", [](MachineFacts& f) { f.container.cores = 1.5; }, Verdict::kSlow,
       "time of 1.5 cores"},
      {"OpenMP", [](MachineFacts& f) { f.openmp_libraries.push_back("/opt/libiomp5.so"); },
       Verdict::kSlow, "two runtimes"},
      {"Protobuf",
       [](MachineFacts& f) {
         f.protobuf_libraries = {"/a/libprotobuf.so.32", "/b"};
       },
       Verdict::kBroken, "share one"},
      {"memory", [](MachineFacts& f) { f.container.memory_bytes = 1000; }, Verdict::kSlow,
       "limit of the container"},
      {"threads", [](MachineFacts& f) { f.container.threads = 100; }, Verdict::kSlow, "pids.max"},
      {"clock", [](MachineFacts& f) { f.clock_source = "hpet"; }, Verdict::kSlow, "clocksource"},
      {"clock", [](MachineFacts& f) { f.clock_synchronized = false; }, Verdict::kNote, "NTP"},
      {"ports", [](MachineFacts& f) { f.outgoing_ports = 100; }, Verdict::kSlow,
       "ip_local_port_range"},
      {"ports", [](MachineFacts& f) { f.listen_backlog = 128; }, Verdict::kSlow, "somaxconn"},
      {"fold kernels", [](MachineFacts& f) { f.has_avx2 = false; }, Verdict::kSlow, "AVX2"},
      {"BLAS",
       [](MachineFacts& f) { f.blas_library = "/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0"; },
       Verdict::kSlow, "libopenblas0-openmp"},
      {"memory", [](MachineFacts& f) { f.memory_available_bytes = 1000; }, Verdict::kSlow,
       "end other programs"},
      {"open files", [](MachineFacts& f) { f.open_files = 256; }, Verdict::kSlow, "ulimit -Hn"},
      {"threads", [](MachineFacts& f) { f.threads = 100; }, Verdict::kSlow, "ulimit -Hu"},
      {"clock", [](MachineFacts& f) { f.clock_step_s = 1e-3; }, Verdict::kSlow, "clocksource"},
      {"ports", [](MachineFacts& f) { f.listen_error = "no loopback"; }, Verdict::kBroken,
       "--processes"},
      {"directory to spill to", [](MachineFacts& f) { f.spill_free_bytes = 1000; }, Verdict::kSlow,
       "TMPDIR"},
      {"directory to spill to", [](MachineFacts& f) { f.spill_error = "read-only"; },
       Verdict::kSlow, "read-only"},
  };
  for (const Ill& ill : ills) {
    SCOPED_TRACE(ill.what);
    MachineFacts facts = GoodMachine();
    ill.make(facts);
    const std::vector<Finding> bad = Bad(facts);
    ASSERT_EQ(bad.size(), 1u);
    EXPECT_EQ(bad[0].what, ill.what);
    EXPECT_EQ(bad[0].verdict, ill.verdict);
    EXPECT_THAT(bad[0].remedy, HasSubstr(ill.remedy));
  }
}

TEST(Doctor, LimitsOfAContainerThatAreWideAreNoHarm) {
  MachineFacts facts = GoodMachine();
  facts.container = {.cores = 2, .memory_bytes = uint64_t{8} << 30, .threads = 100'000};
  EXPECT_TRUE(Bad(facts).empty());
}

TEST(ContainerLimits, AreTheTightestOfAllGroupsAbove) {
  const TempDir root;
  std::filesystem::create_directories(root / "a/b");
  WriteAll(root / "a/cpu.max", "150000 100000\n");
  WriteAll(root / "a/memory.max", "max\n");
  WriteAll(root / "a/pids.max", "70\n");
  WriteAll(root / "a/b/cpu.max", "max 100000\n");
  WriteAll(root / "a/b/memory.max", "4096\n");
  WriteAll(root / "a/b/pids.max", "100\n");
  const ContainerLimits limits = ReadContainerLimits(root.path(), "1:name=x:/other\n0::/a/b\n");
  EXPECT_EQ(limits.cores, 1.5);
  EXPECT_EQ(limits.memory_bytes, 4096u);
  EXPECT_EQ(limits.threads, 70u);
}

TEST(ContainerLimits, AreNoneWhereThereAreNoGroups) {
  const TempDir root;
  for (const char* self : {"", "0::/\n", "0::/gone/away\n", "4:memory:/v1\n"}) {
    const ContainerLimits limits = ReadContainerLimits(root.path(), self);
    EXPECT_EQ(limits.cores, 0) << self;
    EXPECT_EQ(limits.memory_bytes, 0u) << self;
    EXPECT_EQ(limits.threads, 0u) << self;
  }
}

TEST(Doctor, ReadsThisMachine) {
  const MachineFacts facts = ReadMachine();
  EXPECT_GE(facts.cores, 1u);
  EXPECT_GT(facts.memory_bytes, facts.memory_available_bytes);
  EXPECT_GT(facts.memory_available_bytes, 0u);
  EXPECT_GT(facts.clock_step_s, 0);
  EXPECT_NE(facts.cpu, "");
  EXPECT_THAT(facts.torch_version, HasSubstr("."));
  EXPECT_THAT(facts.blas_library, HasSubstr("blas"));
  EXPECT_EQ(facts.listen_error, "");
  EXPECT_GT(facts.listen_backlog, 0u);
  EXPECT_GT(facts.outgoing_ports, 0u);
  EXPECT_EQ(facts.protobuf_libraries.size(), 1u);
  EXPECT_THAT(facts.sqlite_version, HasSubstr("3."));
}

}  // namespace
}  // namespace skein::doctor
