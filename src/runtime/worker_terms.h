#ifndef SKEIN_SRC_RUNTIME_WORKER_TERMS_H_
#define SKEIN_SRC_RUNTIME_WORKER_TERMS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include <absl/status/statusor.h>

#include "runtime/worker_state.h"
#include "skein/runtime/local_terms.h"
#include "skein/runtime/run_config.h"
#include "skein/strategy/registry.h"
#include "skein/tensor/state_dict.h"
#include "strategy/client_terms.h"

namespace skein {

// The client-side terms of a run at one worker: what its learner is given for a task, what becomes
// of the tensors that terms keep, and the worker's own model. Owned by its trainer; one task at a
// time, Settle from any thread.
class WorkerTerms {
 public:
  // One task, and what it began from.
  struct Task {
    uint64_t seq = 0;
    PackedTensors base;   // as it came, with companions
    PackedTensors state;  // what the worker kept; no value: nothing yet
    LocalTerms terms;     // for the learner
  };

  // `strategies` may be null if the strategy has no terms. Errors are for users.
  static absl::StatusOr<std::unique_ptr<WorkerTerms>> Create(const RunConfig& config,
                                                             const NodeView& view,
                                                             const StrategyRegistries* strategies);

  absl::StatusOr<Task> Begin(uint64_t seq, const PackedTensors& base) const;
  // The same for who only looks at what is kept: without terms.
  absl::StatusOr<Task> Look(const PackedTensors& base) const { return Read(UINT64_MAX, base); }
  // What the learner trains from or evaluates: the model without companions, with the worker's own
  // tensors where some stay here. FailedPrecondition if none of the model does.
  absl::StatusOr<PackedTensors> ModelOf(const Task& task) const;
  // What the terms were asked for and whether they were applied: FailedPrecondition if not.
  absl::Status CheckApplied(const LocalTerms& terms) const;

  // Whether workers have a model of their own; then, what it is before a task (or at an evaluation,
  // by a Task of the next seq) and the terms that it trains with.
  bool has_personal() const { return personal_ != nullptr; }
  absl::StatusOr<StateDict> PersonalModel(const Task& task) const;
  LocalTerms PersonalTerms(const Task& task) const;

  // `update`, which the learner's model makes of ModelOf, with the changes of companions and
  // without those of what stays here; stages what is to be kept, `personal` with it (empty: there
  // is none).
  absl::StatusOr<PackedTensors> End(const Task& task, PackedTensors update,
                                    const StateDict& personal);
  // See WorkerState::Settle.
  absl::Status Settle(uint64_t seq, bool counts) { return state_.Settle(seq, counts); }

 private:
  WorkerTerms(std::vector<NamedTerm> terms, std::string state_path);
  absl::StatusOr<Task> Read(uint64_t seq, const PackedTensors& base) const;
  bool Stays(const Manifest& model, size_t tensor) const {
    return local_ != nullptr && local_->term->stays(model, tensor);
  }
  absl::StatusOr<PackedTensors> KeepLocal(const Task& task, PackedTensors update,
                                          StateDict& state) const;

  const std::vector<NamedTerm> terms_;
  const NamedTerm* personal_ = nullptr;  // of terms_
  const NamedTerm* local_ = nullptr;     // of terms_: says what stays here
  double pull_ = 0;                      // of the others together
  bool keeps_ = false;
  WorkerState state_;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_WORKER_TERMS_H_
