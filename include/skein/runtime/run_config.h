#ifndef SKEIN_RUNTIME_RUN_CONFIG_H_
#define SKEIN_RUNTIME_RUN_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "skein/base/ids.h"
#include "skein/base/time.h"
#include "skein/base/value.h"
#include "skein/conditions/conditions.h"
#include "skein/strategy/strategy_spec.h"
#include "skein/topology/topology.h"

namespace skein {

// Where a round's model is evaluated.
struct EvaluateSpec {
  bool coordinator = true;  // on held-out data, by the learner made for the coordinator
  bool workers = false;     // by every participant on its own data, merged up the tree
  uint64_t every = 1;       // rounds
  friend bool operator==(const EvaluateSpec&, const EvaluateSpec&) = default;
};

// Time-outs and budgets of the runtime, with defaults that suit one machine.
struct RuntimeLimits {
  Duration heartbeat_interval = std::chrono::seconds(2);
  Duration heartbeat_timeout = std::chrono::seconds(60);  // a silent node is lost
  Duration start_timeout = std::chrono::seconds(120);     // for all nodes to attach
  Duration upload_stall_timeout = std::chrono::seconds(30);
  Duration cancel_grace = std::chrono::seconds(5);  // for a cancelled learner to return
  uint64_t staging_bytes = 0;  // per aggregator; 0: two models or 64 MiB, the larger
  friend bool operator==(const RuntimeLimits&, const RuntimeLimits&) = default;
};

// What every node of a run must know, apart from the tree: the resolved run spec.
struct RunConfig {
  std::string run_id;
  std::string name;
  PartSpec learner;
  ValueMap data;
  StrategySpec strategy;
  uint64_t rounds = 1;
  uint64_t seed = 0;
  EvaluateSpec evaluate;
  std::string init;        // file with the initial model; empty: the learner makes it
  std::string output_dir;  // where the coordinator writes model.safetensors; empty: nowhere
  // Directory in which workers keep what terms need from round to round; empty: in memory.
  std::string worker_state;
  RuntimeLimits limits;
  Conditions conditions;  // that are made up; none: as the machine is
  friend bool operator==(const RunConfig&, const RunConfig&) = default;
};

// One node's part of the tree: all that it may know of it.
struct NodeView {
  struct Child {
    NodeId id;
    NodeRole role = NodeRole::kWorker;
    LeafIndex leaf_begin = 0;
    LeafIndex leaf_end = 0;
    friend bool operator==(const Child&, const Child&) = default;
  };
  NodeId id;
  NodeRole role = NodeRole::kWorker;
  int tier = 0;
  int num_tiers = 0;
  LeafIndex leaf_begin = 0;
  LeafIndex leaf_end = 0;
  uint64_t num_workers = 0;  // in the whole tree
  std::vector<Child> children;
  ValueMap attributes;
  friend bool operator==(const NodeView&, const NodeView&) = default;
};

NodeView MakeNodeView(const Topology& topology, size_t node);

}  // namespace skein

#endif  // SKEIN_RUNTIME_RUN_CONFIG_H_
