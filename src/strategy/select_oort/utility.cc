#include "strategy/select_oort/utility.h"

#include <algorithm>
#include <cmath>

namespace skein {

double StatisticalUtility(const WorkerRecord& record) {
  return static_cast<double>(record.num_samples) * record.RmsLoss().value_or(0);
}

double SystemUtility(double preferred_s, double seconds, double penalty) {
  return preferred_s < seconds ? std::pow(preferred_s / seconds, penalty) : 1;
}

double TemporalUncertainty(uint64_t round, uint64_t last_round) {
  return std::sqrt(0.1 * std::log(static_cast<double>(round)) / static_cast<double>(last_round));
}

double Quantile(std::vector<double> values, double share) {
  // The small addend keeps 0.95 * 20 at 19 in binary floating point.
  const auto at = static_cast<size_t>(share * static_cast<double>(values.size()) + 1e-9);
  const auto nth = values.begin() + static_cast<ptrdiff_t>(std::min(at, values.size() - 1));
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

double Exploration(uint64_t round, double first, double decay, double least) {
  return std::max(least, first * std::pow(decay, static_cast<double>(round - 1)));
}

uint64_t PacerSteps(const std::vector<SelectionHistory::RoundUtility>& rounds, uint64_t round,
                    uint64_t window) {
  const uint64_t windows = (round - 1) / window;  // that are complete
  std::vector<double> sums(windows, 0);
  for (const auto& past : rounds) {
    const uint64_t at = (past.round - 1) / window;
    if (at < windows) sums[at] += past.utility;
  }
  uint64_t steps = 0;
  for (uint64_t i = 1; i < windows; ++i) steps += sums[i] < sums[i - 1] ? 1 : 0;
  return steps;
}

}  // namespace skein
