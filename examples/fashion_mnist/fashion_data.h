#ifndef FASHION_MNIST_FASHION_DATA_H_
#define FASHION_MNIST_FASHION_DATA_H_

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <ATen/core/Tensor.h>
#include <absl/status/statusor.h>
#include <skein/skein.h>

// Images and what they show.
struct Images {
  at::Tensor pixels;  // uint8 [n, 1, 28, 28]
  at::Tensor labels;  // int64 [n], 0 to 9
};

// Fashion-MNIST, read once in a process and never changed. Thread-safe.
//
// The spec's data: section says where the files are and which worker has which of the 60,000
// training images.
class FashionData {
 public:
  // The keys of that section, for LearnerOptions::data_schema.
  static std::shared_ptr<const skein::ParamSchema> Schema();

  // A worker's part of the training images. Errors name file or parameter.
  absl::StatusOr<Images> PartOf(const skein::WorkerContext& context);

  // The 10,000 test images, for the coordinator. Checks the training files and the partition too,
  // so that what is wrong with them shows before the run, and prints who has what to stderr, once.
  absl::StatusOr<Images> HeldOut(const skein::WorkerContext& context);

 private:
  struct Divided {
    std::string key;  // what it was made from
    skein::Partition parts;
  };

  // These are called with mutex_ held.
  absl::StatusOr<Images> Read(const std::string& path, const std::string& set);
  absl::Status Divide(const skein::WorkerContext& context, const Images& train);

  std::mutex mutex_;
  std::map<std::string, Images> files_;  // by path and set
  std::optional<Divided> divided_;
  std::string printed_;  // key of the partition that was printed last
};

#endif  // FASHION_MNIST_FASHION_DATA_H_
