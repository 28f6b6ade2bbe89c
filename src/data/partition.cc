#include "skein/data/partition.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "skein/base/random.h"

namespace skein {
namespace {

// Keep the streams of the partitioners apart; part of the format of a seed, never change them.
constexpr uint64_t kIidStream = 0x1d1;
constexpr uint64_t kDirichletStream = 0xd12;

absl::Status CheckSize(size_t num_samples, size_t num_workers) {
  if (num_workers == 0) return absl::InvalidArgumentError("partition: no workers");
  if (num_samples > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError("partition: " + std::to_string(num_samples) +
                                      " samples, more than an index can number");
  }
  if (num_samples < num_workers) {
    return absl::InvalidArgumentError("partition: " + std::to_string(num_samples) +
                                      " samples are too few for " + std::to_string(num_workers) +
                                      " workers");
  }
  return absl::OkStatus();
}

// A draw from the symmetric Dirichlet distribution. The gammas are normalized as logarithms: for a
// small alpha all of them may be too small for a double.
std::vector<double> DrawProportions(Rng& rng, double alpha, size_t count) {
  std::vector<double> p(count);
  for (double& value : p) value = rng.LogGamma(alpha);
  const double largest = *std::ranges::max_element(p);
  if (!std::isfinite(largest)) {
    // Not even the logarithms fit (alpha below 1e-307): the limit, one worker takes all.
    std::ranges::fill(p, 0.0);
    p[rng.Below(count)] = 1;
    return p;
  }
  double sum = 0;
  for (double& value : p) sum += value = std::exp(value - largest);
  for (double& value : p) value /= sum;
  return p;
}

// Deals one class out: cuts at floor(cumulative proportion * size), the remainder to the last.
void Split(const std::vector<uint32_t>& indices, const std::vector<double>& proportions,
           Partition& parts) {
  const auto size = static_cast<double>(indices.size());
  double cumulative = 0;
  size_t begin = 0;
  for (size_t w = 0; w < parts.size(); ++w) {
    cumulative += proportions[w];
    // The sum may pass 1 by a rounding error.
    size_t end = std::min(indices.size(), static_cast<size_t>(cumulative * size));
    if (w + 1 == parts.size()) end = indices.size();
    parts[w].insert(parts[w].end(), indices.begin() + static_cast<ptrdiff_t>(begin),
                    indices.begin() + static_cast<ptrdiff_t>(end));
    begin = end;
  }
}

absl::Status CheckOptions(const DirichletOptions& options, size_t num_samples, size_t num_workers) {
  if (!std::isfinite(options.alpha) || options.alpha <= 0) {
    return absl::InvalidArgumentError("partition: alpha must be a positive number");
  }
  if (options.max_attempts < 1) {
    return absl::InvalidArgumentError("partition: max_attempts must be at least 1");
  }
  if (options.min_samples > num_samples / num_workers) {
    return absl::InvalidArgumentError("partition: " + std::to_string(num_samples) +
                                      " samples cannot give " + std::to_string(num_workers) +
                                      " workers at least " + std::to_string(options.min_samples) +
                                      " each; lower min_samples or use fewer workers");
  }
  return absl::OkStatus();
}

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
      Split(indices, DrawProportions(rng, options.alpha, num_workers), parts);
    }
    const auto smallest = std::ranges::min_element(parts, {}, &std::vector<uint32_t>::size);
    if (smallest->size() < options.min_samples) continue;
    for (std::vector<uint32_t>& part : parts) rng.Shuffle(part);
    return parts;
  }
  return absl::ResourceExhaustedError(
      "partition: none of " + std::to_string(options.max_attempts) + " draws gave each of " +
      std::to_string(num_workers) + " workers " + std::to_string(options.min_samples) +
      " samples; raise alpha, lower min_samples or use fewer workers");
}

}  // namespace skein
