#ifndef SKEIN_BASE_RANDOM_H_
#define SKEIN_BASE_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

namespace skein {

// Mixes a run's seed with what a stream of random numbers is for (leaf index, task, purpose).
// Equal arguments give equal seeds on every machine; unequal ones give unrelated seeds.
uint64_t DeriveSeed(uint64_t seed, std::initializer_list<uint64_t> parts);

// A seeded random source, the same on every platform (xoshiro256++; the distributions are ours,
// since those of <random> differ between standard libraries). Not for cryptography. Not
// thread-safe; copy or derive one per thread.
class Rng {
 public:
  explicit Rng(uint64_t seed);

  uint64_t Next();
  // Uniform in [0, bound), unbiased. `bound` >= 1.
  uint64_t Below(uint64_t bound);
  // Uniform in [0, 1), 53 bits.
  double Uniform();
  // Standard normal.
  double Normal();
  // Gamma(shape, 1), shape > 0 (Marsaglia and Tsang 2000; shape < 1 by the boost
  // G(a) = G(a + 1) * U^(1/a)). Returns its logarithm: for tiny shapes the value underflows.
  double LogGamma(double shape);

  // Fisher-Yates.
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  uint64_t state_[4];
};

}  // namespace skein

#endif  // SKEIN_BASE_RANDOM_H_
