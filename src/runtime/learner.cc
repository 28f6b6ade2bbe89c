#include "skein/runtime/learner.h"

#include <utility>

#include <ATen/CPUGeneratorImpl.h>

#include "runtime/global_rng_turn.h"
#include "runtime/learner_trainer.h"
#include "skein/base/status.h"
#include "skein/strategy/registry.h"

namespace skein {

at::Generator MakeGenerator(uint64_t seed) { return at::detail::createCPUGenerator(seed); }

LearnerRegistry::LearnerRegistry() : turn_(std::make_shared<GlobalRngTurn>()) {}

absl::Status LearnerRegistry::Register(const std::string& name, LearnerFactory factory,
                                       LearnerOptions options) {
  if (name.empty()) return absl::InvalidArgumentError("a learner needs a name");
  if (!entries_.try_emplace(name, Entry{std::move(factory), std::move(options)}).second) {
    return absl::AlreadyExistsError("learner '" + name + "' is registered already");
  }
  return absl::OkStatus();
}

absl::StatusOr<LearnerRegistry::Entry> LearnerRegistry::Find(const std::string& name) const {
  auto it = entries_.find(name);
  if (it == entries_.end()) return UnknownPart("learner", name, Names());
  return it->second;
}

std::vector<std::string> LearnerRegistry::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) names.push_back(name);
  return names;
}

TrainerFactory MakeLearnerTrainerFactory(const LearnerRegistry& registry,
                                         std::shared_ptr<BufferPool> buffers,
                                         const StrategyRegistries* strategies) {
  if (buffers == nullptr) buffers = std::make_shared<BufferPool>();
  return [&registry, buffers, strategies](
             const RunConfig& config,
             const NodeView& view) -> absl::StatusOr<std::unique_ptr<Trainer>> {
    SKEIN_ASSIGN_OR_RETURN(LearnerRegistry::Entry entry, registry.Find(config.learner.name));
    return LearnerTrainer::Create(entry, config, view, registry.turn_, buffers, strategies);
  };
}

}  // namespace skein
