#ifndef SKEIN_RUNTIME_GLOBAL_RNG_TURN_H_
#define SKEIN_RUNTIME_GLOBAL_RNG_TURN_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include <absl/status/statusor.h>

#include "skein/base/time.h"

namespace skein {

// Who may draw from libtorch's global generator: one call of a learner at a time. Shared by the
// trainers of a process. Thread-safe.
//
// A holder that was cancelled and does not come back within the grace period loses its turn, so
// that one stuck learner does not stop all others; should it draw later after all, results of that
// time no longer repeat.
class GlobalRngTurn : public std::enable_shared_from_this<GlobalRngTurn> {
 public:
  using Flag = std::shared_ptr<const std::atomic<bool>>;

  // Gives the turn back when destroyed.
  class Hold {
   public:
    Hold(Hold&&) = default;
    Hold& operator=(Hold&&) = delete;
    ~Hold();

   private:
    friend class GlobalRngTurn;
    Hold(std::shared_ptr<GlobalRngTurn> turn, uint64_t number)
        : turn_(std::move(turn)), number_(number) {}
    std::shared_ptr<GlobalRngTurn> turn_;
    uint64_t number_;
  };

  // Takes the turn if it is free, else waits for it. Cancelled if `cancelled` (may be null: never)
  // is or becomes true while it waits.
  absl::StatusOr<Hold> Take(Flag cancelled, Duration cancel_grace);

 private:
  void GiveBack(uint64_t number);

  std::mutex mutex_;
  std::condition_variable free_cv_;
  uint64_t last_number_ = 0;
  uint64_t holder_ = 0;  // number of the hold; 0: free
  Flag holder_cancelled_;
};

}  // namespace skein

#endif  // SKEIN_RUNTIME_GLOBAL_RNG_TURN_H_
