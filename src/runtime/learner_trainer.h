#ifndef SKEIN_RUNTIME_LEARNER_TRAINER_H_
#define SKEIN_RUNTIME_LEARNER_TRAINER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/global_rng_turn.h"
#include "runtime/worker_terms.h"
#include "skein/runtime/learner.h"

namespace skein {

// A Learner as the runtime's Trainer: tensors in and bytes out, exceptions in and Status out. Owns
// the learner; one thread at a time.
class LearnerTrainer : public Trainer {
 public:
  // Makes the learner. Errors name node and learner.
  static absl::StatusOr<std::unique_ptr<Trainer>> Create(const LearnerRegistry::Entry& entry,
                                                         const RunConfig& config,
                                                         const NodeView& view,
                                                         std::shared_ptr<GlobalRngTurn> turn,
                                                         std::shared_ptr<BufferPool> buffers,
                                                         const StrategyRegistries* strategies);

  absl::StatusOr<PackedTensors> Initialize() override;
  absl::StatusOr<TrainOutput> Train(const PackedTensors& base,
                                    const TrainRequest& request) override;
  absl::StatusOr<EvalOutput> Evaluate(const PackedTensors& model,
                                      const TrainRequest& request) override;
  absl::Status Settle(uint64_t seq, bool counts) override { return terms_->Settle(seq, counts); }
  absl::StatusOr<PackedTensors> ReadModel(const std::string& path) override;

 private:
  struct Settings {
    std::string who;  // "worker 'w3', learner 'linear'", for messages
    LearnerOptions options;
    bool want_initial_loss = false;
    uint64_t seed = 0;
    uint64_t stream = 0;  // of random numbers: leaf + 1; 0 for the coordinator
    Duration cancel_grace{};
  };

  LearnerTrainer(Settings settings, std::unique_ptr<Learner> learner,
                 std::unique_ptr<WorkerTerms> terms, std::shared_ptr<GlobalRngTurn> turn,
                 std::shared_ptr<BufferPool> buffers);

  // The turn at the global generator, which is then seeded with `seed`; nothing if the learner
  // does not use it.
  absl::StatusOr<std::optional<GlobalRngTurn::Hold>> TakeTurn(const TrainRequest& request,
                                                              uint64_t seed) const;
  TrainContext ContextOf(const TrainRequest& request, uint64_t seed, LocalTerms terms) const;
  // One training of the worker's own model, as its terms say.
  absl::StatusOr<TrainResult> TrainPersonal(const WorkerTerms::Task& task, const Manifest& model,
                                            const TrainRequest& request);
  // `block`: in which the learner was given the model.
  absl::StatusOr<TrainOutput> Checked(TrainResult result, const PackedTensors& base,
                                      std::shared_ptr<std::byte> block) const;
  absl::StatusOr<PackedTensors> UpdateOf(StateDict local, const PackedTensors& base,
                                         std::shared_ptr<std::byte> block) const;
  // "worker 'w3', learner 'linear', round 2"
  std::string Where(const TrainRequest& request) const;

  const Settings settings_;
  const std::unique_ptr<Learner> learner_;
  const std::unique_ptr<WorkerTerms> terms_;
  const std::shared_ptr<GlobalRngTurn> turn_;
  const std::shared_ptr<BufferPool> buffers_;
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_LEARNER_TRAINER_H_
