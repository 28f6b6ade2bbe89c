#ifndef SKEIN_TESTS_SUPPORT_ITERATIONS_H_
#define SKEIN_TESTS_SUPPORT_ITERATIONS_H_

#include <cstdint>
#include <cstdlib>

namespace skein {

// How often a randomized test repeats: `usual`, or what the long runs of scripts/soak.sh ask for.
// Every iteration must be a function of its number alone, or of a generator seeded by the test.
inline int IterationsFrom(const char* variable, int usual) {
  const char* text = std::getenv(variable);
  const int asked = text == nullptr ? 0 : std::atoi(text);
  return asked > 0 ? asked : usual;
}

// Damaged or random inputs to a parser or a data structure.
inline int FuzzIterations(int usual) { return IterationsFrom("SKEIN_FUZZ_ITERATIONS", usual); }

// Random schedules of a simulated federation.
inline int SimSeeds(int usual) { return IterationsFrom("SKEIN_SIM_SEEDS", usual); }

// Which of them to run: as many from 0 on, or the one that SKEIN_SIM_SEED names.
struct SeedRange {
  uint64_t first = 0;
  uint64_t count = 0;
};
inline SeedRange SeedsToRun(int usual) {
  const char* one = std::getenv("SKEIN_SIM_SEED");
  if (one != nullptr) return {std::strtoull(one, nullptr, 10), 1};
  return {0, static_cast<uint64_t>(SimSeeds(usual))};
}

}  // namespace skein

#endif  // SKEIN_TESTS_SUPPORT_ITERATIONS_H_
