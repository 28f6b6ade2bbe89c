#include "learners/labeled_files.h"

#include <utility>

#include <ATen/ATen.h>

#include "learners/tensor_file.h"
#include "skein/base/status.h"
#include "skein/data/csv.h"
#include "skein/tensor/torch_file.h"

namespace skein {
namespace {

bool IsCsv(const TensorRef& ref) { return ref.path.ends_with(".csv"); }

at::Tensor ColumnsOf(const CsvTable& table, const std::vector<size_t>& columns) {
  const auto rows = static_cast<int64_t>(table.num_rows);
  const at::Tensor out = at::empty({rows, static_cast<int64_t>(columns.size())}, at::kFloat);
  auto* to = out.data_ptr<float>();
  for (size_t row = 0; row < table.num_rows; ++row) {
    for (const size_t column : columns) *to++ = table.values[row * table.columns.size() + column];
  }
  return out;
}

absl::StatusOr<at::Tensor> ReadTargets(const TensorRef& ref) {
  if (!IsCsv(ref)) return ReadTensor(ref, "y");
  SKEIN_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(ref.path));
  size_t column = table.columns.size() - 1;
  if (!ref.what.empty()) {
    const auto found = FindColumn(table, ref.what);
    if (!found.ok()) return Annotate(found.status(), ref.path);
    column = *found;
  }
  return ColumnsOf(table, {column}).squeeze(1);
}

// Both from one CSV file.
absl::StatusOr<InputsAndTargets> ReadTable(const TensorRef& file, const std::string& label) {
  SKEIN_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(file.path));
  if (table.columns.size() < 2) {
    return absl::InvalidArgumentError(file.path +
                                      ": has one column, which cannot be inputs and labels");
  }
  size_t target = table.columns.size() - 1;
  if (!label.empty()) {
    const auto found = FindColumn(table, label);
    if (!found.ok()) return Annotate(found.status(), file.path);
    target = *found;
  }
  std::vector<size_t> inputs;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (i != target) inputs.push_back(i);
  }
  return InputsAndTargets{ColumnsOf(table, inputs), ColumnsOf(table, {target}).squeeze(1)};
}

absl::StatusOr<at::Tensor> ReadInputs(const TensorRef& ref) {
  if (!IsCsv(ref)) return ReadTensor(ref, "x");
  SKEIN_ASSIGN_OR_RETURN(const CsvTable table, ReadCsv(ref.path));
  std::vector<size_t> columns(table.columns.size());
  for (size_t i = 0; i < columns.size(); ++i) columns[i] = i;
  return ColumnsOf(table, columns);
}

// Beyond it, whole numbers of a float32 may have been others in the file.
constexpr double kMaxFloatClass = 1 << 24;

absl::StatusOr<at::Tensor> AsTargets(const at::Tensor& tensor) {
  const bool integers = at::isIntegralType(tensor.scalar_type(), /*includeBool=*/true);
  if (!integers && !tensor.isfinite().all().item<bool>()) {
    return absl::InvalidArgumentError("has labels that are NaN or infinite");
  }
  if (tensor.dim() != 1) return tensor.to(at::kFloat);
  if (integers) return tensor.to(at::kLong);
  if (!tensor.eq(tensor.round()).all().item<bool>() ||
      tensor.abs().max().item<double>() > kMaxFloatClass) {
    return tensor.to(at::kFloat);
  }
  return tensor.to(at::kLong);
}

absl::StatusOr<InputsAndTargets> ReadBoth(const TensorRef& inputs, const std::string& targets) {
  TensorRef labels = targets.empty() ? TensorRef{inputs.path, ""} : ParseTensorRef(targets);
  const bool same = labels.path == inputs.path;
  if (IsCsv(inputs) && same && inputs.what.empty()) return ReadTable(inputs, labels.what);
  if (targets.empty() && !IsSafetensors(inputs) && !IsTorchFile(inputs.path)) {
    return absl::InvalidArgumentError(inputs.path +
                                      ": has inputs alone; name the file of their labels, too");
  }
  InputsAndTargets both;
  SKEIN_ASSIGN_OR_RETURN(both.inputs, ReadInputs(inputs));
  SKEIN_ASSIGN_OR_RETURN(both.targets, ReadTargets(labels));
  return both;
}

}  // namespace

absl::StatusOr<InputsAndTargets> ReadInputsAndTargets(const std::string& inputs,
                                                      const std::string& targets) {
  const TensorRef ref = ParseTensorRef(inputs);
  SKEIN_ASSIGN_OR_RETURN(InputsAndTargets both, ReadBoth(ref, targets));
  const int64_t rows = both.inputs.dim() > 0 ? both.inputs.size(0) : 0;
  const int64_t labels = both.targets.dim() > 0 ? both.targets.size(0) : 0;
  if (rows == 0 || rows != labels) {
    return absl::InvalidArgumentError(ref.path + ": " + std::to_string(rows) + " inputs and " +
                                      std::to_string(labels) +
                                      " labels; there must be one for each, and some");
  }
  auto converted = AsTargets(both.targets);
  if (!converted.ok()) {
    return Annotate(converted.status(), targets.empty() ? ref.path : ParseTensorRef(targets).path);
  }
  both.targets = *std::move(converted);
  return both;
}

absl::StatusOr<std::vector<int64_t>> ReadClasses(const std::string& labels) {
  const TensorRef ref = ParseTensorRef(labels);
  SKEIN_ASSIGN_OR_RETURN(const at::Tensor tensor, ReadTargets(ref));
  const absl::StatusOr<at::Tensor> converted = tensor.numel() == 0 ? tensor : AsTargets(tensor);
  if (!converted.ok()) return Annotate(converted.status(), ref.path);
  const at::Tensor& classes = *converted;
  if (classes.scalar_type() != at::kLong || classes.numel() == 0) {
    return absl::InvalidArgumentError(ref.path +
                                      ": its labels are no classes, whole numbers up to 2^24");
  }
  return ToVector(classes);
}

std::vector<int64_t> ToVector(const at::Tensor& labels) {
  const at::Tensor flat = labels.contiguous();
  return {flat.data_ptr<int64_t>(), flat.data_ptr<int64_t>() + flat.numel()};
}

}  // namespace skein
