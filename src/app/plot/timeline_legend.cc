#include "app/plot/timeline_legend.h"

#include <algorithm>
#include <utility>

#include "app/plot/timeline_style.h"

namespace skein::plot {
namespace {

constexpr double kLegendRow = 18;
constexpr double kLegendSize = 11;
constexpr double kSampleWidth = 14;
constexpr double kSampleHeight = 10;
constexpr double kEntryGap = 16;

}  // namespace

Legend::Legend(std::vector<Entry> entries, double width) : entries_(std::move(entries)) {
  Place place;
  for (const Entry& entry : entries_) {
    const double needed = kSampleWidth + 5 + TextWidth(entry.text, kLegendSize);
    if (place.x > 0 && place.x + needed > width) place = {0, place.y + kLegendRow};
    places_.push_back(place);
    place.x += needed + kEntryGap;
  }
}

double Legend::height() const { return places_.empty() ? 0 : places_.back().y + kLegendRow; }

void Legend::Draw(Svg& svg, double left, double top) const {
  for (size_t i = 0; i < entries_.size(); ++i) {
    const double x = left + places_[i].x;
    const double y = top + places_[i].y;
    entries_[i].draw(x, y, svg);
    svg.Text(x + kSampleWidth + 5, y + kSampleHeight - 1, entries_[i].text, {.size = kLegendSize});
  }
}

std::vector<Legend::Entry> LegendOf(const std::vector<ActiveRun>& runs) {
  const auto any = [&runs](auto matches) {
    return std::any_of(runs.begin(), runs.end(), [&](const ActiveRun& run) {
      return std::any_of(run.activity.nodes.begin(), run.activity.nodes.end(), matches);
    });
  };
  const auto has = [&any](Outcome outcome) {
    return any([outcome](const NodeActivity& node) { return node.Count(outcome) > 0; });
  };
  const auto filled = [](std::string fill) {
    return [fill = std::move(fill)](double x, double y, Svg& svg) {
      svg.Rect(x, y, kSampleWidth, kSampleHeight, fill);
    };
  };
  std::vector<Legend::Entry> entries;
  entries.push_back({"worker has a task", filled(FillOf(Outcome::kCounted, true))});
  entries.push_back({"aggregator collects", filled(FillOf(Outcome::kCounted, false))});
  entries.push_back({"contribution", [](double x, double y, Svg& svg) {
                       svg.Bars({{x + 6, x + 7.4}}, y, kSampleHeight, kContributionFill);
                     }});
  entries.push_back({"waits", filled(kWaitingFill)});
  if (has(Outcome::kUnfinished)) {
    entries.push_back({"not over at the end", filled(FillOf(Outcome::kUnfinished, true))});
  }
  if (has(Outcome::kLeftOut)) entries.push_back({"left out", filled(kLeftOutFill)});
  if (has(Outcome::kRejected)) entries.push_back({"rejected", filled(kRejectedFill)});
  if (any([](const NodeActivity& node) { return !node.absences.empty(); })) {
    entries.push_back({"lost", [](double x, double y, Svg& svg) {
                         svg.Rect(x, y, kSampleWidth, kSampleHeight, kAwayFill);
                         svg.Crosses({{x + 3, y + kSampleHeight / 2}}, 3, kLostColor);
                       }});
  }
  return entries;
}

}  // namespace skein::plot
