#ifndef SKEIN_SRC_APP_PLOT_IDLE_TABLE_H_
#define SKEIN_SRC_APP_PLOT_IDLE_TABLE_H_

#include <string>

#include "app/plot/activity.h"
#include "skein/base/value.h"

namespace skein::plot {

// How the workers of a run spent their time, a line each and one for all, for a person.
std::string IdleTable(const std::string& run, const RunActivity& activity);

// The same for programs.
Value IdleValue(const std::string& run, const RunActivity& activity);

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_IDLE_TABLE_H_
