#ifndef SKEIN_TENSOR_MANIFEST_H_
#define SKEIN_TENSOR_MANIFEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/status.h>
#include <absl/status/statusor.h>

namespace skein {

// Element types, those that safetensors and libtorch have in common.
enum class DType : uint8_t {
  kBool = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kFloat16 = 7,
  kBFloat16 = 8,
  kFloat32 = 9,
  kFloat64 = 10,
};

// Bytes of one element, and safetensors' name ("F32", "I64", "BOOL", ...). 0 and "unknown" for a
// number that is no DType, which a message may carry.
size_t SizeOf(DType dtype);
const char* NameOf(DType dtype);
std::optional<DType> DTypeFromName(const std::string& name);
inline bool IsFloat(DType d) { return d >= DType::kFloat16; }

// How a tensor takes part: parameters travel as differences to the base model, buffers (running
// statistics, counters) as values. Companions are of the strategy, not of the model: they stand
// behind its tensors, begin at 0, and updates carry what they change by.
enum class TensorRole : uint8_t { kParameter = 1, kBuffer = 2, kCompanion = 3 };

// A tensor without its elements.
struct TensorInfo {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;  // empty for a scalar; a 0 makes an empty tensor
  TensorRole role = TensorRole::kParameter;

  // Valid once Manifest::Create or Validate has accepted the tensor.
  uint64_t NumElements() const;
  uint64_t NumBytes() const { return NumElements() * SizeOf(dtype); }
  friend bool operator==(const TensorInfo&, const TensorInfo&) = default;
};

// "F32[64,10]"
std::string ToString(const TensorInfo& info);

// The names, types and shapes of a set of tensors, in order, and where each lies when they are
// packed one after another without gaps. Immutable value; construction checks everything, so that
// sizes computed from a Manifest never overflow.
class Manifest {
 public:
  static constexpr size_t kMaxTensors = 65536;
  static constexpr size_t kMaxNameBytes = 512;
  static constexpr size_t kMaxDims = 16;
  static constexpr uint64_t kMaxBytes = uint64_t{1} << 42;  // 4 TiB

  Manifest() = default;
  // InvalidArgument, naming the tensor: a name that is duplicate, empty, too long, not UTF-8 or
  // reserved (`__metadata__`), unknown type or role, negative or absurd shape, more than the limits
  // above.
  static absl::StatusOr<Manifest> Create(std::vector<TensorInfo> tensors);

  size_t size() const { return tensors_.size(); }
  const TensorInfo& operator[](size_t i) const { return tensors_[i]; }
  const std::vector<TensorInfo>& tensors() const { return tensors_; }
  uint64_t offset(size_t i) const { return offsets_[i]; }  // bytes, in the packed data
  uint64_t total_bytes() const { return total_bytes_; }
  std::optional<size_t> Find(const std::string& name) const;

  // OK if equal; otherwise InvalidArgument naming the first tensor that differs and how.
  absl::Status ExpectSame(const Manifest& other) const;

  friend bool operator==(const Manifest& a, const Manifest& b) { return a.tensors_ == b.tensors_; }

 private:
  std::vector<TensorInfo> tensors_;
  std::vector<uint64_t> offsets_;
  std::vector<uint32_t> by_name_;  // positions, sorted by name
  uint64_t total_bytes_ = 0;
};

}  // namespace skein

#endif  // SKEIN_TENSOR_MANIFEST_H_
