#ifndef SKEIN_SRC_CODEC_QSGD_QSGD_H_
#define SKEIN_SRC_CODEC_QSGD_QSGD_H_

#include <memory>
#include <string>

#include "skein/codec/registry.h"

namespace skein {

// QSGD (Alistarh et al. 2016, arXiv 1610.02132, section 3.1): in a bucket of values with norm N a
// value v becomes N/s * sign(v) * l, where l is |v| s/N rounded to one of the two whole numbers
// beside it, up with the probability that makes the mean right. The paper's bound holds for each
// bucket of n values: E|Q(v) - v|^2 <= min(n/s^2, sqrt(n)/s) |v|^2.
struct QsgdOptions {
  // The paper's analysis takes the Euclidean norm, with which most levels are 0 and short to code.
  // Here every level takes the same number of bits, so nothing is lost by the largest magnitude,
  // which is smaller; the bound holds all the more, since with N = max the variance of an element
  // is at most (N/s)^2/4 and at most N|v|/s.
  enum class Norm { kMax, kL2 };
  // To nearest: smaller errors, but what is lost is lost by every sender alike; for error feedback.
  enum class Rounding { kStochastic, kNearest };

  std::string name;
  int bits = 8;      // 4 or 8, the sign included
  int levels = 127;  // s, at most 2^(bits-1) - 1
  uint64_t bucket = 512;
  Norm norm = Norm::kMax;
  Rounding rounding = Rounding::kStochastic;
  bool keeps_error = false;
};

std::shared_ptr<const Quantizer> MakeQsgd(const QsgdOptions& options);

// Adds `int8` and `int4`. {bucket: 512, norm: max | l2, rounding: stochastic | nearest,
// error_feedback: false}. AlreadyExists if a name is taken.
absl::Status RegisterQsgd(CodecRegistry& registry);

}  // namespace skein

#endif  // SKEIN_SRC_CODEC_QSGD_QSGD_H_
