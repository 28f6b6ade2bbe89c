#ifndef SKEIN_LEARNERS_DATA_FILES_H_
#define SKEIN_LEARNERS_DATA_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include <absl/status/statusor.h>

#include "skein/data/partition_rule.h"
#include "skein/learners/samples.h"
#include "skein/runtime/learner.h"

namespace skein {

// Data sets in files, named and divided among the workers as the spec's data: section says
// (docs/learners.md): CSV, IDX, safetensors, PyTorch's and flat files. The workers of a
// process share what they have in common, and read it again where a file has changed since. For the
// samples of a learner; owned by its factory. Any thread.
class DataFiles {
 public:
  // For LearnerOptions::data_schema and check_data.
  static std::shared_ptr<const ParamSchema> Schema();
  static absl::Status Check(const Params& data, const DataUse& use);

  DataFiles();
  ~DataFiles();

  // A worker's part of the training samples. For the coordinator: the test samples, or none if
  // there are none; it reads and divides the training files, too, so that what is wrong with them
  // shows before the run. Inputs are float32, or int64 where the file has that; targets int64 [n]
  // if they are whole numbers, float32 otherwise. Errors name the file or the key.
  absl::StatusOr<Samples> SamplesOf(const WorkerContext& context);

  // Some samples of each file that the coordinator has read, those with the least and the largest
  // label among them, to see whether a model takes them.
  struct Trial {
    std::string file;  // as the spec names it
    Batch batch;
  };
  absl::StatusOr<std::vector<Trial>> TrialsOf(const WorkerContext& context);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

// The keys of a data: section that say how samples are divided, and the rule that they are.
std::vector<ParamSpec> PartitionParams();
absl::StatusOr<PartitionRule> PartitionRuleOf(const Params& data);

}  // namespace skein

#endif  // SKEIN_LEARNERS_DATA_FILES_H_
