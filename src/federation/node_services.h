#ifndef SKEIN_SRC_FEDERATION_NODE_SERVICES_H_
#define SKEIN_SRC_FEDERATION_NODE_SERVICES_H_

#include <memory>

#include "skein/builtins/builtins.h"
#include "skein/runtime/node.h"

namespace skein {

// What a node is given, from what the owner of its process has.
NodeServices MakeNodeServices(std::shared_ptr<const Registries> registries,
                              std::shared_ptr<Executor> executor,
                              std::shared_ptr<Transport> transport,
                              std::shared_ptr<ControlDialer> control,
                              std::shared_ptr<TaskRunner> trainers, NodeMemory memory);

// Never 0.
Incarnation RandomIncarnation();

}  // namespace skein

#endif  // SKEIN_SRC_FEDERATION_NODE_SERVICES_H_
