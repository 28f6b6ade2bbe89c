#include "builtins/learners/losses.h"

#include <string>

#include <ATen/ATen.h>

#include "learners/training_loop.h"

namespace skein {
namespace {

// Targets of numbers, in the shape of what a model made of them: [n] for an output of [n, 1].
at::Tensor Like(const at::Tensor& output, const at::Tensor& targets) {
  const at::Tensor numbers = targets.to(output.scalar_type());
  return numbers.numel() == output.numel() ? numbers.reshape(output.sizes()) : numbers;
}

std::map<std::string, double> BinaryAccuracy(const at::Tensor& output, const at::Tensor& targets) {
  const at::Tensor right = output.gt(0).eq(Like(output, targets).gt(0.5));
  return {{"accuracy", right.to(at::kDouble).mean().item<double>()}};
}

absl::Status FitsClasses(const at::Tensor& output, const at::Tensor& targets) {
  if (targets.scalar_type() != at::kLong) {
    return absl::InvalidArgumentError(
        "labels are no whole numbers, and this loss is for classes; mse and l1 are for numbers");
  }
  if (output.dim() != 2) {
    return absl::InvalidArgumentError(
        "the model's output has " + std::to_string(output.dim()) +
        " dimensions, it must have 2: a row of scores for each input");
  }
  const auto least = targets.min().item<int64_t>(), most = targets.max().item<int64_t>();
  if (least >= 0 && most < output.size(1)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "labels are " + std::to_string(least) + " to " + std::to_string(most) + ", the model has " +
      std::to_string(output.size(1)) + " outputs; number classes from 0");
}

absl::Status FitsNumbers(const at::Tensor& output, const at::Tensor& targets) {
  if (output.numel() == targets.numel()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "the model has " + std::to_string(output.numel() / targets.size(0)) +
      " outputs for an input and there are " + std::to_string(targets.numel() / targets.size(0)) +
      " labels; this loss compares one with one");
}

}  // namespace

const std::vector<NamedLoss>& NamedLosses() {
  static const std::vector<NamedLoss> losses = {
      {"cross_entropy",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::cross_entropy_loss(output, targets);
       },
       ClassAccuracy, FitsClasses},
      {"nll",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::nll_loss(output, targets);
       },
       ClassAccuracy, FitsClasses},
      {"bce_with_logits",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::binary_cross_entropy_with_logits(output, Like(output, targets));
       },
       BinaryAccuracy, FitsNumbers},
      {"mse",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::mse_loss(output, Like(output, targets));
       },
       nullptr, FitsNumbers},
      {"l1",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::l1_loss(output, Like(output, targets));
       },
       nullptr, FitsNumbers},
  };
  return losses;
}

}  // namespace skein
