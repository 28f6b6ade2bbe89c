#include "codec/randomk/randomk.h"

#include <string>

#include "codec/topk/topk.h"
#include "skein/base/value.h"

namespace skein {
namespace {

// Random sparsification: Stich et al. 2018, arXiv 1809.07599 (random-k), and without error feedback
// its unbiased form, times n/k: E|C(v) - v|^2 = (n/k - 1) |v|^2 (Wangni et al. 2017, arXiv
// 1710.09854).
class RandomK : public Sparsifier {
 public:
  RandomK(double ratio, bool keeps_error, bool shared)
      : ratio_(ratio), keeps_error_(keeps_error), shared_(shared) {}

  std::string form() const override { return "randomk(" + ToJson(Value(ratio_)) + ")"; }
  bool keeps_error() const override { return keeps_error_; }
  Support support() const override { return shared_ ? Support::kShared : Support::kDrawn; }
  uint64_t Kept(uint64_t n) const override { return KeptOf(ratio_, n); }
  float Scale(uint64_t n) const override {
    if (keeps_error_) return 1;
    return static_cast<float>(static_cast<double>(n) / static_cast<double>(Kept(n)));
  }

  // Selection sampling (Knuth, The Art of Computer Programming, volume 2, 3.4.2, algorithm S): each
  // element is taken with the probability that the rest of the sample is due from what is left.
  std::vector<uint32_t> Select(uint64_t n, std::span<const float>,
                               const CodecRandom& random) const override {
    std::vector<uint32_t> positions;
    uint64_t due = Kept(n);
    positions.reserve(due);
    for (uint64_t i = 0; due > 0; ++i) {
      const auto draw = static_cast<unsigned __int128>(random.At(i)) * (n - i);
      if (static_cast<uint64_t>(draw >> 64) >= due) continue;
      positions.push_back(static_cast<uint32_t>(i));
      --due;
    }
    return positions;
  }

 private:
  const double ratio_;
  const bool keeps_error_;
  const bool shared_;
};

}  // namespace

absl::Status RegisterRandomK(CodecRegistry& registry) {
  return registry.Register(
      {.name = "randomk",
       .summary = "elements of each tensor at random",
       .source = "Stich et al. 2018, arXiv 1809.07599; Wangni et al. 2017, arXiv 1710.09854",
       .schema = ParamSchema(
           {{.name = "ratio",
             .type = ParamSpec::Type::kReal,
             .required = true,
             .min = 1e-9,
             .max = 1,
             .doc = "elements that are sent, of all; at least one of a tensor"},
            {.name = "error_feedback",
             .type = ParamSpec::Type::kBool,
             .default_value = false,
             .doc = "send values as they are and add what is lost to the next update; otherwise "
                    "they are made larger, so that the result is unbiased"},
            {.name = "shared",
             .type = ParamSpec::Type::kBool,
             .default_value = false,
             .doc = "all senders of a round send the same elements"}})},
      [](const Params& params) -> absl::StatusOr<std::shared_ptr<const Codec>> {
        return std::make_shared<RandomK>(params.Real("ratio"), params.Bool("error_feedback"),
                                         params.Bool("shared"));
      });
}

}  // namespace skein
