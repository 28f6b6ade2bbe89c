#include "skein/federation/federation.h"

#include <mutex>
#include <utility>

#include <spdlog/spdlog.h>

#include "codec/link_codecs.h"
#include "federation/embedded_run.h"
#include "federation/preflight.h"
#include "federation/run_directory.h"
#include "skein/base/status.h"
#include "skein/strategy/strategy_spec.h"

namespace skein {
namespace {

constexpr char kLearner[] = "learner";

class FederationImpl : public Federation {
 public:
  FederationImpl(RunSpec spec, FederationOptions options, std::shared_ptr<Registries> registries)
      : spec_(std::move(spec)), options_(std::move(options)), registries_(std::move(registries)) {}

  Registries& registries() override { return *registries_; }

  absl::StatusOr<RunResult> Run() override {
    if (std::exchange(started_, true)) {
      return absl::FailedPreconditionError("a Federation runs once; create another");
    }
    SKEIN_RETURN_IF_ERROR(ValidateRunSpec(spec_, *registries_));
    SKEIN_RETURN_IF_ERROR(Preflight(spec_, *registries_));
    SKEIN_ASSIGN_OR_RETURN(
        const std::unique_ptr<EmbeddedRun> run,
        EmbeddedRun::Create({spec_, options_.run_directory, options_.threads, options_.events},
                            registries_));
    {
      std::lock_guard lock(mutex_);
      run_ = run.get();
      if (stop_) run_->Stop(kStopped);
    }
    RunResult result = run->Run();
    std::lock_guard lock(mutex_);
    run_ = nullptr;
    if (run->abandoned() > 0) {
      spdlog::warn("{} learner(s) ignored cancellation; their threads are left behind",
                   run->abandoned());
    }
    return result;
  }

  void Stop() override {
    std::lock_guard lock(mutex_);
    stop_ = true;
    if (run_ != nullptr) run_->Stop(kStopped);
  }

 private:
  static constexpr char kStopped[] = "stopped by the program";

  const RunSpec spec_;
  const FederationOptions options_;
  const std::shared_ptr<Registries> registries_;
  bool started_ = false;
  std::mutex mutex_;
  EmbeddedRun* run_ = nullptr;  // while it may be stopped
  bool stop_ = false;
};

// Whether a strategy can be judged yet: parts that it names may be registered before Run.
bool AllKnown(const StrategySpec& spec, const StrategyRegistries& registries) {
  bool known = registries.folds.Find(spec.fold.name) != nullptr &&
               registries.optimizers.Find(spec.optimizer.name) != nullptr &&
               registries.selectors.Find(spec.selector.name) != nullptr &&
               registries.policies.Find(spec.policy.name) != nullptr &&
               registries.staleness.Find(spec.staleness.name) != nullptr &&
               registries.mixing.Find(spec.mixing.name) != nullptr;
  for (const PartSpec& filter : spec.filters) {
    known = known && registries.filters.Find(filter.name) != nullptr;
  }
  for (const TierSpec& tier : spec.tiers) {
    known = known && (!tier.fold || registries.folds.Find(tier.fold->name) != nullptr) &&
            (!tier.policy || registries.policies.Find(tier.policy->name) != nullptr);
  }
  return known;
}

absl::StatusOr<std::unique_ptr<Federation>> Make(Topology topology, std::string topology_text,
                                                 StrategySpec strategy, LearnerFactory learner,
                                                 FederationOptions options) {
  if (learner == nullptr) return absl::InvalidArgumentError("the learner's factory is null");
  if (options.threads < 0) {
    return absl::InvalidArgumentError("threads is " + std::to_string(options.threads) +
                                      ", it must be 0 (one a core) or more");
  }
  auto registries = std::make_shared<Registries>();
  RegisterBuiltins(*registries);
  SKEIN_RETURN_IF_ERROR(
      registries->learners.Register(kLearner, std::move(learner), options.learner_options));
  if (AllKnown(strategy, registries->strategies)) {
    SKEIN_RETURN_IF_ERROR(ValidateStrategy(strategy, topology, registries->strategies));
    SKEIN_RETURN_IF_ERROR(ValidateLinks(strategy, topology, registries->strategies));
  }
  if (!options.run_directory.empty()) {
    SKEIN_RETURN_IF_ERROR(CheckRunDirectory(options.run_directory));
  }
  RunSpec spec;
  spec.config.name = options.name;
  spec.config.learner.name = kLearner;
  spec.config.strategy = std::move(strategy);
  spec.config.rounds = options.rounds;
  spec.config.seed = options.seed;
  spec.config.evaluate = options.evaluate;
  spec.stop = options.stop;
  spec.steering = options.steering;
  spec.config.init = options.init;
  spec.config.limits = options.limits;
  spec.topology = std::move(topology);
  spec.topology_text = std::move(topology_text);
  return std::make_unique<FederationImpl>(std::move(spec), std::move(options),
                                          std::move(registries));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Federation>> Federation::Create(const std::string& shape,
                                                               StrategySpec strategy,
                                                               LearnerFactory learner,
                                                               FederationOptions options) {
  SKEIN_ASSIGN_OR_RETURN(Topology topology, Topology::FromShape(shape));
  return Make(std::move(topology), shape, std::move(strategy), std::move(learner),
              std::move(options));
}

absl::StatusOr<std::unique_ptr<Federation>> Federation::Create(Topology topology,
                                                               StrategySpec strategy,
                                                               LearnerFactory learner,
                                                               FederationOptions options) {
  std::string text = ToYaml(topology);
  return Make(std::move(topology), std::move(text), std::move(strategy), std::move(learner),
              std::move(options));
}

}  // namespace skein
