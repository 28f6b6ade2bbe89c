#include "simulation/frame_sizes.h"

#include <string>
#include <utility>
#include <vector>

#include "skein/tensor/chunk_codec.h"
#include "skein/transport/frame.h"

namespace skein {
namespace {

constexpr uint64_t kChunkOverhead = 32;  // of a chunk's bytes, about
constexpr uint64_t kSampleSeq = 1000;    // a number of usual size

Manifest OneTensor(DType dtype, uint64_t elements) {
  TensorInfo tensor{"model.weight", dtype, {static_cast<int64_t>(elements)}};
  return Manifest::Create({std::move(tensor)}).value();
}

WireCost Chunks(uint64_t bytes) {
  const uint64_t chunks = (bytes + kDefaultChunkBytes - 1) / kDefaultChunkBytes;
  const uint64_t trailer = EncodedSize(TrailerFrame{kSampleSeq, std::string(32, '0')});
  return {bytes + chunks * kChunkOverhead + trailer, chunks + 1};
}

}  // namespace

FrameSizes::FrameSizes(uint64_t model_size) : model_bytes(model_size) {
  const uint64_t elements = (model_bytes + sizeof(float) - 1) / sizeof(float);
  const Manifest floats = OneTensor(DType::kFloat32, elements);
  const Manifest sums = OneTensor(DType::kInt64, elements);
  const VersionRef version{kSampleSeq, 0, 0};
  const Roster roster = Roster::Range(1000, 2000);

  hello = EncodedSize(HelloFrame{kProtocolVersion, "run-simulated", "w1000", kSampleSeq, 1});
  welcome = EncodedSize(WelcomeFrame{kProtocolVersion, kSampleSeq});
  task = EncodedSize(Task{.round = 10, .base = version, .seq_first = 10, .participants = roster});
  model_offer = EncodedSize(OfferFrame{kSampleSeq, floats, ModelHeader{version, {}}});
  update_offer = EncodedSize(OfferFrame{
      kSampleSeq, floats,
      UpdateHeader{.leaf = 1000, .seq = 10, .round = 10, .base = version, .num_samples = 600}});
  partial_offer = EncodedSize(OfferFrame{
      kSampleSeq, sums,
      PartialHeader{
          .round = 10, .base = version, .num_samples = 600, .roster = roster, .updates = 100}});
  grant = EncodedSize(GrantFrame{kSampleSeq, 0});
  ack = EncodedSize(AckFrame{kSampleSeq, 0, ""});
  committed = EncodedSize(CommittedFrame{10, version});
  cancel = EncodedSize(CancelFrame{10, 0, "too late: the deadline has passed"});
  failed = EncodedSize(TaskFailedFrame{TaskKind::kTrain, 10, 0, "the learner failed"});
  model = update = Chunks(model_bytes);
  partial = Chunks(2 * model_bytes);
}

}  // namespace skein
