#ifndef SKEIN_STRATEGY_FOLD_H_
#define SKEIN_STRATEGY_FOLD_H_

#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include <absl/status/statusor.h>

#include "skein/strategy/contribution.h"
#include "skein/strategy/mixing.h"
#include "skein/strategy/numeric_plan.h"
#include "skein/strategy/server_optimizer.h"
#include "skein/tensor/packed_tensors.h"
#include "skein/tensor/tensor_views.h"

namespace skein {

// To add a fold: implement Fold and Accumulator in a folder of src/strategy/, add a Register line
// to builtins, and instantiate the conformance suite (skein/testing/fold_conformance.h).

// Whether partials of subtrees merge to what the flat fold would give.
enum class Composition {
  kExact,  // any tree gives the flat result
  kNone,   // needs every contribution at once: of workers, or of subtrees that report as one
};

// What an accumulator holds, taken out to be sent up.
struct Partial {
  Fixed128 total_weight;
  std::map<std::string, Fixed128> scalars;
  PackedTensors sums;
};

// One contribution on its way in, folded while its bytes arrive: it counts once it is completed,
// and one that is destroyed before takes out again whatever it had added. Begun by an accumulator,
// which must outlive it, as must the staged block. An error, of Advance or Complete, is final; it
// is what Accumulator::Add or Merge would have said. Of one intake, one call at a time.
class Intake {
 public:
  virtual ~Intake() = default;

  // Bytes [0, received) of the staged block are there and stay as they are. Does not wait for other
  // intakes. Any thread; intakes of one accumulator may be advanced and destroyed at the same time.
  virtual absl::Status Advance(uint64_t received) = 0;

  // All bytes are there: folds what is left and counts the contribution. On the thread that uses
  // the accumulator, while others may be advanced.
  virtual absl::Status Complete() = 0;
};

// The running state of one aggregation at one node. Used by one thread at a time, apart from its
// intakes.
class Accumulator {
 public:
  virtual ~Accumulator() = default;

  // Begins to take in an update, or a subtree's partial, whose bytes arrive in order in `staged`:
  // checks what can be said without them. The block must stay; the header is copied. Unless a fold
  // can do better, nothing is folded before Complete.
  virtual absl::StatusOr<std::unique_ptr<Intake>> Begin(const UpdateHeader& header,
                                                        const PackedTensors& staged);
  virtual absl::StatusOr<std::unique_ptr<Intake>> Begin(const PartialHeader& header,
                                                        const PackedTensors& staged);

  // Adds one update. On error nothing has changed. InvalidArgument names the tensor and the index
  // (NaN, Inf, out of bounds, other shape or dtype, bad weight).
  virtual absl::Status Add(const UpdateHeader& header, const PackedTensors& update) = 0;

  // Adds a subtree's partial; the same guarantees.
  virtual absl::Status Merge(const PartialHeader& header, const PackedTensors& sums) = 0;

  // Adds what a subtree's own local rounds, or its own fold, made of the base: the difference of
  // its last local model (as DeltaOf gives it), with the subtree's weight. The same guarantees.
  virtual absl::Status AddSubtree(const PackedTensors& delta, Fixed128 weight) = 0;

  // Takes the content; the accumulator is empty again. FailedPrecondition if nothing was added, if
  // an intake that folds while it advances is not completed and not yet destroyed, or if the fold
  // does not compose and holds more than one contribution.
  virtual absl::StatusOr<Partial> TakePartial() = 0;

  // Takes the contribution of the lowest leaf, as a partial of one, for a node that passes all of
  // them on. FailedPrecondition if nothing was added. Unimplemented if the fold adds them up, which
  // is so unless it says otherwise.
  virtual absl::StatusOr<Partial> TakeFirst();

  // ---- of folds in passes (Fold::NewPassAccumulator) ----
  // The tensors of partials that Merge takes in this pass.
  virtual absl::StatusOr<Manifest> PartialLayout() const;
  // Below the node that finishes: this is asked now, about what was added before the first pass.
  // InvalidArgument if it is no question; TakePartial, which leaves the content, answers it.
  virtual absl::Status BeginPass(const PackedTensors& query);
  // At the node that finishes, once all partials of a pass are merged: what is asked next, or none
  // if Finish can be called. Of folds without passes there is none.
  virtual absl::StatusOr<std::optional<PackedTensors>> NextPass() { return std::nullopt; }
  // There, instead of merging what is missing: begins anew, with the contributions of these workers
  // alone.
  virtual void RestartPasses(const Roster& workers) { static_cast<void>(workers); }

