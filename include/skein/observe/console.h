#ifndef SKEIN_OBSERVE_CONSOLE_H_
#define SKEIN_OBSERVE_CONSOLE_H_

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "skein/observe/event.h"
#include "skein/observe/round_tracker.h"
#include "skein/observe/stream_pace.h"

namespace skein {

// What the console shows, and how.
struct ConsoleOptions {
  std::ostream* out = nullptr;       // progress and summary; null: none
  std::ostream* err = nullptr;       // failures, when `out` is null; null: none
  bool redraw = false;               // `out` is a terminal: the line of the open round is redrawn
  std::string directory;             // where the files are; empty: nowhere
  uint64_t lowest_tier_workers = 0;  // workers below the lowest aggregating tier; 0: all of them
};

// Shows a run to a person: one line a round, then a summary. Without a barrier at the root there
// may be thousands of versions: then a line tells of all versions since the one before, at most one
// a second of the run's clock, and the less often the longer the run has lasted (a fiftieth of
// that, up to an hour). Streams must outlive it. Not thread-safe: one executor at a time.
class ConsoleProgress : public EventSink {
 public:
  explicit ConsoleProgress(ConsoleOptions options) : options_(std::move(options)) {}
  void OnEvent(const Event& event) override;

 private:
  void OnConcluded(RoundSummary round, double now_s);
  void ShowVersions(double now_s);
  void ShowOpen(const Event& event);
  double RunningFor(double now_s) const { return now_s - began_s_; }
  void ShowLine(const std::string& text, bool final);
  void ShowNotice(const std::string& text);
  void ShowLoss(const Event& event);
  void ShowSummary(const Event& event);
  void ShowPace();
  void ShowTraffic(const std::vector<TierTraffic>& bytes);

  const ConsoleOptions options_;
  RoundTracker rounds_;
  RoundSummary last_;  // the last complete round
  StreamPace pace_;
  std::optional<RoundSummary> unshown_;  // versions since the last line, as one
  uint64_t updates_ = 0;                 // in the versions that are concluded
  double began_s_ = 0;                   // the first round
  double shown_s_ = 0;                   // when the last line was, by the run's clock
  uint64_t total_rounds_ = 0;
  uint64_t workers_ = 0;
  uint64_t losses_ = 0;
  double drawn_s_ = -1;  // when the open line was last drawn, by the run's clock
  bool line_open_ = false;
};

// "round  3/10 [###-------] loss 0.4512  accuracy 0.8421  32/32 workers  4.1 s  root 3.7 MB up".
std::string ProgressLine(const RoundSummary& round, uint64_t total_rounds);

// "version 12/96 [#---------] accuracy 0.8421  96 updates, 3.1/s  staleness 1.4, max 5  idle 2.1%
// 7.7 s  root 3.7 MB up", of the versions that `pace` covers, `version` the last; `updates` so far.
std::string VersionLine(const RoundSummary& version, uint64_t total_versions, uint64_t updates,
                        const Pace& pace);

// "3.7 MB", in powers of 1000.
std::string FormatBytes(double bytes);

}  // namespace skein

#endif  // SKEIN_OBSERVE_CONSOLE_H_
