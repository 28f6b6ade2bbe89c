#ifndef SKEIN_TESTS_FUZZ_REQUIRE_H_
#define SKEIN_TESTS_FUZZ_REQUIRE_H_

#include <cstdio>
#include <cstdlib>

namespace skein {

// A property of what is fuzzed. One that does not hold ends the run, and libFuzzer keeps the input.
inline void Require(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "\n==== does not hold: %s\n", property);
  std::abort();
}

}  // namespace skein

#endif  // SKEIN_TESTS_FUZZ_REQUIRE_H_