  // The next model made from `base` (the model that the updates refer to). Takes the content, whose
  // memory may become the model's. FailedPrecondition as for TakePartial, or if the total weight is
  // 0; on an error nothing is taken.
  virtual absl::StatusOr<PackedTensors> Finish(const PackedTensors& base,
                                               ServerOptimizer& optimizer) = 0;

  // Total weight so far.
  virtual Fixed128 total_weight() const = 0;
};

// Contributions that refer to one base, in a step that mixes several; see Mixing.
struct MixPart {
  Accumulator* sums = nullptr;
  double coefficient = 1;
  const PackedTensors* base = nullptr;  // to mix models; null: differences
};

// A way to combine updates. Immutable; shared by threads.
class Fold {
 public:
  virtual ~Fold() = default;
  virtual Composition composition() const = 0;
  // The bound on one update's weight, given the bound on its samples (for the numeric plan).
  virtual uint64_t MaxUpdateWeight(uint64_t max_samples) const = 0;
  // What a subtree of so many samples weighs that reports as one, because it works with another
  // fold: as much as one worker that has them.
  virtual uint64_t SubtreeWeight(uint64_t num_samples) const {
    return MaxUpdateWeight(num_samples);
  }
  // With fewer contributions than this Finish says so and makes nothing: a node with fewer children
  // could never close.
  virtual int MinContributions() const { return 1; }
  // Values and changes of float tensors up to this are accepted, however small the initial model's
  // are (for the numeric plan).
  virtual double MinBound() const { return 1; }
  // Whether it matters that updates are changes to a common base. If not, whole models folded as if
  // their base were zero give the model itself.
  virtual bool NeedsChanges() const { return false; }
  // Whether contributions can be mixed as models (mixing 'models'), not as differences alone.
  virtual bool MixesModels() const { return true; }
  // Updates longer than this, over all float parameters, count as if they were as long.
  virtual double LongestUpdate() const { return std::numeric_limits<double>::infinity(); }
  // Whether it goes by the loss that the model had at the worker before it trained: the metric
  // kInitialLossMetric.
  virtual bool NeedsInitialLoss() const { return false; }
  // Whether its accumulators take what the local rounds of a subtree made (AddSubtree).
  virtual bool TakesSubtrees() const { return true; }
  // Whether this machine has what the fold needs here, as a directory to write to: asked before a
  // run. Errors are for users.
  virtual absl::Status CheckMachine() const { return absl::OkStatus(); }
  // An empty accumulator for models like `model`, whose numbers obey `plan`. Memory as large as a
  // model, also that of its results, comes from `buffers`.
  virtual std::unique_ptr<Accumulator> NewAccumulator(
      const Manifest& model, const NumericPlan& plan,
      std::shared_ptr<BufferPool> buffers) const = 0;
  // Whether it can be worked out in several passes over a tree whose nodes hold the contributions,
  // to what the flat fold would give.
  virtual bool HasPasses() const { return false; }
  // An accumulator for that, the same at all nodes that take part; null without passes. `workers`:
  // leaves of the tree.
  virtual std::unique_ptr<Accumulator> NewPassAccumulator(
      const Manifest& model, const NumericPlan& plan, uint64_t workers,
      std::shared_ptr<BufferPool> buffers) const;
  // The model after `current`, of parts that are accumulators of this fold, the oldest base first.
  // Takes their contents, unless there is an error.
  // One part of differences with a coefficient of 1 is Accumulator::Finish. Buffers and averaged
  // integers take the mean of all parts, weighted by the coefficients. Unimplemented if the fold
  // can only do with contributions of one base, which is so unless it says otherwise.
  virtual absl::StatusOr<PackedTensors> Mix(const PackedTensors& current,
                                            std::span<const MixPart> parts,
                                            ServerOptimizer& optimizer) const;
  // The same with memory of its own.
  std::unique_ptr<Accumulator> NewAccumulator(const Manifest& model,
                                              const NumericPlan& plan) const {
    return NewAccumulator(model, plan, std::make_shared<BufferPool>());
  }
};

// The difference `local - base` of two models as an update's tensors (how an aggregator with
// several local rounds reports, and how a worker does).
absl::StatusOr<PackedTensors> DeltaOf(const TensorViews& local, const PackedTensors& base,
                                      BufferPool& buffers);
// The same in memory of its own.
absl::StatusOr<PackedTensors> DeltaOf(const TensorViews& local, const PackedTensors& base);

// The manifest of updates (floats become float32) and of partials (all int64) for a model.
absl::StatusOr<Manifest> UpdateManifest(const Manifest& model);
absl::StatusOr<Manifest> PartialManifest(const Manifest& model);

}  // namespace skein

#endif  // SKEIN_STRATEGY_FOLD_H_
