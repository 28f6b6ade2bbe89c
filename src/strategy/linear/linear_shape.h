#ifndef SKEIN_SRC_STRATEGY_LINEAR_LINEAR_SHAPE_H_
#define SKEIN_SRC_STRATEGY_LINEAR_LINEAR_SHAPE_H_

#include <cstdint>
#include <span>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/fixed128.h"
#include "skein/strategy/numeric_plan.h"
#include "strategy/linear/element_tiles.h"
#include "strategy/linear/fold_kernels.h"
#include "strategy/linear/integers.h"

namespace skein {

// How one tensor's elements combine: floats and averaged integers add up, others keep the maximum.
enum class ElementRule { kFloat, kIntegerMean, kIntegerMax };

// What linear folds are worked out with. Results do not depend on it.
struct LinearEngine {
  static constexpr uint64_t kTileElements = uint64_t{1} << 18;  // 1 MiB of float32
  const FoldKernels* kernels = &BestFoldKernels();
  uint64_t tile_elements = kTileElements;
};

// One contribution, its tensors packed as its form's manifest says.
struct LinearInput {
  enum class Form {
    kUpdate,   // of a worker
    kSubtree,  // packed like an update, but with a weight beyond one update's
    kSums,     // a partial
  };
  Form form = Form::kUpdate;
  std::span<const std::byte> bytes;
  int64_t weight = 0;
  size_t updates = 1;  // that it stands for
  double scale = 1;    // of the float parameters, as a part of the weight; a partial's are scaled
  std::vector<Fixed128> scalars = {};
};

// What is known of all contributions to one accumulator before they arrive: how their tensors look,
// how each element combines and what it may be. Immutable.
class LinearShape {
 public:
  // InvalidArgument if the plan does not fit the model: it arrives over the wire, and the kernels
  // rely on it.
  static absl::StatusOr<LinearShape> Create(const Manifest& model, const NumericPlan& plan,
                                            IntegerRule integers, const LinearEngine& engine);

  const Manifest& model() const { return model_; }
  const NumericPlan& plan() const { return plan_; }
  const FoldKernels& kernels() const { return *kernels_; }
  const ElementTiles& tiles() const { return tiles_; }
  int64_t max_total_weight() const { return max_total_weight_; }
  ElementRule RuleOf(size_t tensor) const;
  // How the bytes of a contribution are laid out.
  const Manifest& ManifestOf(LinearInput::Form form) const {
    return form == LinearInput::Form::kSums ? partial_ : update_;
  }
  // What an element of an integer tensor of an update, or of any tensor of a partial, may be.
  IntRange AllowedIntegers(size_t tensor) const;
  IntRange AllowedSums(size_t tensor, const LinearInput& partial) const;

 private:
  LinearShape(const Manifest& model, const NumericPlan& plan, IntegerRule integers,
              const LinearEngine& engine, Manifest update, Manifest partial);

  Manifest model_;
  NumericPlan plan_;
  IntegerRule integers_;
  const FoldKernels* kernels_;
  ElementTiles tiles_;
  int64_t max_total_weight_;
  Manifest update_;
  Manifest partial_;
};

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_LINEAR_LINEAR_SHAPE_H_
