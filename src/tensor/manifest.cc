#include "skein/tensor/manifest.h"

#include <algorithm>
#include <numeric>

#include "skein/base/names.h"
#include "skein/base/value.h"

namespace skein {
namespace {

struct DTypeRow {
  DType dtype;
  const char* name;
  size_t size;
};
constexpr DTypeRow kDTypes[] = {
    {DType::kBool, "BOOL", 1},   {DType::kUint8, "U8", 1},      {DType::kInt8, "I8", 1},
    {DType::kInt16, "I16", 2},   {DType::kInt32, "I32", 4},     {DType::kInt64, "I64", 8},
    {DType::kFloat16, "F16", 2}, {DType::kBFloat16, "BF16", 2}, {DType::kFloat32, "F32", 4},
    {DType::kFloat64, "F64", 8},
};

// Null for a value that is no DType, which a message from the wire may hold.
const DTypeRow* Row(DType dtype) {
  const auto row = std::ranges::find(kDTypes, dtype, &DTypeRow::dtype);
  return row == std::end(kDTypes) ? nullptr : row;
}

std::string Ordinal(size_t i) { return "tensor #" + std::to_string(i); }

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

absl::Status CheckTensorName(const std::string& name, size_t i) {
  if (name.empty()) return Invalid(Ordinal(i) + ": the name is empty");
  if (name.size() > Manifest::kMaxNameBytes) {
    return Invalid(Ordinal(i) + ": the name has " + std::to_string(name.size()) +
                   " bytes, at most " + std::to_string(Manifest::kMaxNameBytes) + " are allowed");
  }
  if (Utf8PrefixLength(name) != name.size()) return Invalid(Ordinal(i) + ": the name is not UTF-8");
  if (name == "__metadata__") {
    return Invalid(Ordinal(i) + ": the name __metadata__ is reserved by the safetensors format");
  }
  return absl::OkStatus();
}

// The dimensions are bounded as if those of size 0 were 1, so that strides do not overflow either.
absl::Status CheckShape(const TensorInfo& info, size_t element_size) {
  const std::string label = "tensor " + JsonQuote(info.name) + ": ";
  if (info.shape.size() > Manifest::kMaxDims) {
    return Invalid(label + std::to_string(info.shape.size()) + " dimensions, at most " +
                   std::to_string(Manifest::kMaxDims) + " are allowed");
  }
  uint64_t room = Manifest::kMaxBytes / element_size;
  for (const int64_t dim : info.shape) {
    if (dim < 0) return Invalid(label + "negative dimension in " + ToString(info));
    const uint64_t extent = dim == 0 ? 1 : static_cast<uint64_t>(dim);
    if (extent > room) {
      return Invalid(label + ToString(info) + " is larger than " +
                     std::to_string(Manifest::kMaxBytes) + " bytes");
    }
    room /= extent;
  }
  return absl::OkStatus();
}

const char* WithArticle(TensorRole role) {
  if (role == TensorRole::kCompanion) return "a companion";
  return role == TensorRole::kBuffer ? "a buffer" : "a parameter";
}

}  // namespace

size_t SizeOf(DType dtype) {
  const DTypeRow* row = Row(dtype);
  return row == nullptr ? 0 : row->size;
}

const char* NameOf(DType dtype) {
  const DTypeRow* row = Row(dtype);
  return row == nullptr ? "unknown" : row->name;
}

std::optional<DType> DTypeFromName(const std::string& name) {
  for (const DTypeRow& row : kDTypes) {
    if (name == row.name) return row.dtype;
  }
  return std::nullopt;
}

uint64_t TensorInfo::NumElements() const {
  uint64_t count = 1;
  for (const int64_t dim : shape) count *= static_cast<uint64_t>(dim);
  return count;
}

std::string ToString(const TensorInfo& info) {
  std::string out = NameOf(info.dtype);
  out += '[';
  for (size_t i = 0; i < info.shape.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(info.shape[i]);
  }
  return out + ']';
}

absl::StatusOr<Manifest> Manifest::Create(std::vector<TensorInfo> tensors) {
  if (tensors.size() > kMaxTensors) {
    return Invalid(std::to_string(tensors.size()) + " tensors, at most " +
                   std::to_string(kMaxTensors) + " are allowed");
  }
  Manifest manifest;
  manifest.offsets_.reserve(tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorInfo& info = tensors[i];
    if (absl::Status status = CheckTensorName(info.name, i); !status.ok()) return status;
    const size_t element_size = SizeOf(info.dtype);
    if (element_size == 0) {
      return Invalid("tensor " + JsonQuote(info.name) + ": unknown element type " +
                     std::to_string(static_cast<int>(info.dtype)));
    }
    if (info.role < TensorRole::kParameter || info.role > TensorRole::kCompanion) {
      return Invalid("tensor " + JsonQuote(info.name) + ": unknown role " +
                     std::to_string(static_cast<int>(info.role)));
    }
    if (absl::Status status = CheckShape(info, element_size); !status.ok()) return status;
    manifest.offsets_.push_back(manifest.total_bytes_);
    manifest.total_bytes_ += info.NumBytes();  // both are at most kMaxBytes: no overflow
    if (manifest.total_bytes_ > kMaxBytes) {
      return Invalid("tensor " + JsonQuote(info.name) + ": together with those before it larger " +
                     "than " + std::to_string(kMaxBytes) + " bytes");
    }
  }
  manifest.by_name_.resize(tensors.size());
  std::iota(manifest.by_name_.begin(), manifest.by_name_.end(), 0u);
  const auto name_of = [&](uint32_t i) -> const std::string& { return tensors[i].name; };
  std::ranges::sort(manifest.by_name_, {}, name_of);
  const auto twin = std::ranges::adjacent_find(manifest.by_name_, {}, name_of);
  if (twin != manifest.by_name_.end()) {
    return Invalid("tensor " + JsonQuote(name_of(*twin)) + ": the name occurs twice");
  }
  manifest.tensors_ = std::move(tensors);
  return manifest;
}

std::optional<size_t> Manifest::Find(const std::string& name) const {
  const auto found = std::ranges::lower_bound(
      by_name_, name, {}, [this](uint32_t i) -> const std::string& { return tensors_[i].name; });
  if (found == by_name_.end() || tensors_[*found].name != name) return std::nullopt;
  return *found;
}

absl::Status Manifest::ExpectSame(const Manifest& other) const {
  const size_t common = std::min(size(), other.size());
  for (size_t i = 0; i < common; ++i) {
    const TensorInfo& mine = tensors_[i];
    const TensorInfo& theirs = other[i];
    if (mine == theirs) continue;
    if (mine.name != theirs.name) {
      return Invalid(Ordinal(i) + ": expected " + JsonQuote(mine.name) + ", got " +
                     JsonQuote(theirs.name));
    }
    const std::string label = "tensor " + JsonQuote(mine.name) + ": expected ";
    if (mine.role != theirs.role) {
      return Invalid(label + WithArticle(mine.role) + ", got " + WithArticle(theirs.role));
    }
    return Invalid(label + ToString(mine) + ", got " + ToString(theirs));
  }
  if (size() > common) return Invalid("tensor " + JsonQuote(tensors_[common].name) + " is missing");
  if (other.size() > common) {
    return Invalid("tensor " + JsonQuote(other[common].name) + " is not expected");
  }
  return absl::OkStatus();
}

}  // namespace skein
