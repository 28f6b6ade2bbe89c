#ifndef SKEIN_SRC_LEARNERS_SHARED_BY_KEY_H_
#define SKEIN_SRC_LEARNERS_SHARED_BY_KEY_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include <absl/status/statusor.h>

#include "skein/base/status.h"

namespace skein {

// What is costly to make and the same for a key: the workers of a process share it for as long as
// any of them has it, and a process that lives for months keeps nothing of runs that are over. Not
// thread-safe.
template <typename T>
class SharedByKey {
 public:
  // `make` returns absl::StatusOr<T>; it is called where nobody has it.
  template <typename Make>
  absl::StatusOr<std::shared_ptr<const T>> Get(const std::string& key, Make make) {
    if (const auto it = known_.find(key); it != known_.end()) {
      if (std::shared_ptr<const T> shared = it->second.lock()) return shared;
    }
    SKEIN_ASSIGN_OR_RETURN(T made, make());
    auto shared = std::make_shared<const T>(std::move(made));
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    known_[key] = shared;
    return shared;
  }

 private:
  std::map<std::string, std::weak_ptr<const T>> known_;
};

}  // namespace skein

#endif  // SKEIN_SRC_LEARNERS_SHARED_BY_KEY_H_
