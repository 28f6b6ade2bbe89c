#include "data/partition_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace skein {

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

// The gammas are normalized as logarithms: for a small alpha all of them may be too small for a
// double.
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

void DealOut(const std::vector<uint32_t>& indices, const std::vector<double>& proportions,
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

absl::Status NoDraw(const DirichletOptions& options, size_t num_workers) {
  return absl::ResourceExhaustedError(
      "partition: none of " + std::to_string(options.max_attempts) + " draws gave each of " +
      std::to_string(num_workers) + " workers " + std::to_string(options.min_samples) +
      " samples; raise alpha, lower min_samples or use fewer workers");
}

Partition CutEvenly(const std::vector<uint32_t>& indices, size_t parts) {
  Partition cut(parts);
  auto next = indices.begin();
  for (size_t i = 0; i < parts; ++i) {
    const size_t count = indices.size() / parts + (i < indices.size() % parts ? 1 : 0);
    cut[i].assign(next, next + static_cast<ptrdiff_t>(count));
    next += static_cast<ptrdiff_t>(count);
  }
  return cut;
}

std::map<int64_t, std::vector<uint32_t>> ByLabel(const std::vector<int64_t>& labels) {
  std::map<int64_t, std::vector<uint32_t>> classes;
  for (size_t i = 0; i < labels.size(); ++i) {
    classes[labels[i]].push_back(static_cast<uint32_t>(i));
  }
  return classes;
}

}  // namespace skein
