#include "learners/tensor_file.h"

#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include <ATen/ATen.h>

#include "base/csv_lines.h"
#include "skein/base/names.h"
#include "skein/base/status.h"
#include "skein/data/idx.h"
#include "skein/data/raw.h"
#include "skein/tensor/safetensors.h"
#include "skein/tensor/state_dict.h"
#include "skein/tensor/torch_file.h"
#include "tensor/scalar_types.h"

namespace skein {
namespace {

bool IsFile(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

struct RawForm {
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
};

// "F32[?,28,28]"; nothing if it is none such.
std::optional<RawForm> ParseRawForm(std::string_view text) {
  const size_t open = text.find('[');
  if (open == text.npos || text.back() != ']') return std::nullopt;
  const auto dtype = DTypeFromName(std::string(text.substr(0, open)));
  if (!dtype) return std::nullopt;
  RawForm form{*dtype, {}};
  text = text.substr(open + 1, text.size() - open - 2);
  while (true) {
    const size_t comma = text.find(',');
    int64_t size = 0;
    if (form.shape.empty() && text.substr(0, comma) == "?") {
      size = -1;
    } else if (!ParseNumber(text.substr(0, comma), size) || size < 0) {
      return std::nullopt;
    }
    form.shape.push_back(size);
    if (comma == text.npos) return form;
    text.remove_prefix(comma + 1);
  }
}

// Shares the file's mapping: nobody may write to it.
at::Tensor Viewed(const PackedTensors& packed, at::ScalarType type) {
  const std::span<const std::byte> bytes = packed.tensor(0);
  return at::from_blob(
      const_cast<std::byte*>(bytes.data()), packed.manifest()[0].shape,
      [owner = packed.owner()](void*) {}, at::TensorOptions(type));
}

absl::StatusOr<at::Tensor> NamedTensor(const StateDict& file, const TensorRef& ref,
                                       const std::string& otherwise) {
  const std::string& name = ref.what.empty() ? otherwise : ref.what;
  auto tensor = file.Get(name);
  if (!tensor.ok()) {
    return absl::InvalidArgumentError(ref.path + ": " + Message(tensor.status()) +
                                      "; name it as FILE:TENSOR");
  }
  return tensor;
}

absl::StatusOr<at::Tensor> ReadIdxTensor(const TensorRef& ref) {
  if (!ref.what.empty()) {
    return absl::InvalidArgumentError(
        ref.path + ": what is " + QuoteName(ref.what) +
        "? After a flat file's name comes type and shape, as F32[?,28,28], after .csv a column, "
        "after .safetensors and .pt a tensor");
  }
  auto data = ReadIdx(ref.path);
  if (absl::IsInvalidArgument(data.status())) {
    return absl::InvalidArgumentError(Message(data.status()) +
                                      "; .csv, .safetensors, .pt, IDX can be read, and flat files "
                                      "with type and shape, as " +
                                      std::filesystem::path(ref.path).filename().string() +
                                      ":F32[?,28,28]");
  }
  if (!data.ok()) return data.status();
  const std::vector<int64_t> shape(data->shape.begin(), data->shape.end());
  return at::from_blob(data->bytes.data(), shape, at::kByte).clone();
}

}  // namespace

TensorRef ParseTensorRef(const std::string& text) {
  if (IsFile(text)) return {text, ""};
  for (size_t colon = text.find(':'); colon != text.npos; colon = text.find(':', colon + 1)) {
    if (IsFile(text.substr(0, colon))) return {text.substr(0, colon), text.substr(colon + 1)};
  }
  const size_t colon = text.rfind(':');
  if (colon == text.npos || text.find('/', colon) != text.npos) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

std::string FileStamp(const std::string& text) {
  std::error_code error;
  const std::filesystem::path path = ParseTensorRef(text).path;
  const auto time = std::filesystem::last_write_time(path, error);
  if (error) return text;
  return text + " " + std::to_string(time.time_since_epoch().count()) + " " +
         std::to_string(std::filesystem::file_size(path, error));
}

bool IsSafetensors(const TensorRef& ref) { return ref.path.ends_with(".safetensors"); }

absl::StatusOr<at::Tensor> ReadTensor(const TensorRef& ref, const std::string& otherwise) {
  if (IsSafetensors(ref)) {
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, ReadSafetensors(ref.path));
    return NamedTensor(StateDict::Unpack(packed), ref, otherwise);
  }
  if (IsTorchFile(ref.path)) {
    SKEIN_ASSIGN_OR_RETURN(const StateDict file, ReadTorchFile(ref.path));
    return NamedTensor(file, ref, otherwise);
  }
  if (const auto form = ParseRawForm(ref.what)) {
    SKEIN_ASSIGN_OR_RETURN(const PackedTensors packed, ReadRaw(ref.path, form->dtype, form->shape));
    return Viewed(packed, ScalarTypeOf(form->dtype));
  }
  return ReadIdxTensor(ref);
}

}  // namespace skein
