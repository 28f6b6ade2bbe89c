#include "skein/runtime/shared_models.h"

#include <utility>

namespace skein {

std::shared_ptr<const PackedTensors> SharedModels::Share(const std::string& digest,
                                                         PackedTensors model) {
  std::lock_guard lock(mutex_);
  std::erase_if(models_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<const PackedTensors>& known = models_[digest];
  auto held = known.lock();
  if (held != nullptr && held->manifest() == model.manifest()) return held;
  auto shared = std::make_shared<const PackedTensors>(std::move(model));
  known = shared;
  return shared;
}

}  // namespace skein
