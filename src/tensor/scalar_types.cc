#include "tensor/scalar_types.h"

#include <algorithm>
#include <iterator>

namespace skein {
namespace {

struct ScalarTypeRow {
  DType dtype;
  at::ScalarType scalar_type;
};
constexpr ScalarTypeRow kScalarTypes[] = {
    {DType::kBool, at::kBool},     {DType::kUint8, at::kByte},
    {DType::kInt8, at::kChar},     {DType::kInt16, at::kShort},
    {DType::kInt32, at::kInt},     {DType::kInt64, at::kLong},
    {DType::kFloat16, at::kHalf},  {DType::kBFloat16, at::kBFloat16},
    {DType::kFloat32, at::kFloat}, {DType::kFloat64, at::kDouble},
};

}  // namespace

std::optional<DType> DTypeOf(const at::Tensor& tensor) {
  const auto row =
      std::ranges::find(kScalarTypes, tensor.scalar_type(), &ScalarTypeRow::scalar_type);
  if (row == std::end(kScalarTypes)) return std::nullopt;
  return row->dtype;
}

at::ScalarType ScalarTypeOf(DType dtype) {
  return std::ranges::find(kScalarTypes, dtype, &ScalarTypeRow::dtype)->scalar_type;
}

}  // namespace skein
