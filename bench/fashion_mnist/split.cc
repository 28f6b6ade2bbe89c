// Prints which training images each worker of a run has, as a JSON list of lists, so that a peer
// can be given the same: fashion_split SPEC.yaml [PATH=VALUE ...]
#include <cstdio>

#include "fashion_spec.h"

namespace {

constexpr size_t kTrainingImages = 60'000;

absl::StatusOr<skein::Partition> Split(int argc, char** argv) {
  SKEIN_ASSIGN_OR_RETURN(const FashionSpec spec, ReadFashionSpec(argc, argv));
  const skein::Params data(spec.run.config.data);
  if (data.StringOr("partition", "iid") != "iid") {
    return absl::InvalidArgumentError("only the partition iid can be told without the labels");
  }
  const int64_t limit = data.IntOr("limit", 0);
  return skein::PartitionIid(limit > 0 ? static_cast<size_t>(limit) : kTrainingImages,
                             spec.run.topology.num_workers(), spec.run.config.seed);
}

}  // namespace

int main(int argc, char** argv) {
  const absl::StatusOr<skein::Partition> split = Split(argc, argv);
  if (!split.ok()) {
    std::fprintf(stderr, "fashion_split: %s\n", skein::Message(split.status()).c_str());
    return 2;
  }
  const char* between_parts = "[";
  for (const std::vector<uint32_t>& part : *split) {
    std::fputs(between_parts, stdout);
    between_parts = ",\n ";
    const char* between = "[";
    for (const uint32_t index : part) {
      std::printf("%s%u", between, index);
      between = ",";
    }
    std::fputs("]", stdout);
  }
  std::fputs("]\n", stdout);
  return 0;
}
