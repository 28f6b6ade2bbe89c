#ifndef SKEIN_SRC_APP_PLOT_EVALUATIONS_H_
#define SKEIN_SRC_APP_PLOT_EVALUATIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "skein/observe/event.h"

namespace skein::plot {

// What had been spent when a round was committed or a version made.
struct Spent {
  double time_s = 0;  // since the first round was opened
  uint64_t rounds = 0;
  uint64_t updates = 0;      // that count
  double bytes = 0;          // on all links, both ways
  double bytes_at_root = 0;  // between the root and its children, both ways
};

struct Evaluation {
  Spent spent;
  std::map<std::string, double> metrics;
};

// Collects the evaluations of a run from its events. An evaluation stands where its model was made,
// not where it was finished, since training goes on meanwhile. Where the coordinator and the
// workers evaluate, the coordinator's counts.
class Evaluations {
 public:
  void OnEvent(const Event& event);
  // In the order of their rounds.
  std::vector<Evaluation> Take();

 private:
  void OnCommitted(const Event& event);
  void OnEvaluated(const Event& event);

  std::optional<double> started_s_;
  Spent spent_;
  std::map<uint64_t, Spent> made_;  // by round
  std::map<uint64_t, Evaluation> evaluated_;
  std::map<uint64_t, bool> by_coordinator_;
};

}  // namespace skein::plot

#endif  // SKEIN_SRC_APP_PLOT_EVALUATIONS_H_
