#include "runtime/global_rng_turn.h"

#include <chrono>
#include <optional>
#include <utility>

namespace skein {

GlobalRngTurn::Hold::~Hold() {
  if (turn_ != nullptr) turn_->GiveBack(number_);
}

absl::StatusOr<GlobalRngTurn::Hold> GlobalRngTurn::Take(Flag cancelled, Duration cancel_grace) {
  using Clock = std::chrono::steady_clock;
  // A flag notifies nobody, so it is looked at now and then.
  constexpr auto kLook = std::chrono::milliseconds(20);
  uint64_t overdue_holder = 0;
  std::optional<Clock::time_point> overdue_since;
  std::unique_lock lock(mutex_);
  while (true) {
    if (holder_ == 0) break;
    if (cancelled != nullptr && cancelled->load()) {
      return absl::CancelledError("cancelled while waiting for its turn to train");
    }
    const bool overdue = holder_cancelled_ != nullptr && holder_cancelled_->load();
    if (!overdue || overdue_holder != holder_) {
      overdue_holder = overdue ? holder_ : 0;
      overdue_since = overdue ? std::optional(Clock::now()) : std::nullopt;
    } else if (Clock::now() - *overdue_since > cancel_grace) {
      break;
    }
    free_cv_.wait_for(lock, kLook);
  }
  holder_ = ++last_number_;
  holder_cancelled_ = std::move(cancelled);
  return Hold(shared_from_this(), holder_);
}

void GlobalRngTurn::GiveBack(uint64_t number) {
  {
    std::lock_guard lock(mutex_);
    if (holder_ != number) return;  // lost it meanwhile
    holder_ = 0;
    holder_cancelled_ = nullptr;
  }
  free_cv_.notify_one();
}

}  // namespace skein
