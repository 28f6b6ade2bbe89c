#ifndef SKEIN_SRC_STRATEGY_SELECT_OORT_UTILITY_H_
#define SKEIN_SRC_STRATEGY_SELECT_OORT_UTILITY_H_

#include <cstdint>
#include <vector>

#include "skein/strategy/selection_history.h"

namespace skein {

// The formulas of Oort (Lai, Zhu, Madhyastha, Chowdhury 2021, arXiv 2010.06081), each a pure
// function.

// |B| sqrt(1/|B| sum of loss^2), of the worker's last update; 0 without a loss.
double StatisticalUtility(const WorkerRecord& record);

// (T / t)^penalty for a worker slower than preferred, T < t; otherwise 1.
double SystemUtility(double preferred_s, double seconds, double penalty);

// sqrt(0.1 ln R / L): round R now, L the last one in which the worker's update counted; both 1 or
// more.
double TemporalUncertainty(uint64_t round, uint64_t last_round);

// The value below which a share of the values lies, 0 to 1: of n sorted ones the one of index
// floor(share * n), or the last. At least one value.
double Quantile(std::vector<double> values, double share);

// The share of a round that goes to workers that are not known: first * decay^(round - 1), not
// below `least`.
double Exploration(uint64_t round, double first, double decay, double least);

// How often the pacer has let go: of the windows of so many rounds before this one, those whose
// workers were of less statistical utility, in sum, than the window before.
uint64_t PacerSteps(const std::vector<SelectionHistory::RoundUtility>& rounds, uint64_t round,
                    uint64_t window);

}  // namespace skein

#endif  // SKEIN_SRC_STRATEGY_SELECT_OORT_UTILITY_H_
