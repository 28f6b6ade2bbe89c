#ifndef SKEIN_LEARNERS_SAMPLES_H_
#define SKEIN_LEARNERS_SAMPLES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>
#include <absl/status/statusor.h>

namespace skein {

// Some samples: what a model is given and what it should make of it, a row each.
struct Batch {
  at::Tensor inputs;
  at::Tensor targets;
};

// The samples that a training loop draws batches from. `get` is called by one thread at a time.
struct Samples {
  uint64_t count = 0;
  std::function<Batch(const at::Tensor& indices)> get;  // int64 [n], each below `count`
};

// Samples that are in memory: sample i is row i of both. InvalidArgument if they do not have as
// many rows.
absl::StatusOr<Samples> TensorSamples(at::Tensor inputs, at::Tensor targets);

// One sample a row of each.
Batch StackSamples(const std::vector<at::Tensor>& inputs, const std::vector<at::Tensor>& targets);

// A torch::data dataset with random access, transformed or not, stacked or not; its count is that
// of now. Hand over the dataset instead of a DataLoader: shuffling is then ours, and repeats.
template <typename Dataset>
Samples DatasetSamples(Dataset dataset) {
  const auto shared = std::make_shared<Dataset>(std::move(dataset));
  Samples samples;
  samples.count = static_cast<uint64_t>(*shared->size());
  samples.get = [shared](const at::Tensor& indices) {
    std::vector<size_t> places(static_cast<size_t>(indices.numel()));
    for (size_t i = 0; i < places.size(); ++i) {
      places[i] = static_cast<size_t>(indices.data_ptr<int64_t>()[i]);
    }
    auto examples = shared->get_batch(places);
    if constexpr (requires { examples.target; }) {
      return Batch{examples.data, examples.target};
    } else {
      std::vector<at::Tensor> inputs, targets;
      for (auto& example : examples) {
        inputs.push_back(example.data);
        targets.push_back(example.target);
      }
      return StackSamples(inputs, targets);
    }
  };
  return samples;
}

}  // namespace skein

#endif  // SKEIN_LEARNERS_SAMPLES_H_
