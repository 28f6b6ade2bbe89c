#ifndef SKEIN_SRC_RUNTIME_RECENT_GRANTS_H_
#define SKEIN_SRC_RUNTIME_RECENT_GRANTS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>

#include "skein/base/time.h"

namespace skein {

// How much may be granted at once, below the staging budget. A few uploads keep an aggregator busy
// if they come as fast as it takes them; more would only fill memory. If they come slowly, each
// moment lets in as many again, up to the budget. Belongs to an AggregatorCore.
class RecentGrants {
 public:
  static constexpr Duration kMoment = std::chrono::milliseconds(50);
  static constexpr uint64_t kBytes = uint64_t{16} << 20;  // in a moment
  static constexpr size_t kUploads = 2;                   // are allowed whatever their size

  bool Allow(uint64_t bytes, Time now) {
    while (!grants_.empty() && NextRoom() <= now) Remove(grants_.begin()->first);
    return grants_.size() < kUploads || bytes_ + bytes <= kBytes;
  }
  // `number` grows from grant to grant, as `now` does.
  void Add(uint64_t number, uint64_t bytes, Time now) {
    grants_[number] = {now, bytes};
    bytes_ += bytes;
  }
  // The upload is over. Nothing happens if it was granted longer ago.
  void Remove(uint64_t number) {
    const auto it = grants_.find(number);
    if (it == grants_.end()) return;
    bytes_ -= it->second.bytes;
    grants_.erase(it);
  }
  // When there is more room even if no upload ends. Only if something is not allowed.
  Time NextRoom() const { return grants_.begin()->second.at + kMoment; }

 private:
  struct Grant {
    Time at{0};
    uint64_t bytes = 0;
  };
  std::map<uint64_t, Grant> grants_;  // by number
  uint64_t bytes_ = 0;
};

}  // namespace skein

#endif  // SKEIN_SRC_RUNTIME_RECENT_GRANTS_H_
