#include "codec/qsgd/qsgd.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/qsgd/qsgd_kernels.h"
#include "skein/base/status.h"

namespace skein {
namespace {

// A bucket is its step, float32, and then its levels.
class Qsgd : public Quantizer {
 public:
  explicit Qsgd(QsgdOptions options) : options_(std::move(options)) {}

  // The receiver multiplies steps by levels, however they came about.
  std::string form() const override {
    return options_.name + "(" + std::to_string(options_.bucket) + ")";
  }
  bool keeps_error() const override { return options_.keeps_error; }
  uint64_t block() const override { return options_.bucket; }
  uint64_t Bytes(uint64_t n) const override {
    return n / options_.bucket * BucketBytes(options_.bucket) + BucketBytes(n % options_.bucket);
  }
  // Far from where a norm or a multiple of a step would overflow.
  float MaxMagnitude() const override { return 0x1p100f; }

  void Encode(std::span<const float> values, uint64_t first, const CodecRandom& random,
              std::span<std::byte> out) const override {
    int32_t thresholds[kQsgdRun];
    int8_t levels[kQsgdRun];
    std::ranges::fill(thresholds, kNearestThreshold);
    for (; !values.empty(); first += options_.bucket) {
      const std::span<const float> bucket = values.first(std::min<size_t>(values.size(), block()));
      values = values.subspan(bucket.size());
      const std::span<std::byte> bytes = out.first(BucketBytes(bucket.size()));
      out = out.subspan(bytes.size());
      const float step = StepOf(NormOfBucket(bucket), options_.levels);
      std::memcpy(bytes.data(), &step, sizeof(step));
      for (size_t at = 0; at < bucket.size(); at += kQsgdRun) {
        const auto run = bucket.subspan(at, std::min(kQsgdRun, bucket.size() - at));
        const auto of_run = std::span(levels).first(run.size());
        const auto drawn = std::span(thresholds).first(run.size());
        if (options_.rounding == QsgdOptions::Rounding::kStochastic) {
          DrawThresholds(random, first + at, drawn);
        }
        if (step > 0) {
          RoundToLevels(run, step, drawn, of_run);
        } else {
          std::ranges::fill(of_run, int8_t{0});
        }
        PutLevels(of_run, bytes.subspan(sizeof(step) + LevelBytes(at)));
      }
    }
  }

  void Decode(std::span<const std::byte> in, std::span<float> out) const override {
    int8_t levels[kQsgdRun];
    while (!out.empty()) {
      const std::span<float> bucket = out.first(std::min<size_t>(out.size(), block()));
      out = out.subspan(bucket.size());
      const std::span<const std::byte> bytes = in.first(BucketBytes(bucket.size()));
      in = in.subspan(bytes.size());
      float step = 0;
      std::memcpy(&step, bytes.data(), sizeof(step));
      for (size_t at = 0; at < bucket.size(); at += kQsgdRun) {
        const auto run = bucket.subspan(at, std::min(kQsgdRun, bucket.size() - at));
        const auto of_run = std::span(levels).first(run.size());
        TakeLevels(bytes.subspan(sizeof(step) + LevelBytes(at)), of_run);
        for (size_t i = 0; i < run.size(); ++i) run[i] = step * static_cast<float>(of_run[i]);
      }
    }
  }

 private:
  uint64_t LevelBytes(uint64_t n) const { return options_.bits == 8 ? n : (n + 1) / 2; }
  uint64_t BucketBytes(uint64_t n) const { return n == 0 ? 0 : sizeof(float) + LevelBytes(n); }

  double NormOfBucket(std::span<const float> bucket) const {
    const double most = MaxMagnitudeOf(bucket);
    return options_.norm == QsgdOptions::Norm::kMax ? most : std::max(most, NormOf(bucket));
  }
  void PutLevels(std::span<const int8_t> levels, std::span<std::byte> out) const {
    if (options_.bits == 4) return PackNibbles(levels, out);
    std::memcpy(out.data(), levels.data(), levels.size());
  }
  void TakeLevels(std::span<const std::byte> in, std::span<int8_t> levels) const {
    if (options_.bits == 4) return UnpackNibbles(in, levels);
    std::memcpy(levels.data(), in.data(), levels.size());
  }

  const QsgdOptions options_;
};

ParamSchema QsgdSchema() {
  return ParamSchema({{.name = "bucket",
                       .type = ParamSpec::Type::kInt,
                       .default_value = 512,
                       .min = 1,
                       .max = 65536,
                       .doc = "values that share a step"},
                      {.name = "norm",
                       .type = ParamSpec::Type::kString,
                       .default_value = "max",
                       .choices = {"max", "l2"},
                       .doc = "what the last level stands for: the largest magnitude of a bucket "
                              "or its Euclidean norm"},
                      {.name = "rounding",
                       .type = ParamSpec::Type::kString,
                       .default_value = "stochastic",
                       .choices = {"stochastic", "nearest"},
                       .doc = "stochastic is unbiased; nearest goes with error_feedback"},
                      {.name = "error_feedback",
                       .type = ParamSpec::Type::kBool,
                       .default_value = false,
                       .doc = "add what is lost to the next update"}});
}

absl::Status RegisterBits(CodecRegistry& registry, const std::string& name, int bits,
                          std::string summary) {
  return registry.Register(
      {.name = name,
       .summary = std::move(summary),
       .source = "QSGD, Alistarh et al. 2016, arXiv 1610.02132",
       .schema = QsgdSchema()},
      [name, bits](const Params& params) -> absl::StatusOr<std::shared_ptr<const Codec>> {
        return MakeQsgd({.name = name,
                         .bits = bits,
                         .levels = (1 << (bits - 1)) - 1,
                         .bucket = static_cast<uint64_t>(params.Int("bucket")),
                         .norm = params.String("norm") == "l2" ? QsgdOptions::Norm::kL2
                                                               : QsgdOptions::Norm::kMax,
                         .rounding = params.String("rounding") == "nearest"
                                         ? QsgdOptions::Rounding::kNearest
                                         : QsgdOptions::Rounding::kStochastic,
                         .keeps_error = params.Bool("error_feedback")});
      });
}

}  // namespace

std::shared_ptr<const Quantizer> MakeQsgd(const QsgdOptions& options) {
  return std::make_shared<Qsgd>(options);
}

absl::Status RegisterQsgd(CodecRegistry& registry) {
  SKEIN_RETURN_IF_ERROR(
      RegisterBits(registry, "int8", 8, "values as one of 255 levels, rounded without bias"));
  return RegisterBits(registry, "int4", 4, "values as one of 15 levels, rounded without bias");
}

}  // namespace skein
