#ifndef SKEIN_TESTS_UNIT_TRANSPORT_SAMPLE_FRAMES_H_
#define SKEIN_TESTS_UNIT_TRANSPORT_SAMPLE_FRAMES_H_

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "skein/transport/frame.h"

namespace skein {

inline ChunkFrame SampleChunk(std::string payload, uint64_t offset = 0) {
  auto owner = std::make_shared<const std::string>(std::move(payload));
  return {3, offset, 0x0123456789ABCDEF, std::as_bytes(std::span(*owner)), owner};
}

inline Manifest SampleManifest() {
  return *Manifest::Create({{"conv.weight", DType::kFloat32, {8, 1, 3, 3}, TensorRole::kParameter},
                            {"bn.running_mean", DType::kFloat64, {8}, TensorRole::kBuffer},
                            {"steps", DType::kInt64, {}, TensorRole::kBuffer},
                            {"empty", DType::kBool, {0, 4}, TensorRole::kParameter}});
}

inline MetricSums SampleMetrics() {
  MetricSums metrics;
  metrics.mutable_sums()["loss"] = {Fixed128::FromInt(-12), Fixed128::FromInt(600)};
  metrics.mutable_sums()["accuracy"] = {Fixed128::FromParts(3, 1), Fixed128::FromInt(600)};
  return metrics;
}

// Every kind of frame, with every field set.
inline std::vector<Frame> SampleFrames() {
  const NumericPlan numeric{600, 60000, {{30, 10}, {-4, 60}, {0, 0}, {0, 0}}};
  const VersionRef base{7, 1, 2};
  const PartialHeader partial{8,
                              2,
                              base,
                              Fixed128::FromInt(1200),
                              {{"tau", Fixed128::FromParts(-1, 5)}},
                              1200,
                              Roster::Of({1, 2, 3, 7, 70000}),
                              SampleMetrics(),
                              1000000,
                              1,
                              2,
                              6,
                              4,
                              {{1, 600, 0.5, std::nullopt, 2.5}, {70000, 3, -1.0, 1.5, 0}},
                              true};
  const TierPolicies policies = {
      {1, {"quorum", {{"fraction", 0.5}, {"count", -3}, {"soft", true}, {"text", "a b"}}}}};
  return {HelloFrame{1, "run-1", "w17", 4, 9},
          WelcomeFrame{1, 12},
          Task{TaskKind::kEvaluate, 8, 1, 2, base, 1000000, 3, Roster::Range(4, 1000), policies, 70,
               true},
          OfferFrame{1, SampleManifest(), ModelHeader{base, numeric},
                     Encoding{"delta|int8(512)", 77, VersionRef{6, 0, 1}}},
          OfferFrame{2, SampleManifest(),
                     UpdateHeader{17, 55, 8, 2, base, 600, {{"loss", 0.25}, {"grad", -1e300}}}},
          OfferFrame{3, SampleManifest(), partial, Encoding{"zstd", 9, std::nullopt}},
          GrantFrame{3, 1 << 20},
          SampleChunk("some bytes", 4096),
          TrailerFrame{3, std::string(32, '7')},
          AckFrame{3, 9, "the epoch is over"},
          TaskFailedFrame{TaskKind::kTrain, 8, 2, "learner:\n  out of memory", true},
          EvalReportFrame{8, base, 10000, Roster::Of({5}), SampleMetrics()},
          CommittedFrame{8, {8, 1, 0}},
          CancelFrame{8, 2, "the deadline has passed"},
          ByeFrame{"the run is over"}};
}

}  // namespace skein

#endif  // SKEIN_TESTS_UNIT_TRANSPORT_SAMPLE_FRAMES_H_
