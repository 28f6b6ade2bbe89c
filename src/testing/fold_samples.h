#ifndef SKEIN_SRC_TESTING_FOLD_SAMPLES_H_
#define SKEIN_SRC_TESTING_FOLD_SAMPLES_H_

#include <functional>
#include <string>
#include <vector>

#include "skein/base/random.h"
#include "skein/testing/fold_checks.h"

namespace skein::testing {

// Models and updates for tests of folds. Whatever is wrong here aborts: tests rely on it.

// As many workers as a federation may well have; sanitizers make each of them ten times as slow.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kManyWorkers = 100;
#else
constexpr size_t kManyWorkers = 1000;
#endif

Manifest MakeManifest(std::vector<TensorInfo> tensors);

// Tensors of every type, scalars, empty tensors, buffers, one longer than a fold's chunks; narrow
// ones come first, so that most lie unaligned.
Manifest MixedManifest();

// Element `index` of a tensor as a double, whatever its type, and the reverse. Integers are exact
// up to 2^53.
double ValueAt(const PackedTensors& tensors, size_t tensor, uint64_t index);
void SetValue(PackedTensors& tensors, size_t tensor, uint64_t index, double value);

// Tensors with element i of tensor t set to value(t, i).
PackedTensors Filled(const Manifest& manifest,
                     const std::function<double(size_t tensor, uint64_t index)>& value);

// The same bytes in a block of their own, which can be written.
PackedTensors Copied(const PackedTensors& tensors);
bool SameBytes(const PackedTensors& a, const PackedTensors& b);

// Floats normal with deviation `spread` (at least 0 for integers), from `rng`.
PackedTensors RandomModel(const Manifest& manifest, double spread, Rng& rng);

// Updates of `count` workers that moved the base by about `spread`, with 1 to `max_samples`
// samples.
std::vector<SampleUpdate> RandomUpdates(const PackedTensors& base, size_t count,
                                        uint64_t max_samples, double spread, Rng& rng);

// Folds the updates in a random tree of `depth` tiers of aggregators: every inner one passes a
// partial to the one above. `depth` 1 is flat.
absl::StatusOr<Partial> FoldInRandomTree(const Fold& fold, const Manifest& model,
                                         const NumericPlan& plan,
                                         const std::vector<SampleUpdate>& updates, int depth,
                                         Rng& rng);

// The header of the partial that these updates made.
PartialHeader HeaderOf(const Partial& partial, const std::vector<SampleUpdate>& updates);

// x' = x + mean difference.
class PlainStep : public ServerOptimizer {
 public:
  void BeginStep(const Manifest&) override {}
  void Step(size_t, uint64_t, std::span<const double> x, std::span<const double> mean_delta,
            std::span<double> next) override {
    for (size_t i = 0; i < x.size(); ++i) next[i] = x[i] + mean_delta[i];
  }
};

}  // namespace skein::testing

#endif  // SKEIN_SRC_TESTING_FOLD_SAMPLES_H_
