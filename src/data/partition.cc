#include "skein/data/partition.h"

#include <algorithm>
#include <cmath>
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
  Partition parts(num_workers);
  auto next = order.begin();
  for (size_t w = 0; w < num_workers; ++w) {
    const size_t count = num_samples / num_workers + (w < num_samples % num_workers ? 1 : 0);
    parts[w].assign(next, next + static_cast<ptrdiff_t>(count));
    next += static_cast<ptrdiff_t>(count);
  }
  return parts;
}

absl::StatusOr<Partition> PartitionDirichlet(const std::vector<int64_t>& labels, size_t num_workers,
                                             const DirichletOptions& options, uint64_t seed) {
  if (absl::Status status = CheckSize(labels.size(), num_workers); !status.ok()) return status;
  if (absl::Status status = CheckOptions(options, labels.size(), num_workers); !status.ok()) {
    return status;
  }
  std::map<int64_t, std::vector<uint32_t>> classes;
  for (size_t i = 0; i < labels.size(); ++i) {
    classes[labels[i]].push_back(static_cast<uint32_t>(i));
  }
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
