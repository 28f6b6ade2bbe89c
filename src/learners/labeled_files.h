#ifndef SKEIN_SRC_LEARNERS_LABELED_FILES_H_
#define SKEIN_SRC_LEARNERS_LABELED_FILES_H_

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <absl/status/statusor.h>

namespace skein {

// What samples are made of, a row each. Types are those of the files, but for `targets`: int64 [n]
// if they are whole numbers, one a row; float32 otherwise.
struct InputsAndTargets {
  at::Tensor inputs;
  at::Tensor targets;
};

// `targets` may be empty: the last column of a CSV file, the tensor "y". Columns that are targets
// are no inputs. NotFound, InvalidArgument: one line with the path and the remedy.
absl::StatusOr<InputsAndTargets> ReadInputsAndTargets(const std::string& inputs,
                                                      const std::string& targets);

// Classes alone. Names are those of tensor_file.h. InvalidArgument if they are no whole numbers.
absl::StatusOr<std::vector<int64_t>> ReadClasses(const std::string& labels);

// The elements of int64 [n].
std::vector<int64_t> ToVector(const at::Tensor& labels);

}  // namespace skein

#endif  // SKEIN_SRC_LEARNERS_LABELED_FILES_H_
