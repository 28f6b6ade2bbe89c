#include "tensor/copy_state.h"

#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "skein/base/status.h"
#include "skein/base/value.h"

namespace skein {
namespace {

std::string Shape(const at::Tensor& tensor) {
  std::string out = "[";
  for (const int64_t dim : tensor.sizes()) {
    if (out.size() > 1) out += ',';
    out += std::to_string(dim);
  }
  return out + ']';
}

absl::Status Mismatch(const std::string& name, const std::string& what) {
  return absl::InvalidArgumentError("tensor " + JsonQuote(name) + ": " + what);
}

}  // namespace

absl::Status CopyState(const StateDict& state, const StateDict& own) {
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;  // to, from
  for (const StateDict::Entry& entry : own.entries()) {
    const absl::StatusOr<at::Tensor> source = state.Get(entry.name);
    if (!source.ok()) {
      return Mismatch(entry.name,
                      "the module has it, the state has not: " + Message(source.status()));
    }
    if (source->sizes() != entry.tensor.sizes()) {
      return Mismatch(entry.name, "the module has shape " + Shape(entry.tensor) +
                                      ", the state has " + Shape(*source));
    }
    copies.emplace_back(entry.tensor, *source);
  }
  for (const StateDict::Entry& entry : state.entries()) {
    const absl::StatusOr<at::Tensor> target = own.Get(entry.name);
    if (!target.ok()) {
      return Mismatch(entry.name,
                      "the state has it, the module has not: " + Message(target.status()));
    }
  }
  const at::NoGradGuard no_grad;
  try {
    for (auto& [to, from] : copies) to.copy_(from);
  } catch (const std::exception& error) {  // c10::Error, from the device
    return absl::InternalError(std::string("cannot copy a state into the module: ") + error.what());
  }
  return absl::OkStatus();
}

}  // namespace skein
