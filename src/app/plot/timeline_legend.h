#ifndef SKEIN_SRC_APP_PLOT_TIMELINE_LEGEND_H_
#define SKEIN_SRC_APP_PLOT_TIMELINE_LEGEND_H_

#include <functional>
#include <string>
#include <vector>

#include "app/plot/svg.h"
#include "app/plot/timeline.h"

namespace skein::plot {

// What the signs of the rows mean.
class Legend {
 public:
  struct Entry {
    std::string text;
    std::function<void(double x, double y, Svg& svg)> draw;  // into 14 by 10
  };
  // In lines of at most `width`.
  Legend(std::vector<Entry> entries, double width);
  double height() const;
  void Draw(Svg& svg, double left, double top) const;

 private:
  struct Place {
    double x = 0;
    double y = 0;
  };
  std::vector<Entry> entries_;
  std::vector<Place> places_;
};

// Of the signs that these runs need.
std::vector<Legend::Entry> LegendOf(const std::vector<ActiveRun>& runs);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_TIMELINE_LEGEND_H_
