#include "strategy/norm.h"

#include <cmath>
#include <span>

#include "strategy/elements.h"

namespace skein {

double NormOf(const PackedTensors& update) {
  double squares = 0;
  for (size_t t = 0; t < update.manifest().size(); ++t) {
    const TensorInfo& info = update.manifest()[t];
    if (!IsFloat(info.dtype) || info.role != TensorRole::kParameter) continue;
    ForChunks<double>(info, [&](uint64_t at, std::span<double> values) {
      LoadDoubles(info.dtype, update.tensor(t), at, values);
      for (const double v : values) squares += v * v;
    });
  }
  return std::sqrt(squares);
}

}  // namespace skein
