#include "strategy/passes/pass_scope.h"

#include "strategy/held/distances.h"

namespace skein {

PassScope::PassScope(const Manifest& update, PassOver over) {
  for (size_t t = 0; t < update.size(); ++t) {
    const TensorInfo& info = update[t];
    const bool floats = IsFloat(info.dtype);
    if (over != PassOver::kAll && IsAveraged(info) != (over == PassOver::kAveraged)) continue;
    uint64_t& row = floats ? floats_ : integers_;
    pieces_.push_back({t, floats, row, info.NumElements()});
    row += info.NumElements();
  }
}

}  // namespace skein
