#ifndef SKEIN_RUNTIME_LEARNER_H_
#define SKEIN_RUNTIME_LEARNER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Generator.h>
#include <absl/status/statusor.h>

#include "skein/runtime/local_terms.h"
#include "skein/runtime/trainer.h"
#include "skein/strategy/params.h"
#include "skein/tensor/state_dict.h"

namespace skein {

// What a learner is told when it is made. The coordinator has a learner too, which makes the
// initial model and evaluates on held-out data; its `leaf` is meaningless.
struct WorkerContext {
  NodeId node;
  bool is_coordinator = false;
  bool evaluates = false;  // the run evaluates at this node
  LeafIndex leaf = 0;      // which worker, in the order of the leaves
  uint64_t num_workers = 0;
  uint64_t seed = 0;    // the run's
  Params params;        // learner: params of the run spec, checked if there is a schema
  Params data;          // data: of the run spec, checked if there is a schema
  ValueMap attributes;  // the node's, from the topology
};

// A random source of one's own, for data that a learner makes up or draws when it is constructed.
// Derive the seed (skein/base/random.h) from the run's seed and the leaf.
at::Generator MakeGenerator(uint64_t seed);

// libtorch's global generator is seeded too and nobody else's factory draws from it meanwhile, so
// the default initial weights of a module made in Initialize are those of the run's seed.
struct InitContext {
  at::Generator generator;  // seeded from the run's seed alone
};

// Valid during the call. `generator` is seeded from (run seed, leaf, task): draw from it, not from
// libtorch's global one, and results repeat bit for bit wherever the worker runs.
struct TrainContext {
  uint64_t round = 0;
  uint32_t local_round = 0;
  at::Generator generator;
  std::shared_ptr<const std::atomic<bool>> cancelled;
  // Minibatches to train on, where the policy counts on it (`fedcompass`); 0: as many as you like.
  uint32_t steps = 0;
  // The fold asks for the metric "initial_loss": the loss over the samples before training.
  bool want_initial_loss = false;
  // What the strategy adds to training: hand it the gradients before each step.
  LocalTerms terms = {};

  // True when the result is no longer wanted: return soon (any Status).
  bool Cancelled() const { return cancelled->load(std::memory_order_relaxed); }
};

struct EvalContext {
  uint64_t round = 0;
  at::Generator generator;
  std::shared_ptr<const std::atomic<bool>> cancelled;
  bool Cancelled() const { return cancelled->load(std::memory_order_relaxed); }
};

struct TrainResult {
  StateDict model;           // same names, shapes and dtypes as the model that came in
  uint64_t num_samples = 0;  // <= LearnerOptions::max_samples
  // "loss", ... averaged over workers by num_samples. Some folds go by "initial_loss" (if wanted)
  // or by "steps" (LocalSteps::norm), which is filled in where TrainContext::terms has seen the
  // steps.
  std::map<std::string, double> metrics;
};

struct EvalResult {
  uint64_t num_samples = 0;
  std::map<std::string, double> metrics;
};

// The user's training code, the one class to write. Made once per worker by a LearnerFactory and
// owned by the runtime; called by one thread at a time (not always the same), with one intra-op
// thread. Errors and exceptions leave this worker out of the round with the message in the record;
// whether the round goes on is up to the round policy.
class Learner {
 public:
  virtual ~Learner() = default;
  // The initial model. Called on the coordinator's learner, and only there.
  virtual absl::StatusOr<StateDict> Initialize(InitContext& context) = 0;
  // Trains from `global` on local data. `global` is this learner's own copy.
  virtual absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) = 0;
  // Evaluates `model`: on held-out data at the coordinator, on the worker's own elsewhere.
  virtual absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext& context) = 0;
  // LearnerOptions::uses_global_rng of this one, where that depends on what it was made of. Asked
  // once, after it was made.
  virtual bool UsesGlobalRng() const { return false; }
};

using LearnerFactory =
    std::function<absl::StatusOr<std::unique_ptr<Learner>>(const WorkerContext&)>;

// What a run makes of its data.
struct DataUse {
  uint64_t num_workers = 0;
  bool evaluates_at_coordinator = false;
};

struct LearnerOptions {
  // Upper bound of TrainResult::num_samples; enters the fixed-point scale of the exact sums.
  uint64_t max_samples = uint64_t{1} << 20;
  // The learner draws from libtorch's global generator (dropout does). Such learners train one at a
  // time in a process, and the global generator is seeded per task.
  bool uses_global_rng = false;
  // Parameters it takes under learner: params. Null: any.
  std::shared_ptr<const ParamSchema> schema;
  // Keys that it takes under data:. Null: any.
  std::shared_ptr<const ParamSchema> data_schema;
  // Says what the schema cannot know to be wrong with the values under data:, which it has checked.
  // Asked where a spec is read, before anything begins: it opens no files. Null: nothing.
  std::function<absl::Status(const Params& data, const DataUse& use)> check_data;
};

struct StrategyRegistries;
class GlobalRngTurn;  // who may draw from libtorch's global generator

// Learners by name. Owned by the app or federation, filled before use, read-only after that. Use
// one in a process: the learners of a registry (and of its copies) take turns at libtorch's global
// generator, whichever trainer factory made them.
class LearnerRegistry {
 public:
  struct Entry {
    LearnerFactory factory;
    LearnerOptions options;
  };

  LearnerRegistry();
  // AlreadyExists if the name is taken.
  absl::Status Register(const std::string& name, LearnerFactory factory,
                        LearnerOptions options = {});
  // InvalidArgument "unknown learner", with the nearest known name.
  absl::StatusOr<Entry> Find(const std::string& name) const;
  std::vector<std::string> Names() const;

 private:
  friend TrainerFactory MakeLearnerTrainerFactory(const LearnerRegistry& registry,
                                                  std::shared_ptr<BufferPool> buffers,
                                                  const StrategyRegistries* strategies);
  std::map<std::string, Entry> entries_;
  std::shared_ptr<GlobalRngTurn> turn_;
};

// A TrainerFactory over the registered learners: packs and unpacks, makes deltas, seeds generators,
// turns exceptions into Status, checks that results have the model's names, shapes and dtypes.
// Messages name the node. `registry` must outlive the result. Updates, and the tensors that
// learners get, lie in blocks of `buffers`; the factory makes its own if null. Strategies with
// terms take `strategies`, which must outlive the result, too.
TrainerFactory MakeLearnerTrainerFactory(const LearnerRegistry& registry,
                                         std::shared_ptr<BufferPool> buffers = nullptr,
                                         const StrategyRegistries* strategies = nullptr);

}  // namespace skein

#endif  // SKEIN_RUNTIME_LEARNER_H_
