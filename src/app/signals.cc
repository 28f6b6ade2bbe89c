#include "app/signals.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

namespace skein {

StopSignals::StopSignals() {
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGINT);
  sigaddset(&mask, SIGTERM);
  // A terminal that is closed asks for a stop, too, unless nohup or the like says otherwise.
  struct sigaction hangup = {};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) {
    sigaddset(&mask, SIGHUP);
  }
  pthread_sigmask(SIG_BLOCK, &mask, nullptr);
  signal_fd_ = signalfd(-1, &mask, SFD_CLOEXEC);
  end_fd_ = eventfd(0, EFD_CLOEXEC);
  if (signal_fd_ >= 0 && end_fd_ >= 0) {
    thread_ = std::thread([this] { Watch(); });
  } else {  // no descriptor is left: signals do what they do where nobody takes them
    pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
  }
}

StopSignals::~StopSignals() {
  if (thread_.joinable()) {
    eventfd_write(end_fd_, 1);
    thread_.join();
  }
  close(signal_fd_);
  close(end_fd_);
}

void StopSignals::OnStop(std::function<void()> on_stop) {
  std::lock_guard lock(mutex_);
  on_stop_ = std::move(on_stop);
  if (asked_ && on_stop_) on_stop_();
}

void StopSignals::Watch() {
  for (int taken = 0;; ++taken) {
    pollfd fds[] = {{signal_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
    while (poll(fds, 2, -1) < 0) {
    }
    if (fds[1].revents != 0) return;
    signalfd_siginfo info;
    if (read(signal_fd_, &info, sizeof(info)) != sizeof(info)) return;
    const int signal = static_cast<int>(info.ssi_signo);
    if (taken == 0) {
      std::lock_guard lock(mutex_);
      asked_ = true;
      if (on_stop_) on_stop_();
      continue;
    }
    std::signal(signal, SIG_DFL);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, signal);
    pthread_sigmask(SIG_UNBLOCK, &mask, nullptr);
    raise(signal);
  }
}

}  // namespace skein
