#ifndef SKEIN_SRC_STRATEGY_OPTIMIZER_STATE_H_
#define SKEIN_SRC_STRATEGY_OPTIMIZER_STATE_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/strategy/params.h"
#include "skein/tensor/packed_tensors.h"

namespace skein {

// What a server optimizer gathers from step to step: a few numbers (slots) for each element of the
// float parameters, kept as float32 as the model is, and how many steps were made. In files a slot
// is a tensor "<optimizer>.<slot>/<parameter>", and the steps are the tensor "<optimizer>.steps".
// Owned by its optimizer; one thread at a time.
class OptimizerState {
 public:
  struct SlotSpec {
    std::string name;
    float initial = 0;     // what every element begins with
    bool squares = false;  // which are never negative
  };
  OptimizerState(std::string optimizer, std::vector<SlotSpec> slots);

  // Takes the state's memory for a model, before anything else is called; with the content of a
  // file if `path` is not empty. InvalidArgument: the file's tensors are not the state of this
  // optimizer for this model. NotFound: there is no such file.
  absl::Status Prepare(const Manifest& model, const std::string& path);

  // Elements offset .. offset + count of a parameter's slot, in place.
  std::span<float> Slot(size_t slot, size_t tensor, uint64_t offset, size_t count);

  uint64_t steps() const { return steps_; }
  void CountStep();

  // Takes over the content of another state of the same optimizer for the same model.
  void CopyFrom(const OptimizerState& other);
  // No value before the first step.
  PackedTensors Tensors() const;

 private:
  absl::StatusOr<Manifest> Layout(const Manifest& model) const;
  absl::Status Load(const std::string& path);
  std::span<float> Floats();
  // Of a tensor of the layout that is a slot.
  const SlotSpec& SpecOf(size_t i) const { return slots_[i % slots_.size()]; }
  std::span<float> WholeSlot(size_t i);

  const std::string optimizer_;
  const std::vector<SlotSpec> slots_;
  Manifest layout_;
  std::shared_ptr<std::byte> block_;  // the slots first, so that their elements are aligned
  std::vector<size_t> first_;         // by tensor of the model: the first of its slots
  uint64_t steps_ = 0;
};

// The parameter `state` of optimizers that gather something.
ParamSpec StateParam();

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_OPTIMIZER_STATE_H_
