#ifndef SKEIN_TESTS_UNIT_RUNTIME_LEARNER_REQUESTS_H_
#define SKEIN_TESTS_UNIT_RUNTIME_LEARNER_REQUESTS_H_

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "skein/runtime/learner.h"

namespace skein {

// What learners are asked for in tests.

inline RunConfig ConfigOf(const std::string& learner, uint64_t seed = 1) {
  RunConfig config;
  config.learner.name = learner;
  config.seed = seed;
  return config;
}

inline NodeView WorkerView(LeafIndex leaf) {
  NodeView view;
  view.id = "w" + std::to_string(leaf);
  view.role = NodeRole::kWorker;
  view.leaf_begin = leaf;
  view.leaf_end = leaf + 1;
  view.num_workers = 8;
  return view;
}

inline NodeView CoordinatorView() {
  NodeView view;
  view.id = "root";
  view.role = NodeRole::kCoordinator;
  view.leaf_end = 8;
  view.num_workers = 8;
  return view;
}

inline TrainRequest RequestOf(uint64_t seq, bool cancelled = false) {
  TrainRequest request;
  request.round = seq;
  request.seq = seq;
  request.cancelled = std::make_shared<std::atomic<bool>>(cancelled);
  return request;
}

inline std::vector<float> Floats(const PackedTensors& tensors, size_t i) {
  std::vector<float> values(tensors.tensor(i).size() / sizeof(float));
  std::memcpy(values.data(), tensors.tensor(i).data(), tensors.tensor(i).size());
  return values;
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_RUNTIME_LEARNER_REQUESTS_H_
