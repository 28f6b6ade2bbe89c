// A federation of 200 workers, round after round: memory and descriptors stay as they are, and the
// store grows by a little for each round. SKEIN_SOAK_ROUNDS rounds (200; scripts/soak.sh: 2000).
#include <sys/inotify.h>

#include <map>
#include <optional>

#include "integration/program.h"

namespace skein {
namespace {

constexpr uint64_t kWarmUp = 60;  // rounds, in which pools fill and tables get their size
constexpr uint64_t kKib = 1024;
constexpr uint64_t kMemoryGrowth = 2048 * kKib;   // after that, in all
constexpr uint64_t kLogOfStore = 8192 * kKib;     // SQLite starts its log anew at 4 MB
constexpr uint64_t kStoreOfRun = 256 * kKib;      // the spec, the nodes
constexpr uint64_t kStoreOfRound = 512;           // a round, with its rosters and digest
constexpr size_t kMostDescriptorsForAMoment = 4;  // a model that is being written

uint64_t Rounds() {
  const char* set = std::getenv("SKEIN_SOAK_ROUNDS");
  return set == nullptr ? 200 : std::max<uint64_t>(2 * kWarmUp, std::stoull(set));
}

struct Sample {
  uint64_t memory_bytes = 0;
  size_t descriptors = 0;
};

class FlatMemoryTest : public ProgramTest {
 protected:
  // What the process has now; nothing if it has ended.
  static std::optional<Sample> Look(pid_t pid) {
    const std::string proc = "/proc/" + std::to_string(pid);
    const std::string status = ReadAll(proc + "/status");
    const size_t at = status.find("VmRSS:");
    if (at == std::string::npos) return std::nullopt;
    Sample sample{std::stoull(status.substr(at + 6)) * kKib, 0};
    std::error_code error;
    for (auto it = std::filesystem::directory_iterator(proc + "/fd", error);
         !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
      ++sample.descriptors;
    }
    return sample;
  }
  // Looks at the process whenever a round is recorded, until it has ended. By round.
  std::map<uint64_t, Sample> Watch(pid_t pid) {
    const std::string csv = work_ / "run/rounds.csv";
    while (!std::filesystem::exists(csv)) std::this_thread::yield();
    const int watch = inotify_init1(IN_CLOEXEC);
    EXPECT_GE(inotify_add_watch(watch, csv.c_str(), IN_MODIFY | IN_CLOSE_WRITE), 0);
    std::map<uint64_t, Sample> samples;
    std::ifstream file(csv);
    std::string line;
    uint64_t rounds = 0;
    for (bool open = true; open;) {
      alignas(inotify_event) char events[4096];
      const ssize_t n = read(watch, events, sizeof(events));
      if (n <= 0) break;
      for (ssize_t i = 0; i < n;) {
        const auto* event = reinterpret_cast<const inotify_event*>(events + i);
        open = open && (event->mask & IN_CLOSE_WRITE) == 0;
        i += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
      file.clear();
      while (std::getline(file, line)) ++rounds;  // the header is one more
      if (const auto sample = open ? Look(pid) : std::nullopt) samples[rounds - 1] = *sample;
    }
    close(watch);
    return samples;
  }
};

TEST_F(FlatMemoryTest, OfManyRoundsOfManyWorkers) {
  const uint64_t rounds = Rounds();
  Write("spec.yaml",
        "topology: flat:200\nlearner: linear\nrounds: " + std::to_string(rounds) + "\n");
  const pid_t run = StartRun({"--log-level", "off"});
  const std::map<uint64_t, Sample> samples = Watch(run);
  EXPECT_EQ(WaitForEnd(run), 0);
  const auto warm = samples.lower_bound(kWarmUp);
  ASSERT_NE(warm, samples.end());
  const auto last = std::prev(samples.end());
  ASSERT_GE(last->first, rounds - 20) << "the process is looked at until the end, nearly";
  size_t most = 0;
  for (auto it = warm; it != samples.end(); ++it) most = std::max(most, it->second.descriptors);
  EXPECT_LE(most, warm->second.descriptors + kMostDescriptorsForAMoment);
  if (kMeasuresMemory) {
    EXPECT_LE(last->second.memory_bytes, warm->second.memory_bytes + kMemoryGrowth)
        << "from round " << warm->first << " to " << last->first;
  }
  RecordProperty("memory_growth_bytes", static_cast<int64_t>(last->second.memory_bytes) -
                                            static_cast<int64_t>(warm->second.memory_bytes));
  // Closed, it has its log in it.
  const uint64_t store = std::filesystem::file_size(work_ / "run/control.db");
  EXPECT_LE(store, kStoreOfRun + kStoreOfRound * rounds);
  const std::string log = work_ / "run/control.db-wal";
  EXPECT_FALSE(std::filesystem::exists(log) && std::filesystem::file_size(log) > kLogOfStore);
  std::printf(
      "memory +%lld KiB from round %llu to %llu, %zu descriptors, store %llu bytes a round\n",
      (static_cast<long long>(last->second.memory_bytes) -
       static_cast<long long>(warm->second.memory_bytes)) /
          static_cast<long long>(kKib),
      static_cast<unsigned long long>(warm->first), static_cast<unsigned long long>(last->first),
      most, static_cast<unsigned long long>(store / rounds));
}

}  // namespace
}  // namespace skein
