#ifndef SKEIN_CONDITIONS_CONDITIONS_MODEL_H_
#define SKEIN_CONDITIONS_CONDITIONS_MODEL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/base/ids.h"
#include "skein/base/time.h"
#include "skein/conditions/conditions.h"

namespace skein {

// How long the works of one worker take.
class WorkerPace {
 public:
  // The n-th training task of its life, n from 0; `steps` local steps, 0: the learner's own number.
  // Zero: no longer than it takes.
  Duration Training(uint64_t n, uint32_t steps = 0) const;
  Duration Evaluation(uint64_t n) const;

 private:
  friend class ConditionsModel;
  double Jitter(uint64_t purpose, uint64_t n) const;

  ComputeConditions compute_;
  double factor_ = 1;  // of this worker's times
  uint64_t seed_ = 0;  // of its jitter
  std::vector<double> trace_;
};

// A worker is away in [from, to), counted from the start of the run; to = kNever: for good.
struct Absence {
  Duration from{0};
  Duration to{0};
};

// A line of an availability trace: a worker is there in [from, to).
struct Presence {
  Duration from{0};
  Duration to{0};  // kNever: for good
  size_t line = 0;
};

// The absences of one worker, one after another.
class Absences {
 public:
  std::optional<Absence> Next();

 private:
  friend class ConditionsModel;
  std::optional<Absence> NextFailure();
  std::optional<Absence> NextNight();

  std::vector<Absence> listed_;  // of a trace, the last first
  AvailabilityConditions availability_;
  uint64_t seed_ = 0;
  uint64_t failures_ = 0;
  uint64_t nights_ = 0;
  Duration back_{0};         // from the last absence of all
  double failed_until_ = 0;  // seconds
  std::optional<Absence> failure_;
  std::optional<Absence> night_;
};

// The conditions of one run, worked out: every draw is a function of the run's seed and of who is
// asked about, so that all nodes agree without a word. Immutable.
class ConditionsModel {
 public:
  // Reads the traces. NotFound for their files; InvalidArgument for their content, with the line,
  // and for a tier that has no children.
  static absl::StatusOr<std::shared_ptr<const ConditionsModel>> Create(const Conditions& conditions,
                                                                       uint64_t seed,
                                                                       uint64_t num_workers,
                                                                       int num_tiers);

  // Whether Create would make an equal one.
  bool IsOf(const Conditions& conditions, uint64_t seed, uint64_t num_workers, int num_tiers) const;
  // NotFound if there is a trace without this worker.
  absl::StatusOr<WorkerPace> PaceOf(const NodeId& worker, LeafIndex leaf) const;
  // Of the links below a node of the tier; null: they carry what they can.
  const LinkConditions* LinksOf(int tier) const;
  bool has_absences() const;
  Absences AbsencesOf(const NodeId& worker, LeafIndex leaf) const;
  // InvalidArgument or NotFound if a trace does not fit the tree's workers: who is missing, or,
  // with the line, who is not there.
  absl::Status CheckWorkers(const std::vector<NodeId>& workers) const;
  bool IsStraggler(LeafIndex leaf) const;

 private:
  ConditionsModel() = default;

  Conditions conditions_;
  uint64_t seed_ = 0;
  uint64_t num_workers_ = 0;
  int num_tiers_ = 0;
  std::vector<bool> stragglers_;  // by leaf; empty: none
  std::map<NodeId, std::vector<double>> traces_;
  std::map<NodeId, std::vector<Presence>> presences_;
};

// The model that the nodes of a process share, so that it is made and its trace read once.
// Thread-safe.
class SharedConditions {
 public:
  // Keeps what was asked for last.
  absl::StatusOr<std::shared_ptr<const ConditionsModel>> Get(const Conditions& conditions,
                                                             uint64_t seed, uint64_t num_workers,
                                                             int num_tiers);

 private:
  std::mutex mutex_;
  std::shared_ptr<const ConditionsModel> last_;
};

}  // namespace skein

#endif  // SKEIN_CONDITIONS_CONDITIONS_MODEL_H_
