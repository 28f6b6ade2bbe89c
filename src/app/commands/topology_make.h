#ifndef SKEIN_SRC_APP_COMMANDS_TOPOLOGY_MAKE_H_
#define SKEIN_SRC_APP_COMMANDS_TOPOLOGY_MAKE_H_

#include <CLI/CLI.hpp>

#include "app/command.h"
#include "skein/topology/builders.h"
#include "skein/topology/suggest.h"

namespace skein {

// `skein topology make ...`: trees by rule, as a topology file. Owned by the command `topology`.
class TopologyMake {
 public:
  void Define(CLI::App& topology);
  bool chosen() const { return command_->parsed(); }
  int Run(CommandContext& context);

 private:
  absl::StatusOr<Topology> Make(CommandContext& context) const;

  CLI::App* command_ = nullptr;
  CLI::App* balanced_ = nullptr;
  CLI::App* random_ = nullptr;
  CLI::App* edges_ = nullptr;
  CLI::App* suggested_ = nullptr;
  RandomTreeOptions tree_;
  SuggestOptions suggest_;
  std::string edge_file_;
  std::string region_file_;
  std::string out_;
};

}  // namespace skein

#endif  // SKEIN_SRC_APP_COMMANDS_TOPOLOGY_MAKE_H_
