// Label and quantity skew by other rules than Dirichlet's over labels.
#include <algorithm>
#include <map>
#include <numeric>

#include "data/partition_parts.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// Keep the streams of the partitioners apart; part of the format of a seed, never change them.
constexpr uint64_t kShardStream = 0x54a2d;
constexpr uint64_t kClassStream = 0xc1a55;
constexpr uint64_t kQuantityStream = 0x9a41;
constexpr uint64_t kGroupStream = 0x6209;

void Append(std::vector<uint32_t>& to, const std::vector<uint32_t>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

size_t Smallest(const Partition& parts) {
  return std::ranges::min_element(parts, {}, &std::vector<uint32_t>::size)->size();
}

void ShuffleEach(Partition& parts, Rng& rng) {
  for (std::vector<uint32_t>& part : parts) rng.Shuffle(part);
}

}  // namespace

absl::StatusOr<Partition> PartitionShards(const std::vector<int64_t>& labels, size_t num_workers,
                                          size_t shards_per_worker, uint64_t seed) {
  SKEIN_RETURN_IF_ERROR(CheckSize(labels.size(), num_workers));
  if (shards_per_worker == 0 || shards_per_worker > labels.size() / num_workers) {
    return absl::InvalidArgumentError(
        "partition: " + std::to_string(shards_per_worker) + " shards for each of " +
        std::to_string(num_workers) + " workers do not come out of " +
        std::to_string(labels.size()) + " samples; ask for at least 1 and for fewer");
  }
  Rng rng(DeriveSeed(seed, {kShardStream}));
  std::vector<uint32_t> sorted;
  for (auto& [label, indices] : ByLabel(labels)) {
    std::vector<uint32_t> shuffled = indices;
    rng.Shuffle(shuffled);
    Append(sorted, shuffled);
  }
  auto shards = CutEvenly(sorted, num_workers * shards_per_worker);
  rng.Shuffle(shards);
  Partition parts(num_workers);
  for (size_t i = 0; i < shards.size(); ++i) Append(parts[i / shards_per_worker], shards[i]);
  ShuffleEach(parts, rng);
  return parts;
}

absl::StatusOr<Partition> PartitionByClasses(const std::vector<int64_t>& labels, size_t num_workers,
                                             size_t classes_per_worker, uint64_t seed) {
  SKEIN_RETURN_IF_ERROR(CheckSize(labels.size(), num_workers));
  const auto classes = ByLabel(labels);
  const auto bad = [&](const std::string& what) {
    return absl::InvalidArgumentError("partition: " + std::to_string(classes_per_worker) + " of " +
                                      std::to_string(classes.size()) + " classes for each of " +
                                      std::to_string(num_workers) + " workers: " + what);
  };
  if (classes_per_worker == 0 || classes_per_worker > classes.size()) {
    return bad("ask for 1 at least, and for no more than there are");
  }
  if (num_workers < (classes.size() + classes_per_worker - 1) / classes_per_worker) {
    return bad("some class would be nobody's; ask for more");
  }
  Rng rng(DeriveSeed(seed, {kClassStream}));
  std::vector<int64_t> order;
  for (const auto& [label, indices] : classes) order.push_back(label);
  rng.Shuffle(order);
  std::map<int64_t, std::vector<size_t>> owners;
  for (size_t turn = 0; turn < num_workers * classes_per_worker; ++turn) {
    owners[order[turn % order.size()]].push_back(turn / classes_per_worker);
  }
  Partition parts(num_workers);
  for (const auto& [label, having] : owners) {
    std::vector<uint32_t> indices = classes.at(label);
    if (indices.size() < having.size()) {
      return bad("class " + std::to_string(label) + " has " + std::to_string(indices.size()) +
                 " samples for " + std::to_string(having.size()) + " workers");
    }
    rng.Shuffle(indices);
    const auto shares = CutEvenly(indices, having.size());
    for (size_t i = 0; i < having.size(); ++i) Append(parts[having[i]], shares[i]);
  }
  ShuffleEach(parts, rng);
  return parts;
}

absl::StatusOr<Partition> PartitionQuantity(size_t num_samples, size_t num_workers,
                                            const DirichletOptions& options, uint64_t seed) {
  SKEIN_RETURN_IF_ERROR(CheckSize(num_samples, num_workers));
  SKEIN_RETURN_IF_ERROR(CheckOptions(options, num_samples, num_workers));
  std::vector<uint32_t> order(num_samples);
  std::iota(order.begin(), order.end(), 0u);
  Rng rng(DeriveSeed(seed, {kQuantityStream}));
  rng.Shuffle(order);
  for (int attempt = 0; attempt < options.max_attempts; ++attempt) {
    Partition parts(num_workers);
    DealOut(order, DrawProportions(rng, options.alpha, num_workers), parts);
    if (Smallest(parts) >= options.min_samples) return parts;
  }
  return NoDraw(options, num_workers);
}

absl::StatusOr<Partition> PartitionByGroups(const std::vector<int64_t>& labels,
                                            const std::vector<size_t>& groups,
                                            const DirichletOptions& options, uint64_t seed) {
  if (std::ranges::find(groups, size_t{0}) != groups.end()) {
    return absl::InvalidArgumentError("partition: a group has no workers");
  }
  const size_t num_workers = std::accumulate(groups.begin(), groups.end(), size_t{0});
  SKEIN_RETURN_IF_ERROR(CheckSize(labels.size(), num_workers));
  SKEIN_RETURN_IF_ERROR(CheckOptions(options, labels.size(), num_workers));
  auto classes = ByLabel(labels);
  Rng rng(DeriveSeed(seed, {kGroupStream}));
  for (int attempt = 0; attempt < options.max_attempts; ++attempt) {
    Partition by_group(groups.size());
    for (auto& [label, indices] : classes) {
      rng.Shuffle(indices);
      std::vector<double> shares = DrawProportions(rng, options.alpha, groups.size());
      double sum = 0;
      for (size_t g = 0; g < groups.size(); ++g) {
        sum += shares[g] *= static_cast<double>(groups[g]);
      }
      for (double& share : shares) share /= sum;
      DealOut(indices, shares, by_group);
    }
    Partition parts;
    for (size_t g = 0; g < groups.size(); ++g) {
      rng.Shuffle(by_group[g]);
      for (auto& part : CutEvenly(by_group[g], groups[g])) parts.push_back(std::move(part));
    }
    if (Smallest(parts) >= options.min_samples) return parts;
  }
  return NoDraw(options, num_workers);
}

absl::Status CheckPartition(const Partition& partition, size_t num_samples) {
  std::vector<bool> seen(num_samples);
  for (size_t worker = 0; worker < partition.size(); ++worker) {
    for (const uint32_t index : partition[worker]) {
      const std::string where =
          "partition: worker " + std::to_string(worker) + ": sample " + std::to_string(index);
      if (index >= num_samples) {
        return absl::InvalidArgumentError(where + " is not there, of " +
                                          std::to_string(num_samples));
      }
      if (seen[index]) return absl::InvalidArgumentError(where + " is there twice");
      seen[index] = true;
    }
  }
  return absl::OkStatus();
}

}  // namespace skein
