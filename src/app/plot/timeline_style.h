#ifndef SKEIN_SRC_APP_PLOT_TIMELINE_STYLE_H_
#define SKEIN_SRC_APP_PLOT_TIMELINE_STYLE_H_

#include "app/plot/activity.h"

namespace skein::plot {

// What rows and their legend are drawn with.
inline constexpr char kWaitingFill[] = "#ececec";
inline constexpr char kLeftOutFill[] = "#e8a33d";
inline constexpr char kRejectedFill[] = "#d0342c";
inline constexpr char kAwayFill[] = "url(#away)";  // the timeline defines it
inline constexpr char kContributionFill[] = "#12395a";
inline constexpr char kLostColor[] = "#b00020";

inline const char* FillOf(Outcome outcome, bool is_worker) {
  switch (outcome) {
    case Outcome::kCounted:
      return is_worker ? "#6aaed6" : "#78bf95";
    case Outcome::kRejected:
      return kRejectedFill;
    case Outcome::kLeftOut:
      return kLeftOutFill;
    case Outcome::kUnfinished:
      return is_worker ? "#c3dff0" : "#cfe8d9";
  }
  return kWaitingFill;
}

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_TIMELINE_STYLE_H_
