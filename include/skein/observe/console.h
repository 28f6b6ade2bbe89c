#ifndef SKEIN_OBSERVE_CONSOLE_H_
#define SKEIN_OBSERVE_CONSOLE_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "skein/observe/event.h"
#include "skein/observe/round_tracker.h"

namespace skein {

struct ConsoleOptions {
  std::ostream* out = nullptr;       // progress and summary; null: none
  std::ostream* err = nullptr;       // failures, when `out` is null; null: none
  bool redraw = false;               // `out` is a terminal: the line of the open round is redrawn
  std::string directory;             // where the files are; empty: nowhere
  uint64_t lowest_tier_workers = 0;  // workers below the lowest aggregating tier; 0: all of them
};

// Shows a run to a person: one line a round, then a summary. Streams must outlive it. Not
// thread-safe: one executor at a time.
class ConsoleProgress : public EventSink {
 public:
  explicit ConsoleProgress(ConsoleOptions options) : options_(std::move(options)) {}
  void OnEvent(const Event& event) override;

 private:
  void ShowLine(const std::string& text, bool final);
  void ShowNotice(const std::string& text);
  void ShowSummary(const Event& event);
  void ShowTraffic(const std::vector<TierTraffic>& bytes);

  const ConsoleOptions options_;
  RoundTracker rounds_;
  RoundSummary last_;  // the last complete round
  uint64_t total_rounds_ = 0;
  uint64_t workers_ = 0;
  double drawn_s_ = -1;  // when the open line was last drawn, by the run's clock
  bool line_open_ = false;
};

// "round  3/10 [###-------] loss 0.4512  accuracy 0.8421  32/32 workers  4.1 s  root 3.7 MB up".
std::string ProgressLine(const RoundSummary& round, uint64_t total_rounds);

// "3.7 MB", in powers of 1000.
std::string FormatBytes(double bytes);

}  // namespace skein

#endif  // SKEIN_OBSERVE_CONSOLE_H_
