#include "control/run_log.h"

namespace skein {

RunLog::State RunLog::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void RunLog::Wait(uint64_t seen, std::function<void()> wake) {
  {
    std::lock_guard lock(mutex_);
    if (state_.changes == seen) {
      waiters_.push_back(std::move(wake));
      return;
    }
  }
  wake();
}

void RunLog::OnEvent(const Event&) {
  Change([](State& state) { state.waits.clear(); });
}

void RunLog::SetWaits(std::string why) {
  Change([&](State& state) { state.waits = std::move(why); });
}

void RunLog::SetOver() {
  Change([](State& state) {
    state.waits.clear();
    state.over = true;
  });
}

void RunLog::Change(const std::function<void(State&)>& how) {
  std::vector<std::function<void()>> waiters;
  {
    std::lock_guard lock(mutex_);
    how(state_);
    ++state_.changes;
    waiters.swap(waiters_);
  }
  for (const auto& wake : waiters) wake();
}

}  // namespace skein
