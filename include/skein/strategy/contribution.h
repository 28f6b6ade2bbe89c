#ifndef SKEIN_STRATEGY_CONTRIBUTION_H_
#define SKEIN_STRATEGY_CONTRIBUTION_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "skein/base/fixed128.h"
#include "skein/base/ids.h"
#include "skein/base/roster.h"
#include "skein/strategy/worker_report.h"

namespace skein {

// Metrics of many workers, mergeable in any order: sum of metric * num_samples and of num_samples.
class MetricSums {
 public:
  void Add(const std::map<std::string, double>& metrics, uint64_t num_samples);
  void Merge(const MetricSums& other);
  // Sample-weighted means. A metric that some workers did not report is averaged over those who
  // did.
  std::map<std::string, double> Means() const;

  struct Sum {
    Fixed128 weighted;
    Fixed128 weight;
  };
  const std::map<std::string, Sum>& sums() const { return sums_; }
  std::map<std::string, Sum>& mutable_sums() { return sums_; }

 private:
  std::map<std::string, Sum> sums_;
};

// What a worker says of its update, beside the tensors. The tensors have the model's names and
// shapes; float parameters as float32 differences to the base, float buffers as float32 values,
// others as they are.
struct UpdateHeader {
  LeafIndex leaf = 0;
  Seq seq = 0;
  uint64_t round = 0;
  uint32_t local_round = 0;
  VersionRef base;
  uint64_t num_samples = 0;
  std::map<std::string, double> metrics;
};

// What a subtree says of its partial, beside the sums. Float tensors travel as int64 ring values,
// integer tensors and bools as int64. A subtree answers a task with one partial for each version
// that its updates refer to.
struct PartialHeader {
  uint64_t round = 0;
  uint32_t local_round = 0;
  VersionRef base;
  Fixed128 total_weight;
  std::map<std::string, Fixed128> scalars;  // the fold's own
  uint64_t num_samples = 0;
  Roster roster;
  MetricSums metrics;
  Seq task = 0;  // its seq_first
  uint32_t part = 0;
  uint32_t parts = 1;
  uint64_t updates = 0;  // more than workers if some have contributed several times
  // Of the fold whose partial it is; fewer than updates if subtrees of other folds reported as one
  // each. 0: one an update.
  uint64_t contributions = 0;
  uint64_t Contributions() const { return contributions != 0 ? contributions : updates; }
  std::vector<WorkerReport> reports = {};  // by leaf, within the roster; if the task wants them
  // The tensors are not sums but their mean, in the form of an update: the link loses something, so
  // sums would not stay exact.
  bool mean = false;
};

}  // namespace skein

#endif  // SKEIN_STRATEGY_CONTRIBUTION_H_
