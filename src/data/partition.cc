#include "skein/data/partition.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "data/partition_parts.h"
#include "skein/base/random.h"

namespace skein {
namespace {

// Keep the streams of the partitioners apart; part of the format of a seed, never change them.
constexpr uint64_t kIidStream = 0x1d1;
constexpr uint64_t kDirichletStream = 0xd12;

}  // namespace

absl::StatusOr<Partition> PartitionIid(size_t num_samples, size_t num_workers, uint64_t seed) {
  if (absl::Status status = CheckSize(num_samples, num_workers); !status.ok()) return status;
  std::vector<uint32_t> order(num_samples);
  std::iota(order.begin(), order.end(), 0u);
  Rng rng(DeriveSeed(seed, {kIidStream}));
  rng.Shuffle(order);
  return CutEvenly(order, num_workers);
}

absl::StatusOr<Partition> PartitionDirichlet(const std::vector<int64_t>& labels, size_t num_workers,
                                             const DirichletOptions& options, uint64_t seed) {
  if (absl::Status status = CheckSize(labels.size(), num_workers); !status.ok()) return status;
  if (absl::Status status = CheckOptions(options, labels.size(), num_workers); !status.ok()) {
    return status;
  }
  std::map<int64_t, std::vector<uint32_t>> classes = ByLabel(labels);
  Rng rng(DeriveSeed(seed, {kDirichletStream}));
  for (int attempt = 0; attempt < options.max_attempts; ++attempt) {
    Partition parts(num_workers);
    for (auto& [label, indices] : classes) {
      rng.Shuffle(indices);
      DealOut(indices, DrawProportions(rng, options.alpha, num_workers), parts);
    }
    const auto smallest = std::ranges::min_element(parts, {}, &std::vector<uint32_t>::size);
    if (smallest->size() < options.min_samples) continue;
    for (std::vector<uint32_t>& part : parts) rng.Shuffle(part);
    return parts;
  }
  return NoDraw(options, num_workers);
}

}  // namespace skein
