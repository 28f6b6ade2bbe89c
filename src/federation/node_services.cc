#include "federation/node_services.h"

#include <random>
#include <utility>

namespace skein {

NodeServices MakeNodeServices(std::shared_ptr<const Registries> registries,
                              std::shared_ptr<Executor> executor,
                              std::shared_ptr<Transport> transport,
                              std::shared_ptr<ControlDialer> control,
                              std::shared_ptr<TaskRunner> trainers, NodeMemory memory) {
  NodeServices services;
  services.executor = std::move(executor);
  services.transport = std::move(transport);
  services.control = std::move(control);
  services.trainers = std::move(trainers);
  services.memory = std::move(memory);
  services.strategies = &registries->strategies;
  // The functions hold the registries, for the sake of a learner that is left behind.
  services.trainer_factory =
      [registries, make = MakeLearnerTrainerFactory(registries->learners, services.memory.buffers,
                                                    &registries->strategies)](
          const RunConfig& config, const NodeView& view) { return make(config, view); };
  services.max_samples = [registries](const std::string& learner) {
    const auto entry = registries->learners.Find(learner);
    return entry.ok() ? entry->options.max_samples : uint64_t{0};
  };
  return services;
}

Incarnation RandomIncarnation() {
  std::random_device device;
  return (uint64_t{device()} << 32 | device()) | 1;
}

}  // namespace skein
