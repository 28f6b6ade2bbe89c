#include "builtins/learners/echo.h"

#include <chrono>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include <ATen/ATen.h>

#include "skein/base/status.h"

namespace skein {
namespace {

// Returns the model it got plus a constant: all of the runtime's work with none of a learner's. Its
// faults make one worker misbehave, for tests of the runtime.
class EchoLearner : public Learner {
 public:
  explicit EchoLearner(const WorkerContext& context)
      : leaf_(context.leaf), params_(context.params) {}

  absl::StatusOr<StateDict> Initialize(InitContext& context) override {
    StateDict model;
    SKEIN_RETURN_IF_ERROR(model.Add(
        "x", at::empty({params_.Int("elements")}, at::kFloat).uniform_(-1, 1, context.generator)));
    return model;
  }

  absl::StatusOr<TrainResult> Train(const StateDict& global, TrainContext& context) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor x, global.Get("x"));
    if (!Wait(context)) return absl::CancelledError("cancelled while it waited");
    if (IsFaulty("fail_leaf", context.round)) {
      return absl::InternalError("failed as fail_leaf asks");
    }
    if (IsFaulty("throw_leaf", context.round)) throw std::runtime_error("threw as throw_leaf asks");
    if (IsFaulty("hang_leaf", context.round)) Hang();
    x.add_(params_.Real("constant"));  // the tensors are the learner's own
    if (IsFaulty("nan_leaf", context.round)) x[0] = std::numeric_limits<float>::quiet_NaN();
    if (IsFaulty("wrong_shape_leaf", context.round)) x = x.unsqueeze(0);

    TrainResult result;
    SKEIN_RETURN_IF_ERROR(result.model.Add("x", x));
    result.num_samples = static_cast<uint64_t>(params_.Int("samples"));
    return result;
  }

  absl::StatusOr<EvalResult> Evaluate(const StateDict& model, EvalContext&) override {
    SKEIN_ASSIGN_OR_RETURN(at::Tensor x, model.Get("x"));
    return EvalResult{static_cast<uint64_t>(params_.Int("samples")),
                      {{"mean", x.to(at::kDouble).mean().item<double>()}}};
  }

 private:
  bool IsFaulty(const std::string& fault, uint64_t round) const {
    const int64_t only = params_.Int("fault_round");
    return params_.Int(fault) == int64_t{leaf_} &&
           (only < 0 || static_cast<uint64_t>(only) == round);
  }

  // `delay_s` of every worker, or without end for stall_leaf. False: cancelled meanwhile.
  bool Wait(const TrainContext& context) const {
    using Clock = std::chrono::steady_clock;
    const bool endless = IsFaulty("stall_leaf", context.round);
    const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                        std::chrono::duration<double>(params_.Real("delay_s")));
    while (endless || Clock::now() < end) {
      if (context.Cancelled()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

  [[noreturn]] static void Hang() {
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    while (true) never.wait(lock);
  }

  const LeafIndex leaf_;
  const Params params_;
};

ParamSpec Leaf(std::string name, std::string doc) {
  return {.name = std::move(name),
          .type = ParamSpec::Type::kInt,
          .default_value = -1,
          .min = -1,
          .max = std::numeric_limits<LeafIndex>::max(),
          .doc = "test aid: " + std::move(doc) + "; -1: none"};
}

}  // namespace

absl::Status RegisterEchoLearner(LearnerRegistry& registry) {
  constexpr int64_t kMaxSamples = 1 << 20;
  using Type = ParamSpec::Type;
  LearnerOptions options;
  options.max_samples = kMaxSamples;
  options.schema = std::make_shared<ParamSchema>(std::vector<ParamSpec>{
      {.name = "elements",
       .type = Type::kInt,
       .default_value = 1000,
       .min = 1,
       .max = 1e10,
       .doc = "float32 elements of the model"},
      {.name = "constant",
       .type = Type::kReal,
       .default_value = 1.0,
       .min = -1,
       .max = 1,
       .doc = "added to every element in every round"},
      {.name = "samples",
       .type = Type::kInt,
       .default_value = 1,
       .min = 1,
       .max = kMaxSamples,
       .doc = "samples that every worker says it has"},
      {.name = "delay_s",
       .type = Type::kReal,
       .default_value = 0.0,
       .min = 0,
       .max = 86400,
       .doc = "test aid: seconds that training takes"},
      Leaf("fail_leaf", "worker that returns an error"),
      Leaf("throw_leaf", "worker that throws"),
      Leaf("stall_leaf", "worker that waits until it is cancelled"),
      Leaf("hang_leaf", "worker that never returns, cancelled or not"),
      Leaf("nan_leaf", "worker that returns a NaN"),
      Leaf("wrong_shape_leaf", "worker that returns another shape"),
      {.name = "fault_round",
       .type = Type::kInt,
       .default_value = -1,
       .min = -1,
       .max = 1e15,
       .doc = "test aid: the round of the faults above; -1: every round"},
  });
  return registry.Register(
      "echo",
      [](const WorkerContext& context) -> absl::StatusOr<std::unique_ptr<Learner>> {
        return std::make_unique<EchoLearner>(context);
      },
      options);
}

}  // namespace skein
