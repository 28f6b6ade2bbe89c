#ifndef SKEIN_SRC_APP_DOCTOR_FINDINGS_H_
#define SKEIN_SRC_APP_DOCTOR_FINDINGS_H_

#include <string>
#include <vector>

#include "app/doctor/machine_facts.h"

namespace skein::doctor {

enum class Verdict {
  kGood,
  kNote,    // of no harm here; what it may harm is said
  kSlow,    // runs work, but will take longer or fail when they are large
  kBroken,  // runs fail
};
const char* NameOf(Verdict verdict);  // "ok", "note", "slow", "broken"

struct Finding {
  std::string what;
  std::string value;
  Verdict verdict = Verdict::kGood;
  std::string remedy;  // empty if there is nothing to mend
};

// What the facts mean for runs, one finding a line of the report. A function of the facts alone.
std::vector<Finding> Judge(const MachineFacts& facts);

}  // namespace skein::doctor

#endif  // SKEIN_SRC_APP_DOCTOR_FINDINGS_H_
