#include "app/bench/process_watch.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "skein/observe/event.h"

namespace skein {
namespace {

using Clock = std::chrono::steady_clock;

// Between two looks. A look at hundreds of processes takes milliseconds of the cores that are being
// measured, so then there are fewer.
constexpr Clock::duration kShortestPause = std::chrono::milliseconds(20);
constexpr Clock::duration kLongestPause = std::chrono::milliseconds(100);

Clock::duration PauseAfter(Clock::duration look) {
  return std::clamp(50 * look, kShortestPause, kLongestPause);
}

}  // namespace

ProcessUse UseOf(pid_t pid) {
  ProcessUse use;
  const std::string directory = "/proc/" + std::to_string(pid);
  std::ifstream status(directory + "/status");
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string key;
    double kib = 0;
    words >> key >> kib;
    if (key == "VmRSS:") use.rss_mib = kib / 1024;
    if (key == "VmHWM:") use.peak_rss_mib = kib / 1024;
  }
  std::ifstream stat(directory + "/stat");
  std::string text;
  std::getline(stat, text);
  const size_t end_of_name = text.rfind(')');
  if (end_of_name == std::string::npos) return use;
  std::istringstream fields(text.substr(end_of_name + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // state ... cmajflt
  double user = 0;
  double system = 0;
  fields >> user >> system;
  use.cpu_s = (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return use;
}

ProcessWatch::ProcessWatch(std::string events_path)
    : events_path_(std::move(events_path)), thread_([this] { Loop(); }) {}

ProcessWatch::~ProcessWatch() { Finish(); }

void ProcessWatch::Add(pid_t pid, const std::string& role) {
  std::lock_guard lock(mutex_);
  processes_[pid].role = role;
}

void ProcessWatch::Loop() {
  while (true) {
    const auto begin = Clock::now();
    {
      std::lock_guard lock(mutex_);
      if (stop_) return;
      if (startup_s_ == 0 && RoundsHaveBegun()) {
        startup_s_ = std::chrono::duration<double>(Clock::now() - start_).count();
        // As they were at the last look, before the round's first bytes.
        for (auto& [pid, process] : processes_) process.idle = process.last;
      }
      Look();
    }
    std::this_thread::sleep_for(PauseAfter(Clock::now() - begin));
  }
}

void ProcessWatch::Look() {
  double total = 0;
  for (auto& [pid, process] : processes_) {
    const ProcessUse use = UseOf(pid);
    total += use.rss_mib;
    if (use.rss_mib > 0) process.last = use;
  }
  total_peak_rss_mib_ = std::max(total_peak_rss_mib_, total);
}

bool ProcessWatch::RoundsHaveBegun() {
  std::ifstream events(events_path_);
  events.seekg(static_cast<std::streamoff>(events_read_));
  const std::string wanted = std::string("\"event\":\"") + event::kRoundOpened + '"';
  for (std::string line; std::getline(events, line);) {
    if (events.eof()) break;  // half a line
    events_read_ += line.size() + 1;
    if (line.find(wanted) != std::string::npos) return true;
  }
  return false;
}

ProcessWatch::Report ProcessWatch::Finish() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  if (thread_.joinable()) thread_.join();
  Report report;
  report.startup_s = startup_s_;
  report.total_peak_rss_mib = total_peak_rss_mib_;
  for (const auto& [pid, process] : processes_) {
    Role& role = report.roles[process.role];
    ++role.processes;
    role.idle_rss_mib += process.idle.rss_mib;
    role.peak_rss_mib += process.last.peak_rss_mib;
    role.highest_rss_mib = std::max(role.highest_rss_mib, process.last.peak_rss_mib);
    role.rounds_cpu_s += process.last.cpu_s - process.idle.cpu_s;
  }
  return report;
}

}  // namespace skein
