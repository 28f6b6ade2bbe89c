#include "builtins/learners/losses.h"

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

}  // namespace

const std::vector<NamedLoss>& NamedLosses() {
  static const std::vector<NamedLoss> losses = {
      {"cross_entropy",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::cross_entropy_loss(output, targets);
       },
       ClassAccuracy},
      {"nll",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::nll_loss(output, targets);
       },
       ClassAccuracy},
      {"bce_with_logits",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::binary_cross_entropy_with_logits(output, Like(output, targets));
       },
       BinaryAccuracy},
      {"mse",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::mse_loss(output, Like(output, targets));
       },
       nullptr},
      {"l1",
       [](const at::Tensor& output, const at::Tensor& targets) {
         return at::l1_loss(output, Like(output, targets));
       },
       nullptr},
  };
  return losses;
}

}  // namespace skein
