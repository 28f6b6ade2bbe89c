#ifndef SKEIN_SRC_APP_RUN_TABLE_H_
#define SKEIN_SRC_APP_RUN_TABLE_H_

#include <string>
#include <vector>

#include "control/run_desk.h"

namespace skein {

// One JSON object.
std::string ToJson(const RunInfo& run);
// A list of them.
std::string ToJson(const std::vector<RunInfo>& runs);
// A line for each, under a heading.
std::string ToTable(const std::vector<RunInfo>& runs);

}  // namespace skein

#endif  // SKEIN_SRC_APP_RUN_TABLE_H_
