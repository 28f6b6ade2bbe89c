#ifndef SKEIN_STRATEGY_SELECTION_HISTORY_H_
#define SKEIN_STRATEGY_SELECTION_HISTORY_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "skein/base/roster.h"
#include "skein/strategy/worker_report.h"

namespace skein {

// What a selector may know of one worker.
struct WorkerRecord {
  uint64_t times_taken = 0;  // into rounds that were committed
  uint64_t last_taken = 0;   // the last such round; 0: never
  uint64_t last_round = 0;   // the last one in which its update counted; 0: none is known of
  // Of that update:
  uint64_t num_samples = 0;
  double seconds = 0;
  std::optional<double> loss;
  std::optional<double> loss_squared;

  // The root of the mean squared loss of its samples, or the size of the mean loss where the
  // learner reports no squares, which is no more than that.
  std::optional<double> RmsLoss() const;
};

// The committed rounds of a run, as far as a selector needs them: a function of what was added, in
// order, so that whoever has a record of the rounds can make it again. Grows with the workers that
// were ever taken, by 80 bytes each, and by 16 bytes a round. Not thread-safe.
class SelectionHistory {
 public:
  // A committed round: who was asked, and what is known of those whose updates counted. Reports of
  // workers that did not take part are left out.
  void Add(uint64_t round, const Roster& participants, std::span<const WorkerReport> reports);

  // An empty record of who was never taken.
  const WorkerRecord& Of(LeafIndex leaf) const;
  // Some update counted, and some came with a loss.
  bool any_reported() const { return any_reported_; }
  bool any_loss() const { return any_loss_; }

  // The sum over a round's reports of samples * root mean squared loss: the statistical utility of
  // its participants (Lai et al. 2021, arXiv 2010.06081).
  struct RoundUtility {
    uint64_t round = 0;
    double utility = 0;
    friend bool operator==(const RoundUtility&, const RoundUtility&) = default;
  };
  const std::vector<RoundUtility>& utilities() const { return utilities_; }

 private:
  WorkerRecord& Mutable(LeafIndex leaf);

  std::vector<WorkerRecord> records_;  // by leaf, up to the last one taken
  std::vector<RoundUtility> utilities_;
  bool any_reported_ = false;
  bool any_loss_ = false;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_SELECTION_HISTORY_H_
