// Payloads of codecs as a peer may send them.
//
// Input: which pipeline; whether the payload has its own head, else it gets the right one, without
// which little would be read; the rest of the payload.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "codec/finite.h"
#include "fuzz/memory_meter.h"
#include "fuzz/payload_pipelines.h"
#include "fuzz/require.h"
#include "skein/base/status.h"

namespace skein {
namespace {

constexpr size_t kHead = 2;
// The tensors and their copies are small: what counts is that nothing grows with what is claimed.
constexpr size_t kMemoryForAny = size_t{512} << 10;
constexpr size_t kMemoryPerByte = 16;

void CheckTensors(const CodecPipeline& pipeline, const PackedTensors& tensors) {
  for (size_t t = 0; t < tensors.manifest().size(); ++t) {
    Require(!FindNonFinite(tensors.manifest()[t].dtype, tensors.tensor(t)),
            "decoded numbers are finite");
  }
  BufferPool buffers;
  const auto encoded = pipeline.Encode(tensors, {}, buffers);
  if (!encoded.ok()) {  // beyond what its quantizer takes
    Require(absl::IsInvalidArgument(encoded.status()), "a bad update is InvalidArgument");
    return;
  }
  Require(encoded->bytes.size() <= pipeline.MaxBytes(tensors.manifest()),
          "a payload is within its bound");
  const auto again = pipeline.Decode(encoded->bytes, tensors.manifest(), buffers);
  // An unbiased form may make what is large too large for its receiver.
  Require(again.ok() || absl::IsInvalidArgument(again.status()), "what is encoded can be decoded");
}

void CheckPayload(const PayloadPipelines& pipelines, size_t which, const std::string& payload) {
  const CodecPipeline& pipeline = pipelines[which];
  // In a block of its own, so that a read beyond it is seen.
  const std::vector<std::byte> own(
      reinterpret_cast<const std::byte*>(payload.data()),
      reinterpret_cast<const std::byte*>(payload.data()) + payload.size());
  BufferPool buffers;
  absl::StatusOr<PackedTensors> decoded = absl::UnknownError("");
  {
    const MemoryMeter meter;
    decoded = pipeline.Decode(own, pipelines.manifest(), buffers, {&pipelines.base(), 1});
    Require(meter.peak() <= kMemoryForAny + kMemoryPerByte * payload.size(),
            "memory for a payload is bounded");
  }
  if (decoded.ok()) return CheckTensors(pipeline, *decoded);
  Require(absl::IsInvalidArgument(decoded.status()) ||
              (pipeline.has_delta() && absl::IsFailedPrecondition(decoded.status())),
          "a bad payload is InvalidArgument");
  const std::string why = Message(decoded.status());
  Require(why.rfind("payload", 0) == 0 || why.rfind("tensor '", 0) == 0,
          "an error names the payload or the tensor");
}

}  // namespace
}  // namespace skein

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const skein::PayloadPipelines* const pipelines = new skein::PayloadPipelines;
  if (size < skein::kHead) return 0;
  const size_t which = data[0] % pipelines->size();
  std::string payload = data[1] % 16 == 0 ? "" : pipelines->HeadOf(which);
  payload.append(reinterpret_cast<const char*>(data) + skein::kHead, size - skein::kHead);
  skein::CheckPayload(*pipelines, which, payload);
  return 0;
}
