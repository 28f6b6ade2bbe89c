#include "strategy/passes/pass_scope.h"

namespace skein {

PassScope::PassScope(const Manifest& update, PassOver over) {
  for (size_t t = 0; t < update.size(); ++t) {
    const TensorInfo& info = update[t];
    const bool floats = IsFloat(info.dtype);
    const bool averaged = floats && info.role != TensorRole::kBuffer;
    if (over != PassOver::kAll && averaged != (over == PassOver::kAveraged)) continue;
    uint64_t& row = floats ? floats_ : integers_;
    pieces_.push_back({t, floats, row, info.NumElements()});
    row += info.NumElements();
  }
}

}  // namespace skein
